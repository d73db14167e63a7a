"""Pictures are measured against the camera's own where that lies in them, however it is turned."""

from pathlib import Path

import numpy as np
import pytest

from nas_isp.data.raw_previews import read_preview
from nas_isp.develop.preview_check import CLASSICAL, PreviewReport, PreviewScores, measure_previews, renderings
from nas_isp.raw.classical import render_image
from nas_isp.raw.orientation import upright
from nas_isp.raw.readers import read_raw
from tests.preview_files import (
    FLIP_OF,
    HEIGHT,
    SIZE,
    WIDTH,
    Scene,
    encoded,
    jpeg_of,
    levels,
    mosaic_of,
    scene_light,
    write_capture,
    write_dng_with_preview,
)


@pytest.mark.parametrize("orientation", FLIP_OF)
@pytest.mark.parametrize("sensor_way", [False, True])
def test_a_turned_capture_is_compared_upright(tmp_path: Path, orientation: int, sensor_way: bool) -> None:
    file = write_capture(tmp_path / "a.dng", orientation, sensor_way)
    truth = levels(encoded(scene_light(Scene(), HEIGHT, WIDTH)))

    def exact(raw):
        return upright(truth, raw.flip)

    found = measure_previews([file], {"exact": exact, "turned": lambda raw: np.ascontiguousarray(exact(raw)[::-1])})
    assert found.captures == ("a.dng",)
    assert found.rows["exact"][0].psnr > 32
    assert found.rows["exact"][0].delta_e00 < 2
    assert found.rows["turned"][0].psnr < 20


def test_the_figures_are_those_of_the_picture_reduced_by_means(tmp_path: Path) -> None:
    """Brighter by a tenth of light: the error that the scores must show follows from both pictures alone."""
    file = write_capture(tmp_path / "a.dng")
    truth = encoded(scene_light(Scene(), HEIGHT, WIDTH))
    brighter = levels(truth + 0.1)
    found = measure_previews([file], {"brighter": lambda raw: brighter})
    shown = read_preview(file).pixels.astype(float)
    blocks = brighter.reshape(SIZE[1], 2, SIZE[0], 2, 3).mean((1, 3))
    wanted = 10 * np.log10(255**2 / np.mean((blocks - shown) ** 2))
    assert found.rows["brighter"][0].psnr == pytest.approx(wanted, abs=0.1)


def test_a_preview_of_another_scene_is_left_out_by_name(tmp_path: Path) -> None:
    good = write_capture(tmp_path / "a.dng")
    scene = Scene(7)
    pixels = levels(scene_light(scene, SIZE[1], SIZE[0]))
    bad = write_dng_with_preview(
        tmp_path / "b.dng", mosaic_of(scene_light(Scene(), HEIGHT, WIDTH)), jpeg_of(pixels), SIZE
    )
    found = measure_previews([good, bad], {CLASSICAL: render_image})
    assert found.captures == ("a.dng",)
    assert len(found.left_out) == 1
    assert str(bad) in found.left_out[0]


def test_files_without_a_preview_are_passed_over(tmp_path: Path) -> None:
    from tests.dng_files import write_dng

    plain = write_dng(tmp_path / "a.dng", np.full((64, 96), 300, np.uint16))
    found = measure_previews([plain], {CLASSICAL: render_image})
    assert found == PreviewReport((), {CLASSICAL: ()})


def test_at_most_so_many_are_measured_spread_over_all(tmp_path: Path) -> None:
    files = [write_capture(tmp_path / f"{at}.dng") for at in range(5)]
    found = measure_previews(files, {CLASSICAL: render_image}, most=2)
    assert found.captures == ("0.dng", "2.dng")
    found = measure_previews(files, {CLASSICAL: render_image}, most_pixels=1)
    assert found.captures == ("0.dng",)


def test_how_many_captures_are_below_classical_is_counted() -> None:
    rows = {
        "model": (PreviewScores(20, 0.9, 5), PreviewScores(25, 0.9, 5), PreviewScores(22, 0.9, 9)),
        CLASSICAL: (PreviewScores(21, 0.9, 6), PreviewScores(21, 0.9, 6), PreviewScores(21, 0.9, 6)),
    }
    report = PreviewReport(("a", "b", "c"), rows)
    assert report.below("model") == (1, 1)
    line = report.verdict("model")
    assert "22.33 dB, CIEDE2000 6.33; classical rendering 21.00 dB, 6.00; below it in 1 by PSNR, in 1" in line
    assert line.endswith("WORSE than the classical rendering")


@pytest.mark.slow
def test_real_captures_give_the_known_figures(shared_data: Path) -> None:
    """By an independent program: 21.99 dB and 6.83 classical, 22.50 and 7.24 of LibRaw, at a scale of 3.5505."""
    from nas_isp.develop.preview_check import camera_picture

    files = sorted((shared_data / "raw_camera/canon_s40").glob("*.CRW"))
    if not files:
        pytest.skip("no Canon S40 captures in the shared data")
    found = measure_previews(files, renderings())
    classical, libraw = found.mean(CLASSICAL), found.mean("LibRaw")
    assert classical.psnr == pytest.approx(21.99, abs=0.1)
    assert classical.delta_e00 == pytest.approx(6.83, abs=0.1)
    assert libraw.psnr == pytest.approx(22.50, abs=0.15)
    assert libraw.delta_e00 == pytest.approx(7.24, abs=0.1)
    preview = read_preview(files[0])
    assert preview is not None
    assert camera_picture(read_raw(files[0]), preview).placement.scale == pytest.approx((3.5505, 3.5505), abs=0.001)
