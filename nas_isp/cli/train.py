"""`nas-isp train`: one generator."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.options import (
    BundleOption,
    ComputeOption,
    DisjointOption,
    FeaturesOption,
    Format,
    FormatOption,
    GroupOption,
    LightOption,
    PatchesOption,
    PreviewsOption,
    RawOption,
    RecipeOption,
    RgbOption,
    SeedOption,
    SensorOption,
    ShadingOption,
    TimeOption,
    ValOption,
    WeightsOption,
)
from nas_isp.deadlines import deadline_in, seconds_left
from nas_isp.search.budget import seconds_of

if TYPE_CHECKING:
    from nas_isp.training.train_to_bundle import Trained

ModeOption = Annotated[str | None, typer.Option(help="unpaired, paired or paired-no-adv; default as in recipe.")]
StepsOption = Annotated[int | None, typer.Option(min=0, help="Adversarial steps, instead of the recipe's.")]
WarmOption = Annotated[int | None, typer.Option(min=0, help="Warm-start steps, instead of the recipe's.")]
BatchOption = Annotated[int | None, typer.Option(min=1, help="Patches a step, instead of the recipe's.")]
PatchOption = Annotated[
    int | None, typer.Option(min=32, help="Side of a patch, a multiple of 16, instead of the recipe's.")
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("train")(train)


def train(
    architecture: Annotated[str, typer.Argument(help="A published name, a JSON file, a bundle, or STUDY:TRIAL.")],
    output: BundleOption,
    raw: RawOption = None,
    rgb: RgbOption = None,
    val: ValOption = None,
    pairs: Annotated[Path | None, typer.Option(help="Folder of true pairs to train on (paired modes).")] = None,
    mode: ModeOption = None,
    recipe: RecipeOption = "default",
    steps: StepsOption = None,
    warm_steps: WarmOption = None,
    batch: BatchOption = None,
    patch: PatchOption = None,
    patches: PatchesOption = None,
    features: FeaturesOption = None,
    weights_dir: WeightsOption = None,
    budget: TimeOption = None,
    sensor: SensorOption = None,
    scene_disjoint: DisjointOption = False,
    shading: ShadingOption = True,
    group: GroupOption = None,
    light: LightOption = None,
    run: Annotated[Path | None, typer.Option(help="Folder of checkpoint and history; resumed if there.")] = None,
    seed: SeedOption = 0,
    compute: ComputeOption = "auto",
    previews: PreviewsOption = "validate",
    format: FormatOption = "table",
) -> None:
    """Train one generator from RAW and photos of other scenes, or from true pairs."""
    deadline = deadline_in(seconds_of(budget))  # before the imports, which take seconds of the user's time
    from nas_isp.api.train import train_model
    from nas_isp.preparation.folders import TrainingFolders
    from nas_isp.recipe import load_recipe

    settings = load_recipe(recipe).train.overridden(mode, steps, warm_steps, batch, patch, patches, features)
    folders = TrainingFolders(raw, rgb, val, pairs, sensor, scene_disjoint, shading, group, light)
    with progress_bar("data") as report:
        trained = partial(train_model, architecture, output, folders, settings=settings, note=say, progress=report)
        left = seconds_left(deadline)
        chosen = partial(trained, seed=seed, compute=compute, previews=previews)
        result = chosen(budget=left, run_folder=run, weights_dir=weights_dir)
    _print_outcome(result, format)


def _print_outcome(trained: "Trained", format: Format) -> None:
    rows, classical = trained.outcome.to_dict(), trained.classical
    measured = trained.bundle.record.scores.get("previews")
    if format == "json":
        also = {name: value for name, value in (("classical", classical), ("previews", measured)) if value is not None}
        print_json({**rows, **also, "steps": trained.outcome.step})
    elif classical is None:
        print_table(["score", "model"], list(rows.items()))
    else:
        print_table(
            ["score", "model", "classical"], [[name, row, classical.get(name, "-")] for name, row in rows.items()]
        )
