"""A chart that is drawn by construction is measured exactly, from any side and in any light; corners are checked."""

from pathlib import Path

import numpy as np
import pytest

from nas_isp.errors import InputError
from nas_isp.evaluation.chart_detector import find_chart
from nas_isp.evaluation.color_chart import (
    COLUMNS,
    PATCHES,
    ROWS,
    checked_corners,
    measure_chart,
    patches_picture,
    reference_srgb,
)

FLAT = ((60, 40), (660, 40), (660, 440), (60, 440))
TILTED = ((90, 70), (650, 30), (690, 450), (40, 380))
"""Clockwise from the brown patch."""

MAKERS_SRGB = (
    *((115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170)),
    *((214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46)),
    *((56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161)),
    *((243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52)),
)
"""sRGB as the maker has published it for charts before November 2014: other pigments, the same chart."""


def drawn(colors: np.ndarray, corners=FLAT, size=(480, 720)) -> np.ndarray:
    """A chart of sRGB colors 0..1 in perspective: each pixel asks in which field it lies."""
    fields = np.array([(0, 0), (COLUMNS, 0), (COLUMNS, ROWS), (0, ROWS)], float)
    rows = []
    for (x, y), (u, v) in zip(corners, fields, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, -u], [0, 0, 0, x, y, 1, -v * x, -v * y, -v]]
    to_fields = np.linalg.svd(np.array(rows, float))[2][-1].reshape(3, 3)
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    u, v, w = np.einsum("ij,jyx->iyx", to_fields, np.stack([x, y, np.ones_like(x)]))
    u, v = u / w, v / w
    inside = (u > 0) & (u < COLUMNS) & (v > 0) & (v < ROWS)
    column, row = np.clip(u.astype(int), 0, COLUMNS - 1), np.clip(v.astype(int), 0, ROWS - 1)
    patch = inside & (np.abs(u - column - 0.5) < 0.38) & (np.abs(v - row - 0.5) < 0.38)
    picture = np.full((*size, 3), 0.7)
    picture[inside] = 0.12
    picture[patch] = colors[(row * COLUMNS + column)[patch]]
    return np.rint(picture * 255).astype(np.uint8)


def light(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def coded(values: np.ndarray) -> np.ndarray:
    values = np.clip(values, 0, 1)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 1e-9) ** (1 / 2.4) - 0.055)


def test_the_reference_is_that_of_the_maker() -> None:
    difference = reference_srgb() * 255 - MAKERS_SRGB
    assert np.abs(difference).max() < 18
    assert np.abs(difference).mean() < 4


@pytest.mark.parametrize("corners", [FLAT, TILTED])
@pytest.mark.parametrize("turn", range(4))
def test_a_true_chart_has_no_error_from_whichever_corner_it_is_given(corners, turn: int) -> None:
    picture = drawn(reference_srgb(), corners)
    given = [*corners[turn:], *corners[:turn]]
    for order in (given, given[::-1]):
        found = measure_chart(picture, order)
        assert found.mean < 0.3
        assert found.exposure_stops == pytest.approx(0, abs=0.02)
        assert found.chroma_ratio == pytest.approx(1, abs=0.01)


def test_a_single_wrong_patch_is_named() -> None:
    colors = reference_srgb()
    at = list(PATCHES).index("foliage")
    colors[at] = (0.7, 0.2, 0.2)
    found = measure_chart(drawn(colors, TILTED), TILTED)
    assert max(found.delta_e00, key=lambda name: found.delta_e00[name]) == "foliage"
    assert found.delta_e00["foliage"] > 20
    assert sum(error > 1 for error in found.delta_e00.values()) == 1
    assert found.mean == pytest.approx(sum(found.delta_e00.values()) / 24)


@pytest.mark.parametrize("stops", [-2.0, -1.0, 0.3])
def test_the_exposure_is_told_in_stops_and_taken_out(stops: float) -> None:
    found = measure_chart(drawn(coded(light(reference_srgb()) * 2**stops)), FLAT)
    assert found.exposure_stops == pytest.approx(stops, abs=0.05)
    assert found.mean > 2
    assert found.mean_at_exposure < (1.5 if stops < 0 else 2)


def test_a_dull_chart_has_less_chroma() -> None:
    colors = reference_srgb()
    gray = colors.mean(1, keepdims=True)
    found = measure_chart(drawn(gray + 0.5 * (colors - gray)), FLAT)
    assert 0.4 < found.chroma_ratio < 0.6


