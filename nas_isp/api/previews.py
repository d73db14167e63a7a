"""What a finished model is worth against the camera's own pictures of the captures that it was trained on."""

from pathlib import Path
from typing import Any, Literal, get_args

from nas_isp.develop.pipeline import develop
from nas_isp.develop.preview_check import (
    CLASSICAL,
    USUAL_CAPTURES,
    USUAL_PIXELS,
    PreviewReport,
    measure_previews,
)
from nas_isp.errors import InputError
from nas_isp.generators.bundle import Bundle
from nas_isp.progress import Note, ReportsProgress
from nas_isp.raw.classical import render_image
from nas_isp.raw.readers import is_raw_candidate
from nas_isp.search.models import load_runner

PreviewUse = Literal["validate", "off"]


def checked_use(previews: str) -> str:
    """What is done with the camera's pictures.

    Raises:
        InputError: an unknown word.
    """
    if previews not in get_args(PreviewUse):
        raise InputError(f"previews '{previews}': give {' or '.join(get_args(PreviewUse))}", "previews")
    return previews


def validate_with_previews(
    bundle: Bundle, folder: Path | None, shading: bool, note: Note, progress: ReportsProgress
) -> PreviewReport | None:
    """Measure a model against the pictures that the camera stored in some RAW files of a folder, and say so in a line.

    What was measured is kept in the record's scores as `previews`. Nothing that goes wrong here stops a training: it
    is said.

    Args:
        bundle: the model.
        folder: of the training's RAW files; None for none.
        shading: apply the gain maps that RAW files bring against lens shading.
        note: told the result.
        progress: told how far it is.

    Returns:
        None where no file has a picture of the camera that fits its capture.
    """
    if folder is None or not folder.is_dir():
        return None
    files = sorted(path for path in folder.iterdir() if path.is_file() and is_raw_candidate(path))
    runner = load_runner(bundle)
    ways = {"model": lambda raw: develop(runner, raw), CLASSICAL: render_image}
    try:
        found = measure_previews(files, ways, USUAL_CAPTURES, USUAL_PIXELS, shading, _named(progress))
    except InputError as error:
        note(f"not measured against the camera's pictures: {error}")
        return None
    if not found.captures:
        return None
    bundle.record.scores["previews"] = _kept(found)
    note(found.verdict("model"))
    return found


def _kept(found: PreviewReport) -> dict[str, Any]:
    ours, classical = found.mean("model"), found.mean(CLASSICAL)
    return {
        "captures": len(found.captures),
        "psnr": ours.psnr,
        "delta_e00": ours.delta_e00,
        "classical_psnr": classical.psnr,
        "classical_delta_e00": classical.delta_e00,
    }


def _named(progress: ReportsProgress) -> ReportsProgress:
    def told(done: float, total: float | None = None, text: str | None = None) -> None:
        progress(done, total, text or "previews")

    return told
