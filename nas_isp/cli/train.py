"""`nas-isp train`: one generator."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import Format, deadline_in, print_json, print_table, progress_bar, say, seconds_left, seconds_of
from nas_isp.files import BUNDLE_SUFFIX
from nas_isp.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from nas_isp.training.scoring import TrainOutcome


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("train")(train)


def train(
    architecture: Annotated[str, typer.Argument(help="A published name, a JSON file, a bundle, or STUDY:TRIAL.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model bundle to write (.safetensors).")],
    raw: Annotated[Path | None, typer.Option(help="Folder of RAW captures; without it the demo set.")] = None,
    rgb: Annotated[Path | None, typer.Option(help="Folder of good photos of other scenes.")] = None,
    val: Annotated[Path | None, typer.Option(help="Folder of true pairs (raw/, rgb/) for scoring by PSNR.")] = None,
    pairs: Annotated[Path | None, typer.Option(help="Folder of true pairs to train on (paired modes).")] = None,
    mode: Annotated[str | None, typer.Option(help="unpaired, paired or paired-no-adv; default as in recipe.")] = None,
    recipe: Annotated[str, typer.Option(help="Recipe: a shipped name or a YAML file.")] = "default",
    steps: Annotated[int | None, typer.Option(min=0, help="Adversarial steps, instead of the recipe's.")] = None,
    warm_steps: Annotated[int | None, typer.Option(min=0, help="WarmStart steps, instead of the recipe's.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Patches a step, instead of the recipe's.")] = None,
    patch: Annotated[
        int | None, typer.Option(min=32, help="Side of a patch, a multiple of 16, instead of the recipe's.")
    ] = None,
    patches: Annotated[
        int | None, typer.Option(min=1, help="Most patches cut of RAW and of photos, instead of the recipe's.")
    ] = None,
    features: Annotated[str | None, typer.Option(help="One frozen network for all terms, e.g. lite.")] = None,
    weights_dir: Annotated[Path | None, typer.Option(help="Folder with weights of frozen networks.")] = None,
    budget: Annotated[str | None, typer.Option(help="Wall time such as 10m: scales the steps to fit.")] = None,
    sensor: Annotated[str | None, typer.Option(help="Sensor of bare mosaics: a known name or a JSON file.")] = None,
    scene_disjoint: Annotated[bool, typer.Option(help="Refuse folders that share scenes.")] = False,
    run: Annotated[Path | None, typer.Option(help="Folder of checkpoint and history; resumed if there.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of everything random.")] = 0,
    device: Annotated[str, typer.Option("--torch-device", help="auto, cpu, cuda, ...")] = "auto",
    format: Annotated[Format, typer.Option(help="How the scores are printed.")] = Format.TABLE,
) -> None:
    """Train one generator from RAW and photos of other scenes, or from true pairs."""
    # Before the imports, which take seconds of the user's time.
    deadline = deadline_in(seconds_of(budget) if budget else None)
    from nas_isp.cli.datasets import Folders, check_output, prepared
    from nas_isp.cli.devices import torch_device
    from nas_isp.cli.models import load_architecture
    from nas_isp.errors import InputError
    from nas_isp.generators.bundle import RAW_FOLDER, save_bundle
    from nas_isp.recipe import load_recipe
    from nas_isp.training.checkpoint import CHECKPOINT_FILE
    from nas_isp.training.feature_extractors import check_extractors
    from nas_isp.training.time_budget import fitted_to
    from nas_isp.training.trainer import Trainer, TrainingDiverged
    from nas_isp.training.training_run import TrainingRun

    arch = load_architecture(architecture)
    settings = load_recipe(recipe).train.overridden(mode, steps, warm_steps, batch, patch, patches, features)
    check_output(output, BUNDLE_SUFFIX, source=architecture)
    where = torch_device(device)
    check_extractors(settings, weights_dir)
    run_folder = run or output.with_suffix(".run")
    work = TrainingRun(run_folder, seed, where, deadline=deadline, weights_dir=weights_dir)
    folders = Folders(raw, rgb, val, pairs, sensor, scene_disjoint)
    with progress_bar("data") as progress, prepared(folders, settings, seed, progress) as data:
        if (seconds := seconds_left(deadline)) is not None:
            progress(0, None, "measuring the pace")
            settings = fitted_to(seconds, arch, data, settings, work)
        trainer = Trainer(arch, data, settings, work, lambda done, total: progress(done, total, "training"))
        try:
            outcome = trainer.train()
        except TrainingDiverged as error:
            raise InputError(f"the training diverged: {error}; lower learning_rate in the recipe") from error
        origin = {"command": "train", "architecture": architecture, "seed": seed}
        if raw is not None:
            origin[RAW_FOLDER] = str(raw.resolve())
        save_bundle(output, trainer.bundle(origin, outcome.to_dict()))
        (run_folder / CHECKPOINT_FILE).unlink(missing_ok=True)
    say(f"written: {output}; history and samples: {run_folder}")
    print_outcome(outcome, format)


def print_outcome(outcome: "TrainOutcome", format: Format) -> None:
    """Print a training's scores, the deciding one first."""
    rows = outcome.to_dict()
    if format is Format.JSON:
        print_json({**rows, "steps": outcome.step})
    else:
        print_table(["score", "value"], list(rows.items()))
