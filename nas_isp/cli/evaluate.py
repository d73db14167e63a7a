"""`nas-isp evaluate`: full-reference quality on true pairs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_isp.cli.common import Format, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from nas_isp.data.patches import Pairs
    from nas_isp.evaluation.metrics import Scores
    from nas_isp.raw.image import RawImage

    Developer = Callable[[RawImage], NDArray[np.uint8]]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("evaluate")(evaluate)


def evaluate(
    model: Annotated[str, typer.Argument(help="A bundle, .tflite, .onnx, or STUDY:TRIAL.")],
    pairs: Annotated[Path, typer.Option(help="Folder that holds raw/ and rgb/ with equal stems.")],
    sensor: Annotated[str | None, typer.Option(help="Sensor of bare mosaics: a known name or a JSON file.")] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="A study: also score its classical rendering, plain and colour-transported.")
    ] = None,
    format: Annotated[Format, typer.Option(help="How the scores are printed.")] = Format.TABLE,
) -> None:
    """Score a model on true pairs, on the 8-bit picture that `develop` would save. LPIPS is not computed yet."""
    from nas_isp.cli.models import model_runner
    from nas_isp.data.patches import load_pairs
    from nas_isp.export.develop import develop
    from nas_isp.raw.readers import load_sensor

    runner = model_runner(model)
    known = load_pairs(pairs, sensor=load_sensor(sensor) if sensor else None)
    developers: dict[str, Developer] = {"model": lambda raw: develop(runner, raw)}
    developers |= _baselines(baseline) if baseline else {}
    scores = {name: _scored(known, developer, name) for name, developer in developers.items()}
    if format is Format.JSON:
        result: dict[str, Any] = scores.pop("model").to_dict()
        if scores:
            result["baselines"] = {name: row.to_dict() for name, row in scores.items()}
        print_json(result)
        return
    columns = [name for name, value in scores["model"].to_dict().items() if value is not None]
    print_table(["", *columns], [[name, *map(row.to_dict().get, columns)] for name, row in scores.items()])


def _scored(pairs: "Pairs", developer: "Developer", name: str) -> "Scores":
    from nas_isp.evaluation.metrics import mean_scores
    from nas_isp.raw.orientation import upright

    with progress_bar(name) as progress:

        def pictures() -> "Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]":
            for done, pair in enumerate(pairs):
                progress(done, len(pairs))
                yield developer(pair.raw), upright(pair.photo, pair.raw.flip)

        return mean_scores(pictures())


def _baselines(study: Path) -> "dict[str, Developer]":
    """What a network has to beat: the classical rendering of the study's data, plain and with transported colours."""
    import torch

    from nas_isp.adversarial.prepare import Prepared
    from nas_isp.evaluation.metrics import to_8_bit
    from nas_isp.raw.orientation import upright
    from nas_isp.raw.packing import align_to_rggb, pack
    from nas_isp.search.study import Study

    data = Prepared.load(Study.open(study).prepared_folder)
    renderings = {"classical": data.render_classical, "transported": data.render_baseline}

    def developed_by(render: "Callable[[torch.Tensor], torch.Tensor]") -> "Developer":
        def developer(raw: "RawImage") -> "NDArray[np.uint8]":
            packed = torch.from_numpy(pack(align_to_rggb(raw)))[None]
            return upright(to_8_bit(render(packed))[0], raw.flip)

        return developer

    return {name: developed_by(render) for name, render in renderings.items()}
