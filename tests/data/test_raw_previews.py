"""The largest JPEG of a RAW file is read, with the colors that it or the file says."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_isp.data.raw_previews import LEAST_SIDE, read_preview
from nas_isp.raw.previews import stored_previews
from tests.data.color_cases import WANTED, patches, power, srgb_encode
from tests.dng_files import write_dng
from tests.icc_files import rgb_profile
from tests.preview_files import jpeg_of, write_dng_with_preview

SIZE = (320, 160)
COLOR_SPACE, ORIENTATION = 0xA001, 0x0112
MOSAIC = np.full((64, 96), 300, np.uint16)
EXACT = {"subsampling": 0}


def romm(light: np.ndarray) -> np.ndarray:
    return np.where(light < 1 / 512, light * 16, light ** (1 / 1.8))


SRGB = patches("sRGB", srgb_encode)
ADOBE = patches("Adobe RGB", power(256 / 563))


def large(pixels: np.ndarray) -> np.ndarray:
    """The patches as large as previews have to be."""
    return np.ascontiguousarray(pixels.repeat(20, 0).repeat(10, 1))


def shown(path: Path) -> np.ndarray:
    """The four colors that a preview shows."""
    found = read_preview(path)
    assert found is not None
    assert found.pixels.shape == (SIZE[1], SIZE[0], 3)
    return found.pixels[80, 40::80].astype(int)


def exif(**values: int) -> Image.Exif:
    tags = Image.Exif()
    if "space" in values:
        tags.get_ifd(0x8769)[COLOR_SPACE] = values["space"]
    if "orientation" in values:
        tags[ORIENTATION] = values["orientation"]
    return tags


@pytest.mark.parametrize(("space", "pixels"), [(None, SRGB), (2, SRGB), (3, ADOBE)])
def test_what_a_dng_says_of_the_previews_colors_counts(tmp_path: Path, space: int | None, pixels: np.ndarray) -> None:
    path = write_dng_with_preview(tmp_path / "a.dng", MOSAIC, jpeg_of(large(pixels), **EXACT), SIZE, color_space=space)
    np.testing.assert_allclose(shown(path), WANTED, atol=3)


def test_prophoto_is_converted(tmp_path: Path) -> None:
    """By the matrix that CSS Color 4 publishes for its prophoto-rgb, from XYZ of D50."""
    from tests.data.color_cases import XYZ_TO, linear

    to_d50 = np.array(
        [[1.0479298, 0.0229468, -0.0501922], [0.0296278, 0.9904344, -0.0170738], [-0.0092430, 0.0150552, 0.7518743]]
    )
    to_romm = np.array([[1.3457989, -0.2555801, -0.0511063], [-0.5446225, 1.5082327, 0.0205361], [0.0, 0.0, 1.2119675]])
    light = linear() @ (to_romm @ to_d50 @ np.linalg.inv(XYZ_TO["sRGB"])).T
    coded = np.rint(romm(light) * 255).astype(np.uint8)
    pixels = large(np.broadcast_to(coded.repeat(8, 0), (8, 32, 3)))
    path = write_dng_with_preview(tmp_path / "a.dng", MOSAIC, jpeg_of(pixels, **EXACT), SIZE, color_space=4)
    np.testing.assert_allclose(shown(path), WANTED, atol=5)


def test_what_the_jpeg_says_counts_more_than_the_file(tmp_path: Path) -> None:
    jpeg = jpeg_of(large(SRGB), exif=exif(space=1), **EXACT)
    path = write_dng_with_preview(tmp_path / "a.dng", MOSAIC, jpeg, SIZE, color_space=3)
    np.testing.assert_allclose(shown(path), WANTED, atol=3)
    table = [round(65535 * (value / 1023) ** (563 / 256)) for value in range(1024)]
    from tests.data.color_cases import XYZ_TO

    profile = rgb_profile(table, "nothing", np.linalg.inv(XYZ_TO["Adobe RGB"]))
    jpeg = jpeg_of(large(ADOBE), icc_profile=profile, **EXACT)
    path = write_dng_with_preview(tmp_path / "b.dng", MOSAIC, jpeg, SIZE, color_space=2)
    np.testing.assert_allclose(shown(path), WANTED, atol=4)


@pytest.mark.parametrize(("orientation", "flip"), [(1, 0), (2, 1), (3, 3), (4, 2), (5, 4), (6, 6), (7, 7), (8, 5)])
def test_the_turn_that_the_jpeg_says_is_libraws(tmp_path: Path, orientation: int, flip: int) -> None:
    """Turned by our rule it looks as Pillow turns it by EXIF's."""
    from PIL import ImageOps

    from nas_isp.raw.orientation import upright

    pixels = np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    jpeg = jpeg_of(pixels, exif=exif(orientation=orientation), **EXACT)
    path = write_dng_with_preview(tmp_path / "a.dng", MOSAIC, jpeg, SIZE)
    found = read_preview(path)
    assert found is not None
    assert found.flip == flip
    (tmp_path / "a.jpg").write_bytes(jpeg)
    with Image.open(tmp_path / "a.jpg") as image:
        turned = np.asarray(ImageOps.exif_transpose(image))
    assert (upright(found.pixels, found.flip) == turned).all()


def test_the_largest_is_taken_and_small_ones_are_none(tmp_path: Path) -> None:
    side = LEAST_SIDE - 8
    small = jpeg_of(np.zeros((side, side, 3), np.uint8))
    path = write_dng_with_preview(tmp_path / "a.dng", MOSAIC, small, (side, side))
    assert stored_previews(path)
    assert read_preview(path) is None


def test_a_damaged_preview_is_none(tmp_path: Path) -> None:
    jpeg = jpeg_of(large(SRGB))
    for damaged in (jpeg[:200], jpeg[:2] + bytes(500), b"\xff\xd8"):
        path = write_dng_with_preview(tmp_path / "a.dng", MOSAIC, damaged, SIZE)
        found = read_preview(path)
        assert found is None or found.pixels.shape == (SIZE[1], SIZE[0], 3)


def test_files_without_a_preview_have_none(tmp_path: Path) -> None:
    assert read_preview(write_dng(tmp_path / "a.dng", MOSAIC)) is None
    (tmp_path / "b.dng").write_bytes(b"nothing of the kind")
    assert read_preview(tmp_path / "b.dng") is None
    np.save(tmp_path / "c.npy", MOSAIC)
    assert read_preview(tmp_path / "c.npy") is None


def test_canon_files_hold_one(shared_data: Path) -> None:
    files = sorted((shared_data / "raw_camera/canon_s40").glob("*.CRW"))
    if not files:
        pytest.skip("no Canon S40 captures in the shared data")
    for file in files:
        found = read_preview(file)
        assert found is not None
        assert found.pixels.shape == (480, 640, 3)
