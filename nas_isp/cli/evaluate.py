"""`nas-isp evaluate`: full-reference quality on true pairs."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_isp.cli.common import Format, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from nas_isp.data.patches import Pairs
    from nas_isp.evaluation.lpips import Lpips
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
        Path | None, typer.Option(help="A study: also score its classical rendering, plain and color-transported.")
    ] = None,
    weights_dir: Annotated[
        Path | None, typer.Option(help="Folder with AlexNet's weights, for LPIPS; see `nas-isp doctor`.")
    ] = None,
    adapt: Annotated[
        bool, typer.Option("--adapt/--no-adapt", help="Bring RAW of another sensor to the model's, as develop does.")
    ] = True,
    format: Annotated[Format, typer.Option(help="How the scores are printed.")] = Format.TABLE,
) -> None:
    """Score a model on true pairs, on the 8-bit picture that `develop` would save.

    LPIPS is scored where AlexNet's weights are found, and null without them. Checkerboards, color blotches, shifts and
    dead or clipped channels are looked for beside a classical rendering of the RAW.
    """
    from nas_isp.cli.models import model_runner
    from nas_isp.data.patches import load_pairs
    from nas_isp.develop.pipeline import develop
    from nas_isp.evaluation.artefacts import artefact_line
    from nas_isp.evaluation.lpips import load_lpips
    from nas_isp.raw.readers import load_sensor

    runner = model_runner(model)
    known = load_pairs(pairs, sensor=load_sensor(sensor) if sensor else None)
    for note in known.notes:
        say(note)
    adaptations: Counter[str] = Counter()

    def developed(raw: "RawImage") -> "NDArray[np.uint8]":
        return develop(runner, raw, adapt=adapt, note=lambda line: adaptations.update([line.removeprefix(raw.source)]))

    developers: dict[str, Developer] = {"model": developed}
    developers |= _baselines(baseline) if baseline else {}
    lpips = load_lpips(weights_dir)
    found = {name: _scored(known, developer, name, lpips) for name, developer in developers.items()}
    for line, pictures in adaptations.items():
        say(f"{pictures} of {len(known)} pictures{line}")
    if format is Format.JSON:
        rows = {name: {**scores.to_dict(), "artefacts": artefacts} for name, (scores, artefacts) in found.items()}
        result: dict[str, Any] = rows.pop("model")
        if rows:
            result["baselines"] = rows
        print_json(result)
        return
    columns = [name for name, value in found["model"][0].to_dict().items() if value is not None]
    print_table(["", *columns], [[name, *map(scores.to_dict().get, columns)] for name, (scores, _) in found.items()])
    for name, (_, artefacts) in found.items():
        print(f"{name}: {artefact_line(artefacts)}")


def _scored(
    pairs: "Pairs", developer: "Developer", name: str, lpips: "Lpips | None"
) -> "tuple[Scores, dict[str, Any]]":
    """Scores, and the artefacts seen beside the classical rendering."""
    from nas_isp.evaluation.artefacts import artefact_report, artefacts_of
    from nas_isp.evaluation.metrics import mean_scores
    from nas_isp.raw.classical import render_image
    from nas_isp.raw.orientation import upright

    artefacts = []
    with progress_bar(name) as progress:

        def pictures() -> "Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]":
            for done, pair in enumerate(pairs):
                progress(done, len(pairs))
                picture = developer(pair.raw)
                artefacts.append(artefacts_of(picture, render_image(pair.raw, "bilinear")))
                yield picture, upright(pair.photo, pair.raw.flip)

        return mean_scores(pictures(), lpips), artefact_report(artefacts)


def _baselines(study: Path) -> "dict[str, Developer]":
    """What a network has to beat: the classical rendering of the study's data, plain and with transported colors."""
    import torch

    from nas_isp.evaluation.metrics import to_8_bit
    from nas_isp.preparation.prepared_files import load_prepared
    from nas_isp.raw.orientation import upright
    from nas_isp.raw.packing import align_to_rggb, pack
    from nas_isp.search.study import Study

    baseline = load_prepared(Study.open(study).prepared_folder).baseline
    renderings = {"classical": baseline.render, "transported": baseline.render_transported}

    def developed_by(render: "Callable[[torch.Tensor], torch.Tensor]") -> "Developer":
        def developer(raw: "RawImage") -> "NDArray[np.uint8]":
            packed = torch.from_numpy(pack(align_to_rggb(raw)))[None]
            return upright(to_8_bit(render(packed))[0], raw.flip)

        return developer

    return {name: developed_by(render) for name, render in renderings.items()}