def test_a_tinted_dark_chart_keeps_its_turn() -> None:
    colors = coded(light(reference_srgb()) * (0.1, 0.2, 0.35))
    straight = measure_chart(drawn(colors), FLAT)
    assert measure_chart(drawn(colors), FLAT[2:] + FLAT[:2]).delta_e00 == straight.delta_e00


def test_the_picture_shows_measured_beside_published() -> None:
    found = measure_chart(drawn(coded(light(reference_srgb()) * 0.5)), FLAT)
    picture = patches_picture(found, 60)
    assert picture.shape == (240, 360, 3)
    np.testing.assert_allclose(picture[30, 15], found.measured[0] * 255, atol=1)
    np.testing.assert_allclose(picture[30, 45], reference_srgb()[0] * 255, atol=1)


@pytest.mark.parametrize(
    ("corners", "reason"),
    [
        (((0, 0), (10, 0), (10, 10)), "give four points"),
        (((0, 0), (800, 0), (800, 400), (0, 400)), "outside"),
        (((-5, 0), (600, 0), (600, 400), (0, 400)), "outside"),
        (((0, 0), (600, 400), (600, 0), (0, 400)), "no area"),
        (((0, 0), (300, 0), (600, 0), (0, 400)), "no area"),
        (((5, 5), (9, 5), (9, 9), (5, 9)), "no area"),
        (((float("nan"), 0), (600, 0), (600, 400), (0, 400)), "give four points"),
    ],
)
def test_corners_that_are_none_are_refused(corners, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        checked_corners(corners, 720, 480)


@pytest.mark.parametrize("corners", [FLAT, TILTED])
def test_a_drawn_chart_is_found(corners) -> None:
    pytest.importorskip("cv2.mcc", reason="OpenCV's contributed modules are an extra")
    picture = drawn(reference_srgb(), corners)
    found = find_chart(picture)
    assert found is not None
    assert measure_chart(picture, found).mean < 1


def test_no_chart_is_found_where_none_is() -> None:
    pytest.importorskip("cv2.mcc", reason="OpenCV's contributed modules are an extra")
    assert find_chart(np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)) is None
    assert find_chart(np.zeros((8, 8, 3), np.uint8)) is None


def test_without_the_extra_corners_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r"nas_isp\[chart\].*corners"):
        find_chart(np.zeros((80, 80, 3), np.uint8))


@pytest.mark.parametrize(
    "name", ["colorchecker_jpg/EOS5D_MIII__K6A7942.JPG", "colorchecker_jpg/iPhone_13_Pro_IMG_8566.JPG"]
)
def test_charts_of_cameras_are_found(shared_data: Path, name: str) -> None:
    from nas_isp.data.photos import read_photo

    pytest.importorskip("cv2.mcc", reason="OpenCV's contributed modules are an extra")
    path = shared_data / "raw_camera" / name
    if not path.is_file():
        pytest.skip(f"no {name} in the shared data")
    photo = read_photo(path)
    corners = find_chart(photo)
    assert corners is not None
    assert measure_chart(photo, corners).mean < 12


@pytest.mark.parametrize(
    "name",
    [
        "canon_s40/CRW_0101.CRW",
        "infinite_isp/ColorCheckerRAW_1920x1080_12bit_BGGR.raw",
        "tinydng/colorchart.dng",
    ],
)
def test_charts_in_raw_files_are_found(shared_data: Path, name: str) -> None:
    """Whatever light and exposure, patches in the right places correlate with the published ones."""
    from nas_isp.raw.classical import render_image
    from nas_isp.raw.readers import read_raw

    pytest.importorskip("cv2.mcc", reason="OpenCV's contributed modules are an extra")
    path = shared_data / "raw_camera" / name
    if not path.is_file():
        pytest.skip(f"no {name} in the shared data")
    picture = render_image(read_raw(path), auto_exposure=True)
    corners = find_chart(picture)
    assert corners is not None
    seen, known = measure_chart(picture, corners).measured, reference_srgb()
    assert np.corrcoef(seen.mean(1), known.mean(1))[0, 1] > 0.9
    assert np.corrcoef((seen[:, 0] - seen[:, 2]), (known[:, 0] - known[:, 2]))[0, 1] > 0.8
