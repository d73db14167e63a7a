"""`evaluate_model`: full-reference quality on true pairs; `evaluate_previews`: towards the camera's own pictures."""

from collections import Counter
from dataclasses import replace
from os import PathLike
from pathlib import Path

from nas_isp.arguments import PATH, TEXT, YES_NO, checked_arguments
from nas_isp.data.pairs import load_pairs
from nas_isp.develop.evaluate import Developer, Evaluation, evaluate_pictures
from nas_isp.develop.pipeline import develop
from nas_isp.develop.preview_check import PreviewReport, measure_previews, renderings
from nas_isp.develop.shading import shading_for, told_otherwise
from nas_isp.errors import InputError, about
from nas_isp.evaluation.beside_classical import CLASSICAL
from nas_isp.evaluation.lpips import load_lpips
from nas_isp.evaluation.metrics import Image8
from nas_isp.files import AnyPath
from nas_isp.generators.bundle import Bundle
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.raw.image import RawImage
from nas_isp.raw.readers import list_raw_files, load_sensor
from nas_isp.runtimes.base import Runner
from nas_isp.search.baselines import plain_baseline, study_baselines
from nas_isp.search.models import load_runner
from nas_isp.search.study import Study


@checked_arguments(
    **dict.fromkeys(("pairs", "weights_dir"), PATH),
    **dict.fromkeys(("adapt", "shading"), YES_NO),
    baseline=((str, PathLike, Study), "a study or its folder"),
    sensor=TEXT,
)
def evaluate_model(
    model: AnyPath | Bundle | Runner,
    pairs: AnyPath,
    *,
    sensor: str | None = None,
    baseline: AnyPath | Study | None = None,
    weights_dir: AnyPath | None = None,
    adapt: bool = True,
    shading: bool | None = None,
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> Evaluation:
    """Score a model on true pairs, on the 8-bit picture that developing would save.

    LPIPS is scored where AlexNet's weights are found, and None without them. Checkerboards, color blotches, shifts and
    dead or clipped channels are looked for beside a classical rendering of the RAW.

    Args:
        model: a bundle's, a .tflite or an .onnx file, STUDY:TRIAL, STUDY:knee, or a bundle or runner.
        pairs: folder that holds raw/ and rgb/ with equal stems.
        sensor: of bare mosaics: a known name or a JSON file.
        baseline: a study, whose classical rendering is scored, plain and with the photos' look, instead of one by what
            the files alone say.
        weights_dir: folder with AlexNet's weights.
        adapt: bring RAW of another sensor to the model's, as developing does.
        shading: apply the gain maps that RAW files bring against lens shading; None does as the training did.
        note: told what was left out and what was adapted, the look in words, and where the model is worse.
        progress: told how far it is.

    Returns:
        Means over the pairs: PSNR in dB, SSIM, MS-SSIM, CIEDE2000, LPIPS; artefacts; the look beside the classical
        rendering; and the baselines' likewise.

    Raises:
        InputError: a model or pairs that cannot be used.
    """
    runner, described = load_runner(model), load_sensor(sensor) if sensor else None
    applied = shading_for(runner.sensor, shading)
    with about("pairs"):
        known = load_pairs(Path(pairs), sensor=described, shading=applied)
    for line in (*known.notes, *known.left_out):
        note(line)
    adaptations: Counter[str] = Counter()

    def developed(raw: RawImage) -> Image8:
        if otherwise := told_otherwise(runner.sensor, applied, raw):
            adaptations.update([f": {otherwise}"])
        return develop(runner, raw, adapt=adapt, note=lambda line: adaptations.update([line.removeprefix(raw.source)]))

    baselines: dict[str, Developer] = {CLASSICAL: plain_baseline}
    if baseline is not None:
        baselines = study_baselines(baseline if isinstance(baseline, Study) else Study.open(baseline))
    developers: dict[str, Developer] = {"model": developed, **baselines}
    lpips = load_lpips(None if weights_dir is None else Path(weights_dir))
    anchor = baselines[CLASSICAL]
    found = {
        name: evaluate_pictures(known, one, lpips, _named(progress, name), anchor if name == "model" else None)
        for name, one in developers.items()
    }
    for line, pictures in adaptations.items():
        note(f"{pictures} of {len(known)} pictures{line}")
    own = found.pop("model")
    evaluation = replace(own, baselines=found)
    for line in evaluation.said():
        note(line)
    return evaluation


def evaluate_previews(
    model: AnyPath | Bundle | Runner,
    folder: AnyPath,
    *,
    adapt: bool = True,
    shading: bool | None = None,
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> PreviewReport:
    """Measure a model, our classical rendering and LibRaw's against the pictures that the camera stored in RAW files.

    Args:
        model: a bundle's, a .tflite or an .onnx file, STUDY:TRIAL, STUDY:knee, or a bundle or runner.
        folder: of RAW files; those without a JPEG of the camera are passed over.
        adapt: bring RAW of another sensor to the model's, as developing does.
        shading: apply the gain maps that RAW files bring against lens shading; None does as the training did.
        note: told what was left out and what was adapted.
        progress: told how far it is.

    Returns:
        For each capture and way to develop PSNR in dB, SSIM and CIEDE2000 at the resolution of the camera's picture.

    Raises:
        InputError: a model that cannot be used, or no capture with a picture of the camera that fits it.
    """
    runner, files = load_runner(model), list_raw_files(Path(folder))
    adaptations: Counter[str] = Counter()

    def developed(raw: RawImage) -> Image8:
        return develop(runner, raw, adapt=adapt, note=lambda line: adaptations.update([line.removeprefix(raw.source)]))

    developers: dict[str, Developer] = {"model": developed, **renderings()}
    found = measure_previews(files, developers, shading=shading_for(runner.sensor, shading), progress=progress)
    for line in found.left_out:
        note(line)
    for line, pictures in adaptations.items():
        note(f"{pictures} of {len(found.captures)} pictures{line}")
    if not found.captures:
        raise InputError(
            f"{folder}: no RAW file with a JPEG of the camera in it that fits its capture; give such files, "
            "or true pairs",
            "previews",
            "pairs",
        )
    return found


def _named(progress: ReportsProgress, name: str) -> ReportsProgress:
    def told(done: float, total: float | None = None, text: str | None = None) -> None:
        progress(done, total, text or name)

    return told
