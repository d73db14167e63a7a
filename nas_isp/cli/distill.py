"""`nas-isp distill`: the chosen candidate of a study, taught by a larger network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import (
    Format,
    ReportsProgress,
    deadline_in,
    print_json,
    print_table,
    progress_bar,
    say,
    seconds_of,
)
from nas_isp.errors import InputError

if TYPE_CHECKING:
    from nas_isp.adversarial.prepare import Prepared
    from nas_isp.generators.bundle import Bundle
    from nas_isp.recipe import Recipe

TEACHER_SHARE = 0.55
STUDENT_SHARE = 0.38


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
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    device: Annotated[str, typer.Option("--torch-device", help="auto, cpu, cuda, ...")] = "auto",
    format: Annotated[Format, typer.Option(help="How the scores are printed.")] = Format.TABLE,
) -> None:
    """Train a teacher unpaired (unless one is given), then the candidate on the teacher's pictures."""
    from nas_isp.adversarial.trainer import TrainingDiverged
    from nas_isp.cli.datasets import check_output
    from nas_isp.cli.devices import torch_device
    from nas_isp.cli.models import load_model
    from nas_isp.generators.bundle import save_bundle
    from nas_isp.search.study import Study

    seconds = seconds_of(budget) if budget else None
    opened = Study.open(study)
    candidate = load_model(f"{study}:{trial}")
    check_output(output)
    where = torch_device(device)
    run = output.with_suffix(".run")
    known_teacher, recipe = _teacher_or_recipe(teacher, opened.config.recipe)
    try:
        with progress_bar("data") as progress:
            data = _prepared(opened.folder)
            if known_teacher is None:
                share = None if seconds is None else seconds * TEACHER_SHARE
                known_teacher = _train_teacher(recipe, data, run, seed, where, share, progress)
                save_bundle(run / "teacher.safetensors", known_teacher)
            share = None if seconds is None else seconds * STUDENT_SHARE
            student = _train_student(candidate, known_teacher, recipe, data, run, seed, where, share, progress)
    except TrainingDiverged as error:
        raise InputError(f"the training diverged: {error}; lower learning_rate in the recipe") from error
    save_bundle(output, student)
    say(f"written: {output}; teacher and histories: {run}")
    _print_scores({"candidate": candidate, "teacher": known_teacher, "student": student}, format)


def _teacher_or_recipe(teacher: str | None, of_study: "Recipe") -> "tuple[Bundle | None, Recipe]":
    from nas_isp.generators.bundle import load_bundle
    from nas_isp.recipe import load_recipe

    if teacher is None:
        return None, of_study
    if teacher.endswith(".safetensors"):
        return load_bundle(Path(teacher)), of_study
    return None, load_recipe(teacher)


def _prepared(study: Path) -> "Prepared":
    from nas_isp.adversarial.prepare import Prepared

    return Prepared.load(study / "data" / "prepared")


def _train_teacher(
    recipe: "Recipe",
    data: "Prepared",
    run: Path,
    seed: int,
    device: str,
    seconds: float | None,
    progress: ReportsProgress,
) -> "Bundle":
    from nas_isp.adversarial.pace import fitted_to
    from nas_isp.distillation.distill import train_teacher

    architecture, settings = recipe.teacher.architecture, recipe.teacher_train()
    deadline = deadline_in(seconds)
    if seconds is not None:
        progress(0, None, "measuring the teacher's pace")
        settings = fitted_to(seconds, architecture, data, settings, device)
    origin = {"command": "distill", "seed": seed}
    return train_teacher(architecture, data, settings, run / "teacher", seed, device, origin, progress, deadline).bundle


def _train_student(
    candidate: "Bundle",
    teacher: "Bundle",
    recipe: "Recipe",
    data: "Prepared",
    run: Path,
    seed: int,
    device: str,
    seconds: float | None,
    progress: ReportsProgress,
) -> "Bundle":
    from nas_isp.adversarial.pace import fitted_to
    from nas_isp.distillation.distill import train_student

    settings = recipe.student_train()
    deadline = deadline_in(seconds)
    if seconds is not None:
        progress(0, None, "measuring the student's pace")
        settings = fitted_to(seconds, candidate.record.architecture, data, settings, device)
    origin = {"command": "distill", "seed": seed, "teacher": teacher.record.origin}
    folder = run / "student"
    return train_student(candidate, teacher, data, settings, folder, seed, device, origin, progress, deadline).bundle


def _print_scores(bundles: "dict[str, Bundle]", format: Format) -> None:
    scores = {role: bundle.record.scores for role, bundle in bundles.items()}
    if format is Format.JSON:
        print_json(scores)
        return
    names = [name for name in next(iter(scores.values()), {}) if name != "score_kind"]
    kinds = {str(row.get("score_kind")) for row in scores.values()}
    rows = [[role, *(row.get(name, "-") for name in names)] for role, row in scores.items()]
    print_table(["model", *names], rows, title=f"quality is the {', '.join(sorted(kinds))} score")
