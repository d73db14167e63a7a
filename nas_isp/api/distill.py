"""`distill_model`: a trial of a study, taught by a larger network."""

from numbers import Integral
from os import PathLike
from pathlib import Path

from nas_isp.api.previews import checked_use, validate_with_previews
from nas_isp.arguments import PATH, TEXT, checked_arguments
from nas_isp.compute import compute_device
from nas_isp.deadlines import deadline_in
from nas_isp.distillation.distill import Distilled, distill, forget_checkpoints
from nas_isp.errors import InputError, about
from nas_isp.files import BUNDLE_SUFFIX, AnyPath, check_output
from nas_isp.generators.bundle import Bundle, load_bundle, save_bundle
from nas_isp.preparation.prepared_files import load_prepared
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.recipe import Recipe, load_recipe
from nas_isp.search.budget import seconds_of
from nas_isp.search.models import KNEE, load_model
from nas_isp.search.study import Study
from nas_isp.seeds import checked_seed
from nas_isp.training.feature_extractors import check_extractors
from nas_isp.training.train_to_bundle import origin_of
from nas_isp.training.training_run import TrainingRun


@checked_arguments(
    study=((str, PathLike, Study), "a study or its folder"),
    trial=((str, Integral), "a trial's number or knee"),
    teacher=((str, PathLike, Bundle), "a bundle or its file, or a recipe"),
    **dict.fromkeys(("output", "weights_dir"), PATH),
    **dict.fromkeys(("features", "compute"), TEXT),
)
def distill_model(
    study: AnyPath | Study,
    output: AnyPath,
    *,
    trial: int | str = KNEE,
    teacher: AnyPath | Bundle | None = None,
    budget: str | float | None = None,
    features: str | None = None,
    weights_dir: AnyPath | None = None,
    seed: int = 0,
    compute: str = "auto",
    previews: str = "validate",
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> Distilled:
    """Train a teacher unpaired (unless one is given), then a trial's network on the teacher's pictures.

    The trial's own network is written if it scores higher than the student. The teacher and both histories are kept in
    `OUTPUT.run`.

    Args:
        study: of the trial.
        output: the model bundle to write (.safetensors).
        trial: its number, or `knee` for the best compromise of the front.
        teacher: a trained one (.safetensors or a bundle), or name or file of the recipe that trains one; None takes
            the study's recipe.
        budget: wall time such as 1h, or seconds: the numbers of steps are scaled to fit.
        features: one frozen network for all terms, such as lite.
        weights_dir: folder with weights of frozen networks.
        seed: of everything random, 0 to 2^32 - 1.
        compute: the processor: auto, cpu, cuda, ...
        previews: validate measures what is written against the pictures that the camera stored in the study's RAW
            files, where there are some; off does not.
        note: told what a user should know.
        progress: told how far it is.

    Returns:
        Candidate, teacher and student with their scores; `best` is what was written.

    Raises:
        InputError: no such study, trial, teacher or setting, or a training that diverged.
    """
    deadline, output = deadline_in(seconds_of(budget)), Path(output)
    opened = study if isinstance(study, Study) else Study.open(study)
    candidate = _candidate(opened, trial)
    check_output(output, BUNDLE_SUFFIX, source=teacher)
    checked_use(previews)
    known_teacher, recipe = _teacher_or_recipe(teacher, opened.config.recipe)
    recipe = recipe.overridden(features)
    weights = None if weights_dir is None else Path(weights_dir)
    for settings in (recipe.teacher_train(), recipe.student_train()):
        with about(*(["features"] if features else [])):
            check_extractors(settings, weights)
    folder, data = output.with_suffix(".run"), load_prepared(opened.prepared_folder)
    device = compute_device(compute)
    run = TrainingRun(folder, checked_seed(seed), device, deadline=deadline, weights_dir=weights, progress=progress)
    distilled = distill(candidate, known_teacher, recipe, data, run, origin_of("distill", seed, opened.config.raw))
    save_bundle(output, distilled.best)
    forget_checkpoints(run)
    config = opened.config
    if previews != "off" and validate_with_previews(distilled.best, config.raw, config.shading, note, progress):
        save_bundle(output, distilled.best)  # again: what stops the measuring costs no model
    for line in _said(distilled, candidate):
        note(line)
    note(f"written: {output}; teacher and histories: {folder}")
    return distilled


def _said(distilled: Distilled, candidate: Bundle) -> list[str]:
    """What a user should know of the outcome."""
    lines = distilled.said()
    if distilled.best is candidate:
        lines.append(_kept(distilled))
    elif distilled.learned_nothing:
        lines.append(
            "the student's best weights are the candidate's, unchanged: it learned nothing; give a larger budget"
        )
    return lines


def _candidate(study: Study, trial: int | str) -> Bundle:
    number = str(trial)
    if number != KNEE and not number.isdecimal():
        raise InputError(f"trial {trial}: give a trial's number, or {KNEE}", "trial")
    return load_model(f"{study.folder}:{number}")


def _teacher_or_recipe(teacher: AnyPath | Bundle | None, of_study: Recipe) -> tuple[Bundle | None, Recipe]:
    if teacher is None or isinstance(teacher, Bundle):
        return teacher, of_study
    if Path(teacher).suffix == BUNDLE_SUFFIX:
        return load_bundle(Path(teacher)), of_study
    with about("teacher"):
        return None, load_recipe(str(teacher))


def _kept(distilled: Distilled) -> str:
    before, after = (bundle.record.scores["quality"] for bundle in (distilled.candidate, distilled.student))
    return (
        f"the student scores {after:.4g}, the candidate {before:.4g}: the candidate is kept; "
        "a larger budget gives a better teacher"
    )
