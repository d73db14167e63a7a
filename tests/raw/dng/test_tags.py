"""Every tag of a DNG file arrives as it was written, and a damaged one is absent, alone."""

from pathlib import Path

import numpy as np
import pytest

from nas_isp.raw.dng.tags import JPEG_XL, read_dng_tags
from tests.dng_files import XYZ_TO_CAMERA, fractions, write_dng

MATRIX = (0.9, -0.2, 0.0, -0.5, 1.3, 0.2, -0.1, 0.2, 0.7)
MOSAIC = np.full((16, 24), 500, np.uint16)


def test_every_tag_arrives_as_it_was_written(tmp_path: Path) -> None:
    path = write_dng(
        tmp_path / "a.dng",
        MOSAIC,
        active_area=(1, 3, 15, 21),
        default_crop=(2, 1, 10, 8),
        orientation=6,
        extra_tags=[
            (50715, "2i", 18, fractions([0.5] * 9 + [-2] * 9), True),
            (50716, "2i", 14, fractions(range(14)), True),
            (50722, "2i", 9, fractions(MATRIX), True),
            (50723, "2i", 9, fractions((1.1, 0, 0, 0, 1, 0, 0, 0, 0.9)), True),
            (50727, "2I", 3, fractions((1.5, 1, 1.25)), True),
            (50729, "2I", 2, fractions((0.3457, 0.3585)), True),
            (50730, "2i", 1, (-7, 4), True),
            (50778, "H", 1, 17, True),
            (50779, "H", 1, 21, True),
            (50965, "2i", 9, fractions(MATRIX), True),
            (51009, 7, 4, b"\0\0\0\0", True),
            (51041, "d", 2, (2e-4, 3e-6), True),
        ],
    )
    tags = read_dng_tags(path)
    assert tags is not None
    assert tags.version == (1, 4, 0, 0)
    assert (tags.width, tags.height, tags.photometric, tags.compression) == (24, 16, 32803, 1)
    assert (tags.cfa_repeat, tags.cfa_pattern) == ((2, 2), (0, 1, 1, 2))
    assert (tags.unique_camera_model, tags.orientation) == ("Test camera", 6)
    assert (tags.active_area, tags.default_crop) == ((1, 3, 15, 21), (2, 1, 10, 8))
    assert tags.black_pattern is not None
    assert tags.black_pattern.tolist() == [[60, 61], [62, 63]]
    assert tags.black_delta_h is not None
    assert tags.black_delta_h.tolist() == [0.5] * 9 + [-2] * 9
    assert tags.black_delta_v is not None
    assert tags.black_delta_v.tolist() == list(range(14))
    assert tags.white_level == (1023,)
    assert tags.as_shot_neutral == (0.5, 1, 0.6)
    assert tags.as_shot_white_xy == (0.3457, 0.3585)
    assert tags.analog_balance == (1.5, 1, 1.25)
    assert tags.baseline_exposure == -1.75
    assert tags.noise_profile == ((2e-4, 3e-6),)
    first, second, _ = tags.color_matrices
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(first.ravel(), XYZ_TO_CAMERA)
    np.testing.assert_allclose(second.ravel(), MATRIX)
    assert tags.forward_matrices[0] is None
    assert tags.forward_matrices[1] is not None
    assert tags.camera_calibrations[0] is not None
    assert tags.illuminants == (17, 21, 0)
    assert tags.opcode_lists == (b"", b"\0\0\0\0", b"")
    assert tags.sub_images == ((24, 16, 32803, 0),)


def test_a_black_level_may_repeat_in_any_size_and_have_fractions(tmp_path: Path) -> None:
    levels = [64 + index / 4 for index in range(12)]
    tags = read_dng_tags(write_dng(tmp_path / "a.dng", MOSAIC, black_pattern=(3, 4, levels)))
    assert tags is not None
    assert tags.black_pattern is not None
    np.testing.assert_array_equal(tags.black_pattern, np.reshape(levels, (3, 4)))


