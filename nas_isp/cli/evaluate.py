"""`nas-isp evaluate`: full-reference quality on true pairs."""

from pathlib import Path
from typing import Annotated

import typer

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.options import AdaptOption, FormatOption, SensorOption, ShadingOption


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate")(evaluate)


def evaluate(
    model: Annotated[str, typer.Argument(help="A bundle, .tflite, .onnx, or STUDY:TRIAL.")],
    pairs: Annotated[Path, typer.Option(help="Folder that holds raw/ and rgb/ with equal stems.")],
    sensor: SensorOption = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A study whose classical rendering is scored, plain and color-transported.")
    ] = None,
    weights_dir: Annotated[
        Path | None, typer.Option(help="Folder with AlexNet's weights, for LPIPS; see `nas-isp doctor`.")
    ] = None,
    adapt: AdaptOption = True,
    shading: ShadingOption = True,
    format: FormatOption = "table",
) -> None:
    """Score a model on true pairs, on the 8-bit picture that `develop` would save.

    LPIPS is scored where AlexNet's weights are found, and null without them. Checkerboards, color blotches, shifts and
    dead or clipped channels are looked for beside a classical rendering of the RAW. That rendering is scored as well;
    how the model's pictures look beside it is said in words, and a warning where the model is worse.
    """
    from nas_isp.api.evaluate import evaluate_model
    from nas_isp.evaluation.artefacts import artefact_line

    with progress_bar("pairs") as report:
        found = evaluate_model(
            model,
            pairs,
            sensor=sensor,
            baseline=baseline,
            weights_dir=weights_dir,
            adapt=adapt,
            shading=shading,
            note=say,
            progress=report,
        )
    if format == "json":
        print_json(found.to_json())
        return
    evaluations = {"model": found, **found.baselines}
    columns = [name for name, value in found.scores.to_dict().items() if value is not None]
    rows = [[name, *map(one.scores.to_dict().get, columns)] for name, one in evaluations.items()]
    print_table(["", *columns], rows)
    for name, one in evaluations.items():
        print(f"{name}: {artefact_line(one.artefacts)}")
