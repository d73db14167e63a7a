"""`nas-isp evaluate`: quality on true pairs, towards the camera's own pictures, or on a ColorChecker."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.options import AdaptOption, Format, FormatOption, ModelShadingOption, SensorOption
from nas_isp.errors import InputError

if TYPE_CHECKING:
    from nas_isp.develop.evaluate import Evaluation
    from nas_isp.develop.preview_check import PreviewReport
    from nas_isp.evaluation.color_chart import ChartReport, Corners

PairsOption = Annotated[Path | None, typer.Option(help="Folder that holds raw/ and rgb/ with equal stems.")]
PreviewsOption = Annotated[Path | None, typer.Option(help="Folder of RAW files with the camera's own JPEG in them.")]
ChartOption = Annotated[Path | None, typer.Option(help="A RAW file that shows a ColorChecker of 24 patches.")]
CornersOption = Annotated[
    tuple[str, str, str, str] | None,
    typer.Option(metavar="X,Y X,Y X,Y X,Y", help="Of --chart: its corners in order, in pixels of the picture."),
]
PatchesOption = Annotated[Path | None, typer.Option("-o", "--output", help="Of --chart: picture of the patches.")]
BaselineOption = Annotated[
    Path | None, typer.Option(help="A study: also score its classical rendering, plain and with its photos' look.")
]
AlexNetOption = Annotated[
    Path | None, typer.Option(help="Folder with AlexNet's weights, for LPIPS; see `nas-isp doctor`.")
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate")(evaluate)


def evaluate(
    model: Annotated[str, typer.Argument(help="A bundle, .tflite, .onnx, or STUDY:TRIAL.")],
    pairs: PairsOption = None,
    previews: PreviewsOption = None,
    chart: ChartOption = None,
    corners: CornersOption = None,
    output: PatchesOption = None,
    sensor: SensorOption = None,
    baseline: BaselineOption = None,
    weights_dir: AlexNetOption = None,
    adapt: AdaptOption = True,
    shading: ModelShadingOption = None,
    format: FormatOption = "table",
) -> None:
    """Score a model on true pairs, on the 8-bit picture that `develop` would save.

    LPIPS is scored where AlexNet's weights are found, and null without them. Checkerboards, color blotches, shifts and
    dead or clipped channels are looked for beside a classical rendering of the RAW. That rendering is scored as well;
    how the model's pictures look beside it is said in words, and a warning where the model is worse.

    With --previews it is measured against the pictures that the camera itself stored in RAW files, with --chart against
    the published colors of a ColorChecker; both beside a classical rendering and LibRaw's.
    """
    _check_one_of(pairs, previews, chart, corners, output)
    if pairs is not None:
        from nas_isp.api.evaluate import evaluate_model

        with progress_bar("pairs") as report:
            scored = partial(evaluate_model, sensor=sensor, adapt=adapt, shading=shading, note=say, progress=report)
            found = scored(model, pairs, baseline=baseline, weights_dir=weights_dir)
        _print_pairs(found, format)
    elif previews is not None:
        from nas_isp.api.evaluate import evaluate_previews

        with progress_bar("captures") as report:
            measured = evaluate_previews(model, previews, adapt=adapt, shading=shading, note=say, progress=report)
        _print_previews(measured, format)
    elif chart is not None:
        from nas_isp.api.evaluate_chart import evaluate_chart

        where = None if corners is None else parse_corners(corners)
        compared = partial(evaluate_chart, sensor=sensor, adapt=adapt, shading=shading, note=say)
        _print_chart(compared(model, chart, corners=where, output=output), format)


def parse_corners(texts: tuple[str, ...]) -> "Corners":
    """Points of ``x,y``.

    Raises:
        InputError: no two numbers.
    """
    try:
        points = [tuple(float(part) for part in text.split(",")) for text in texts]
    except ValueError:
        points = []
    if not points or any(len(point) != 2 for point in points):
        raise InputError(f"corners '{' '.join(texts)}': give four points x,y in pixels, in order around it", "corners")
    return [(point[0], point[1]) for point in points]


def _check_one_of(
    pairs: Path | None, previews: Path | None, chart: Path | None, corners: object, output: Path | None
) -> None:
    given = sum(one is not None for one in (pairs, previews, chart))
    if given != 1:
        raise InputError(
            f"{'nothing' if given == 0 else 'more than one thing'} to measure against; give one of a folder of true "
            "pairs, a folder of RAW files with the camera's pictures, and a RAW file of a ColorChecker",
            "pairs",
            "previews",
            "chart",
        )
    if chart is None and (corners is not None or output is not None):
        raise InputError("corners and a picture of patches belong to a chart; give one", "corners", "output", "chart")


def _print_pairs(found: "Evaluation", format: Format) -> None:
    from nas_isp.evaluation.artefacts import artefact_line

    if format == "json":
        print_json(found.to_json())
        return
    evaluations = {"model": found, **found.baselines}
    columns = [name for name, value in found.scores.to_dict().items() if value is not None]
    rows = [[name, *map(one.scores.to_dict().get, columns)] for name, one in evaluations.items()]
    print_table(["", *columns], rows)
    for name, one in evaluations.items():
        print(f"{name}: {artefact_line(one.artefacts)}")


def _print_previews(found: "PreviewReport", format: Format) -> None:
    if format == "json":
        print_json(found.to_json())
        return
    columns = list(asdict(next(iter(found.rows.values()))[0]))
    for at, capture in enumerate(found.captures):
        rows = [[name, *asdict(row[at]).values()] for name, row in found.rows.items()]
        print_table([capture, *columns], rows)
    print_table(["mean", *columns], [[name, *asdict(found.mean(name)).values()] for name in found.rows])
    print(found.verdict("model"))


def _print_chart(found: "Mapping[str, ChartReport]", format: Format) -> None:
    if format == "json":
        print_json({name: report.to_json() for name, report in found.items()})
        return
    reports = list(found.values())
    rows: list[list[object]] = [[patch, *(one.delta_e00[patch] for one in reports)] for patch in reports[0].delta_e00]
    rows += [
        ["mean", *(one.mean for one in reports)],
        ["mean at the reference's exposure", *(one.mean_at_exposure for one in reports)],
        ["exposure, stops", *(one.exposure_stops for one in reports)],
        ["chroma ratio", *(one.chroma_ratio for one in reports)],
    ]
    print_table(["CIEDE2000", *found], rows)
