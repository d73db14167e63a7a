"""`nas-isp search`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import Format, progress_bar, say
from nas_isp.cli.pareto import show_front
from nas_isp.errors import UnwritableError

if TYPE_CHECKING:
    from nas_isp.search.budget import Stopwatch
    from nas_isp.search.run import SearchRequest, Workers


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def search(
        budget: Annotated[str, typer.Option(help="Wall time of this command (90s, 30m, 2h) or trials in all (40).")],
        raw: Annotated[Path | None, typer.Option(help="Folder of RAW captures; without it the demo set.")] = None,
        rgb: Annotated[Path | None, typer.Option(help="Folder of photos of other scenes.")] = None,
        val: Annotated[Path | None, typer.Option(help="Folder with raw/ and rgb/ of equal stems to score on.")] = None,
        study: Annotated[Path, typer.Option(help="Folder of the study; an existing one goes on.")] = Path("study"),
        max_latency_ms: Annotated[float | None, typer.Option(help="Slower networks are not trained.")] = None,
        device: Annotated[str, typer.Option(help="Latency table: name or file.")] = "pixel4-gpu",
        space: Annotated[str, typer.Option(help="Search space: name or file.")] = "mobile",
        recipe: Annotated[str, typer.Option(help="Training recipe: name or file.")] = "default",
        patches: Annotated[int | None, typer.Option(min=1, help="Most patches cut of RAW and of photos.")] = None,
        features: Annotated[str | None, typer.Option(help="One frozen network for all terms, e.g. lite.")] = None,
        weights_dir: Annotated[Path | None, typer.Option(help="Folder with weights of frozen networks.")] = None,
        sensor: Annotated[str | None, typer.Option(help="Sensor of bare mosaics: name or file.")] = None,
        scene_disjoint: Annotated[bool, typer.Option(help="Refuse scenes that are in RAW and photos.")] = False,
        workers: Annotated[int | None, typer.Option(help="Trainings at once.", show_default="one a core")] = None,
        ray_address: Annotated[str | None, typer.Option(help="Join this Ray cluster; it is left running.")] = None,
        sampler: Annotated[str, typer.Option(help="Who suggests networks: tpe, nsga2, random, ...")] = "tpe",
        seed: Annotated[int, typer.Option(help="Seed of sampling and training.")] = 0,
        format: Annotated[Format, typer.Option(help="How the front is printed.")] = Format.TABLE,
    ) -> None:
        """Search for the networks with the best quality at each latency."""
        from nas_isp.search.budget import Stopwatch, parse_budget, reserve_s

        wanted = parse_budget(budget)
        stopwatch = Stopwatch(wanted, reserve_s(wanted))
        from nas_isp.search.run import SearchRequest, Workers  # takes seconds, after the budget was read

        crew = Workers(workers, ray_address)
        crew.check()
        request = SearchRequest(
            study=study,
            raw=raw,
            rgb=rgb,
            val=val,
            sensor=sensor,
            scene_disjoint=scene_disjoint,
            device=device,
            max_latency_ms=max_latency_ms,
            space=space,
            recipe=recipe,
            features=features,
            patches=patches,
            weights_dir=weights_dir,
            sampler=sampler,
            seed=seed,
        )
        _search(request, crew, stopwatch)
        show_front(study, format)


def _search(request: "SearchRequest", crew: "Workers", stopwatch: "Stopwatch") -> None:
    """Search; however it ends, the report shows what there is."""
    from nas_isp.report.page import write_page
    from nas_isp.search.progress import open_progress
    from nas_isp.search.run import open_search, run_trials

    with progress_bar("preparing the data") as report:
        opened = open_search(request, say, report)
    try:
        try:
            with open_progress() as callback:
                run_trials(opened, crew, stopwatch, callback)
        finally:
            opened.study.close()
            write_page(opened.study, opened.study.folder / "report.html")
    except UnwritableError as error:
        raise UnwritableError(f"the search has stopped, its trials are kept: {error}") from error
