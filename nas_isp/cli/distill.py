"""`nas-isp distill`: the chosen candidate of a study, taught by a larger network."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_isp.cli.common import (
    Format,
    ReportsProgress,
    deadline_in,
    print_json,
    print_table,
    progress_bar,
    say,
    seconds_left,
    seconds_of,
)
from nas_isp.errors import InputError
from nas_isp.files import BUNDLE_SUFFIX
from nas_isp.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from nas_isp.generators.bundle import Bundle
    from nas_isp.preparation.prepared import Prepared
    from nas_isp.recipe import Recipe
    from nas_isp.search.study import Study

TEACHER_SHARE = 0.6
"""Of the whole time."""
STUDENT_SHARE = 0.9
"""Of the time that is left when the student begins; scoring takes the rest."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("distill")(distill)


def distill(
    study: Annotated[Path, typer.Argument(help="Folder of a search.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model bundle to write (.safetensors).")],
    trial: Annotated[str, typer.Option(help="A trial's number, or `knee` of the front.")] = "knee",
    teacher: Annotated[
        str | None, typer.Option(help="A trained teacher (.safetensors), or the recipe that trains one.")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Wall time such as 4m: scales the steps to fit.")] = None,
    features: Annotated[str | None, typer.Option(help="One frozen network for all terms, e.g. lite.")] = None,
    weights_dir: Annotated[Path | None, typer.Option(help="Folder with weights of frozen networks.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of everything random.")] = 0,
    device: Annotated[str, typer.Option("--torch-device", help="auto, cpu, cuda, ...")] = "auto",
    format: Annotated[Format, typer.Option(help="How the scores are printed.")] = Format.TABLE,
) -> None:
    """Train a teacher unpaired (unless one is given), then the candidate on the teacher's pictures."""
    # Before the imports, which take seconds of the user's time.
    deadline = deadline_in(seconds_of(budget) if budget else None)
    from nas_isp.cli.datasets import check_output
    from nas_isp.cli.devices import torch_device
    from nas_isp.cli.models import KNEE, load_model
    from nas_isp.generators.bundle import save_bundle
    from nas_isp.search.study import Study
    from nas_isp.training.checkpoint import CHECKPOINT_FILE
    from nas_isp.training.feature_extractors import check_extractors
    from nas_isp.training.trainer import TrainingDiverged

    opened = Study.open(study)
    if trial != KNEE and not trial.isdecimal():
        raise InputError(f"--trial {trial}: give a trial's number, or {KNEE}")
    candidate = load_model(f"{study}:{trial}")
    check_output(output, BUNDLE_SUFFIX, source=teacher)
    known_teacher, recipe = _teacher_or_recipe(teacher, opened.config.recipe)
    recipe = recipe.overridden(features)
    check_extractors(recipe.teacher_train(), weights_dir)
    check_extractors(recipe.student_train(), weights_dir)
    try:
        with progress_bar("data") as progress:
            work = _Work(
                output.with_suffix(".run"),
                recipe,
                _prepared(opened),
                opened.config.raw,
                seed,
                torch_device(device),
                deadline,
                weights_dir,
            )
            if known_teacher is None:
                known_teacher = _train_teacher(work, progress)
                save_bundle(work.folder / "teacher.safetensors", known_teacher)
            student = _train_student(candidate, known_teacher, work, progress)
    except TrainingDiverged as error:
        raise InputError(f"the training diverged: {error}; lower learning_rate in the recipe") from error
    best = _better(candidate, student)
    save_bundle(output, best)
    for role in ("teacher", "student"):
        (work.folder / role / CHECKPOINT_FILE).unlink(missing_ok=True)
    say(f"written: {output}; teacher and histories: {work.folder}")
    _print_scores({"candidate": candidate, "teacher": known_teacher, "student": student}, format)


def _better(candidate: "Bundle", student: "Bundle") -> "Bundle":
    """The student, unless the candidate scored higher by the same score."""
    before, after = candidate.record.scores, student.record.scores
    if before.get("score_kind") != after["score_kind"] or before["quality"] <= after["quality"]:
        return student
    say(
        f"the student scores {after['quality']:.4g}, the candidate {before['quality']:.4g}: the candidate is kept; "
        "a larger --budget gives a better teacher"
    )
    return candidate


@dataclass(frozen=True)
class _Work:
    """What both trainings share."""

    folder: Path
    recipe: "Recipe"
    data: "Prepared"
    raw: Path | None
    seed: int
    device: str
    deadline: float
    weights_dir: Path | None

    def origin(self) -> dict[str, Any]:
        """What the bundles say about where they come from."""
        from nas_isp.generators.bundle import RAW_FOLDER

        origin = {"command": "distill", "seed": self.seed}
        return origin if self.raw is None else {**origin, RAW_FOLDER: str(self.raw.resolve())}

    def seconds(self, share: float) -> float | None:
        """A share of the time that is left, or None without a budget."""
        left = seconds_left(self.deadline)
        return None if left is None else share * left


def _teacher_or_recipe(teacher: str | None, of_study: "Recipe") -> "tuple[Bundle | None, Recipe]":
    from nas_isp.generators.bundle import load_bundle
    from nas_isp.recipe import load_recipe

    if teacher is None:
        return None, of_study
    if teacher.endswith(".safetensors"):
        return load_bundle(Path(teacher)), of_study
    return None, load_recipe(teacher)


def _prepared(study: "Study") -> "Prepared":
    from nas_isp.preparation.prepared_files import load_prepared

    return load_prepared(study.prepared_folder)


def _train_teacher(work: _Work, progress: ReportsProgress) -> "Bundle":
    from nas_isp.distillation.distill import Run, train_teacher
    from nas_isp.training.time_budget import fitted_to
    from nas_isp.training.training_run import TrainingRun

    architecture, settings = work.recipe.teacher.architecture, work.recipe.teacher_train()
    folder = work.folder / "teacher"
    seconds = work.seconds(TEACHER_SHARE)
    deadline = deadline_in(seconds)
    if seconds is not None:
        progress(0, None, "measuring the teacher's pace")
        settings = fitted_to(
            seconds,
            architecture,
            work.data,
            settings,
            TrainingRun(folder, work.seed, work.device, weights_dir=work.weights_dir),
        )
    run = Run(folder, work.seed, work.device, work.origin(), progress, deadline, work.weights_dir)
    return train_teacher(architecture, work.data, settings, run).bundle


def _train_student(candidate: "Bundle", teacher: "Bundle", work: _Work, progress: ReportsProgress) -> "Bundle":
    from nas_isp.distillation.distill import Run, pictures_of, train_student
    from nas_isp.generators.bundle import RAW_FOLDER
    from nas_isp.training.time_budget import fitted_to
    from nas_isp.training.training_run import TrainingRun

    taught = work.data.taught_by(pictures_of(teacher, work.data, work.device, progress))
    architecture, settings = candidate.record.architecture, work.recipe.student_train()
    folder, seconds = work.folder / "student", work.seconds(STUDENT_SHARE)
    deadline = deadline_in(seconds)
    if seconds is not None:
        progress(0, None, "measuring the student's pace")
        settings = fitted_to(
            seconds,
            architecture,
            taught,
            settings,
            TrainingRun(folder, work.seed, work.device, weights_dir=work.weights_dir),
        )
    # One place for the folder, which exports leave out.
    of_teacher = {name: value for name, value in teacher.record.origin.items() if name != RAW_FOLDER}
    origin = {**work.origin(), "teacher": of_teacher}
    run = Run(folder, work.seed, work.device, origin, progress, deadline, work.weights_dir)
    return train_student(candidate, taught, settings, run).bundle


def _print_scores(bundles: "dict[str, Bundle]", format: Format) -> None:
    scores = {role: bundle.record.scores for role, bundle in bundles.items()}
    if format is Format.JSON:
        print_json(scores)
        return
    names = [name for name in next(iter(scores.values()), {}) if name != "score_kind"]
    kinds = {str(row.get("score_kind")) for row in scores.values()}
    rows = [[role, *(row.get(name, "-") for name in names)] for role, row in scores.items()]
    print_table(["model", *names], rows, title=f"quality is the {', '.join(sorted(kinds))} score")
