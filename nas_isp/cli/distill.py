"""`nas-isp distill`: the chosen candidate of a study, taught by a larger network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.options import (
    BundleOption,
    ComputeOption,
    FeaturesOption,
    Format,
    FormatOption,
    PreviewsOption,
    SeedOption,
    TimeOption,
    WeightsOption,
)
from nas_isp.deadlines import deadline_in, seconds_left
from nas_isp.search.budget import seconds_of

if TYPE_CHECKING:
    from nas_isp.distillation.distill import Distilled


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("distill")(distill)


def distill(
    study: Annotated[Path, typer.Argument(help="Folder of a search.")],
    output: BundleOption,
    trial: Annotated[str, typer.Option(help="A trial's number, or `knee` of the front.")] = "knee",
    teacher: Annotated[
        str | None, typer.Option(help="A trained teacher (.safetensors), or the recipe that trains one.")
    ] = None,
    budget: TimeOption = None,
    features: FeaturesOption = None,
    weights_dir: WeightsOption = None,
    seed: SeedOption = 0,
    compute: ComputeOption = "auto",
    previews: PreviewsOption = "validate",
    format: FormatOption = "table",
) -> None:
    """Train a teacher unpaired (unless one is given), then the candidate on the teacher's pictures."""
    deadline = deadline_in(seconds_of(budget))  # before the imports, which take seconds of the user's time
    from nas_isp.api.distill import distill_model

    with progress_bar("data") as report:
        distilled = distill_model(
            study,
            output,
            trial=trial,
            teacher=teacher,
            budget=seconds_left(deadline),
            features=features,
            weights_dir=weights_dir,
            seed=seed,
            compute=compute,
            previews=previews,
            note=say,
            progress=report,
        )
    _print_scores(distilled, format)


def _print_scores(distilled: "Distilled", format: Format) -> None:
    scores = distilled.scores()
    if format == "json":
        print_json(scores)
        return
    named = (name for row in scores.values() for name in row if name not in ("score_kind", "previews"))
    names = dict.fromkeys(named)
    kinds = {str(row.get("score_kind")) for row in scores.values()}
    rows = [[name, *(row.get(name, "-") for row in scores.values())] for name in names]
    print_table(["score", *scores], rows, title=f"quality is the {', '.join(sorted(kinds))} score")