@pytest.mark.parametrize(
    ("tag", "field"),
    [
        ((50729, "2I", 2, (1, 0, 1, 3), True), "as_shot_white_xy"),
        ((50729, "2I", 2, fractions((0.9, 0.9)), True), "as_shot_white_xy"),
        ((50727, "2I", 3, (1, 1, 0, 1, 1, 1), True), "analog_balance"),
        ((50727, "2I", 2, (1, 1, 1, 1), True), "analog_balance"),
        ((50730, "2i", 1, (1, 0), True), "baseline_exposure"),
        ((50730, "s", 0, "much", True), "baseline_exposure"),
        ((51041, "d", 2, (float("nan"), 0.0), True), "noise_profile"),
        ((51041, "d", 3, (1e-4, 1e-6, 1e-4), True), "noise_profile"),
        ((51041, "d", 2, (0.0, 0.0), True), "noise_profile"),
        ((50829, "I", 4, (8, 8, 2, 2), True), "active_area"),
        ((50829, "I", 4, (0, 0, 2**32 - 1, 9), True), "active_area"),
    ],
)
def test_a_damaged_tag_is_absent_and_no_other(tmp_path: Path, tag: tuple[object, ...], field: str) -> None:
    tags = read_dng_tags(write_dng(tmp_path / "a.dng", MOSAIC, extra_tags=[tag]))
    assert tags is not None
    assert getattr(tags, field) is None
    assert tags.white_level == (1023,)
    assert tags.as_shot_neutral == (0.5, 1, 0.6)


def test_a_singular_matrix_is_absent(tmp_path: Path) -> None:
    tags = read_dng_tags(write_dng(tmp_path / "a.dng", MOSAIC, extra_tags=[(50722, "2i", 9, fractions([1] * 9), True)]))
    assert tags is not None
    assert tags.color_matrices[1] is None


def test_what_is_no_dng_has_no_tags(tmp_path: Path) -> None:
    import tifffile

    (tmp_path / "a.dng").write_bytes(b"II*\0" + bytes(100))
    tifffile.imwrite(tmp_path / "b.dng", MOSAIC)
    assert read_dng_tags(tmp_path / "a.dng") is None
    assert read_dng_tags(tmp_path / "b.dng") is None


def test_the_largest_mosaic_is_the_picture_wherever_it_lies(tmp_path: Path) -> None:
    """As cameras do: a preview first, the RAW below it in a SubIFD, levels there and colors in the first directory."""
    import tifffile

    path = tmp_path / "a.dng"
    colors = [(50706, "B", 4, (1, 4, 0, 0), True), (50728, "2I", 3, fractions((0.5, 1, 0.6)), True)]
    levels = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (2, 1, 1, 0), True), (50717, "H", 1, 4000, True)]
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.zeros((40, 60, 3), np.uint8), photometric="rgb", subifds=1, subfiletype=1, extratags=colors)
        writer.write(MOSAIC, photometric=32803, subfiletype=0, extratags=levels)
    tags = read_dng_tags(path)
    assert tags is not None
    assert (tags.width, tags.height, tags.cfa_pattern) == (24, 16, (2, 1, 1, 0))
    assert tags.white_level == (4000,)
    assert tags.as_shot_neutral == (0.5, 1, 0.6)
    assert tags.sub_images == ((60, 40, 2, 1), (24, 16, 32803, 0))


def test_files_of_other_readers_are_read(shared_data: Path) -> None:
    """Values as tifffile prints them from the command line."""
    tags = read_dng_tags(shared_data / "raw_camera/blackmagic/Blackmagic.dng")
    assert tags is not None
    assert tags.unique_camera_model == "Blackmagic Pocket Cinema Camera 4K"
    assert tags.has_linearization_table
    assert tags.baseline_exposure == 2.65412
    assert tags.illuminants == (17, 21, 0)
    compressed = read_dng_tags(shared_data / "cases/18_dng_jpegxl/jxl.dng")
    assert compressed is not None
    assert compressed.compression == JPEG_XL


def test_colors_may_stand_beside_the_mosaic_alone(tmp_path: Path) -> None:
    import tifffile

    path = tmp_path / "a.dng"
    levels = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (2, 1, 1, 0), True)]
    colors = [(50728, "2I", 3, fractions((0.5, 1, 0.6)), True), (50721, "2i", 9, fractions(MATRIX), True)]
    with tifffile.TiffWriter(path) as writer:
        version = [(50706, "B", 4, (1, 4, 0, 0), True)]
        writer.write(np.zeros((40, 60, 3), np.uint8), photometric="rgb", subifds=1, subfiletype=1, extratags=version)
        writer.write(MOSAIC, photometric=32803, subfiletype=0, extratags=[*levels, *colors])
    tags = read_dng_tags(path)
    assert tags is not None
    assert tags.as_shot_neutral == (0.5, 1, 0.6)
    assert tags.color_matrices[0] is not None
