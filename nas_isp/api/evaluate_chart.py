"""`evaluate_chart`: the colors of a ColorChecker in pictures of one RAW file."""

from pathlib import Path

from nas_isp.develop.picture import check_picture_name, save_picture
from nas_isp.develop.pipeline import develop
from nas_isp.develop.preview_check import LIBRAW, renderings
from nas_isp.develop.shading import shading_for
from nas_isp.errors import InputError
from nas_isp.evaluation.chart_detector import find_chart
from nas_isp.evaluation.color_chart import ChartReport, Corners, measure_chart, patches_picture
from nas_isp.files import AnyPath, check_output
from nas_isp.generators.bundle import Bundle
from nas_isp.progress import Note, unheard
from nas_isp.raw.camera_files import CAMERA_SUFFIXES
from nas_isp.raw.classical import render_image
from nas_isp.raw.libraw_rendering import SRGB_GAMMA
from nas_isp.raw.readers import load_sensor, read_raw
from nas_isp.runtimes.base import Runner
from nas_isp.search.models import load_runner


def evaluate_chart(
    model: AnyPath | Bundle | Runner,
    photo: AnyPath,
    *,
    corners: Corners | None = None,
    output: AnyPath | None = None,
    sensor: str | None = None,
    adapt: bool = True,
    shading: bool | None = None,
    note: Note = unheard,
) -> dict[str, ChartReport]:
    """Compare the 24 patches of a ColorChecker Classic, as a model shows them, with the published colors.

    Args:
        model: a bundle's, a .tflite or an .onnx file, STUDY:TRIAL, STUDY:knee, or a bundle or runner.
        photo: a RAW file that shows the chart.
        corners: of the chart, four points x, y in order around it, in pixels of the developed picture; None looks for
            it, with OpenCV.
        output: a picture to write of the patches, left halves as the model shows them, right halves as published; its
            suffix decides the format.
        sensor: of a bare mosaic: a known name or a JSON file.
        adapt: bring RAW of another sensor to the model's, as developing does.
        shading: apply the gain maps that a RAW file brings against lens shading; None does as the training did.
        note: told what was adapted.

    Returns:
        A report for the model, for our classical rendering, and of a camera file for LibRaw's.

    Raises:
        InputError: a model or file that cannot be used, or no chart is found.
    """
    runner, path = load_runner(model), Path(photo)
    if output is not None:
        check_picture_name(Path(output))
        check_output(Path(output), source=path)
    raw = read_raw(path, load_sensor(sensor) if sensor else None, shading_for(runner.sensor, shading))
    where = corners or find_chart(render_image(raw, auto_exposure=True))
    if where is None:
        raise InputError(f"{path}: no ColorChecker of 24 patches found in it; give the corners of the chart", "corners")
    ways = renderings(SRGB_GAMMA)
    if path.suffix.lower() not in CAMERA_SUFFIXES:
        del ways[LIBRAW]
    reports = {
        "model": measure_chart(develop(runner, raw, adapt=adapt, note=note), where),
        **{name: measure_chart(way(raw), where) for name, way in ways.items()},
    }
    if output is not None:
        save_picture(Path(output), patches_picture(reports["model"]))
        note(f"written: {output}; left halves as shown, right halves as published")
    return reports
