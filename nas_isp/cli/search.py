"""`nas-isp search`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from nas_isp.cli.options import (
    DisjointOption,
    FeaturesOption,
    FormatOption,
    GroupOption,
    LightOption,
    PatchesOption,
    RawOption,
    RecipeOption,
    RgbOption,
    SensorOption,
    ShadingOption,
    ValOption,
    WeightsOption,
)
from nas_isp.cli.pareto import print_front

BudgetOption = Annotated[str, typer.Option(help="Wall time of this command (90s, 30m, 2h) or trials in all (40).")]
StudyOption = Annotated[Path, typer.Option(help="Folder of the study; an existing one goes on.")]
LimitOption = Annotated[float | None, typer.Option(help="Slower networks are not trained.")]
DeviceOption = Annotated[str, typer.Option(help="Latency table: name or file.")]
SpaceOption = Annotated[str, typer.Option(help="Search space: name or file.")]
WorkersOption = Annotated[int | None, typer.Option(help="Trainings at once.", show_default="one a core")]
RayOption = Annotated[str | None, typer.Option(help="Join this Ray cluster; it is left running.")]
SamplerOption = Annotated[str, typer.Option(help="Who suggests networks: tpe, nsga2, random, or an installed one.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("search")(search)


def search(
    budget: BudgetOption,
    raw: RawOption = None,
    rgb: RgbOption = None,
    val: ValOption = None,
    study: StudyOption = Path("study"),
    max_latency_ms: LimitOption = None,
    device: DeviceOption = "pixel4-gpu",
    space: SpaceOption = "mobile",
    recipe: RecipeOption = "default",
    patches: PatchesOption = None,
    features: FeaturesOption = None,
    weights_dir: WeightsOption = None,
    sensor: SensorOption = None,
    scene_disjoint: DisjointOption = False,
    shading: ShadingOption = True,
    group: GroupOption = None,
    light: LightOption = None,
    workers: WorkersOption = None,
    ray_address: RayOption = None,
    sampler: SamplerOption = "tpe",
    seed: Annotated[int, typer.Option(help="Seed of sampling and training.")] = 0,
    format: FormatOption = "table",
) -> None:
    """Search for the networks with the best quality at each latency."""
    from nas_isp.search.budget import Stopwatch

    stopwatch = Stopwatch.of(budget)  # before the imports, which take seconds of the user's time
    from nas_isp.api.search import search_as_requested
    from nas_isp.preparation.folders import TrainingFolders
    from nas_isp.search.progress import open_progress
    from nas_isp.search.run import SearchRequest, Workers

    folders = TrainingFolders(raw, rgb, val, None, sensor, scene_disjoint, shading, group, light)
    request = SearchRequest(study, folders, device, max_latency_ms, space, recipe, features, patches, weights_dir)
    request = replace(request, sampler=sampler, seed=seed)
    with open_progress() as shown:
        found = search_as_requested(request, Workers(workers, ray_address), stopwatch, shown, shown.preparing)
    print_front(found, study, format)
