"""`nas-isp evaluate`: full-reference quality on true pairs."""

from pathlib import Path
from typing import Annotated

import typer

from nas_isp.cli.common import Format, print_json, print_table, progress_bar


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate")(evaluate)


def evaluate(
    model: Annotated[str, typer.Argument(help="A bundle, .tflite, .onnx, or STUDY:TRIAL.")],
    pairs: Annotated[Path, typer.Option(help="Folder that holds raw/ and rgb/ with equal stems.")],
    sensor: Annotated[str | None, typer.Option(help="Sensor of bare mosaics: a known name or a JSON file.")] = None,
    format: Annotated[Format, typer.Option(help="How the scores are printed.")] = Format.TABLE,
) -> None:
    """Score a model on true pairs, on the 8-bit picture that `develop` would save."""
    from nas_isp.cli.models import model_runner
    from nas_isp.data.patches import load_pairs
    from nas_isp.evaluation.metrics import mean_scores
    from nas_isp.export.develop import develop
    from nas_isp.raw.orientation import upright
    from nas_isp.raw.readers import load_sensor

    runner = model_runner(model)
    known = load_pairs(pairs, sensor=load_sensor(sensor) if sensor else None)
    with progress_bar("developing") as progress:

        def pictures():  # type: ignore[no-untyped-def]
            for done, pair in enumerate(known):
                progress(done, len(known))
                yield develop(runner, pair.raw), upright(pair.photo, pair.raw.flip)

        scores = mean_scores(pictures()).to_dict()
    if format is Format.JSON:
        print_json(scores)
    else:
        print_table(["score", "mean"], [(name, value) for name, value in scores.items() if value is not None])
