"""Opcodes of DNG files: a flat scene behind a lens is flat again, bad pixels are filled, the rest is named."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nas_isp.raw.dng.opcodes import read_bad_areas, read_gain_map, read_opcodes, read_radial_gain
from nas_isp.raw.image import RawImage
from nas_isp.raw.lens_shading import shading_gains
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.readers import read_raw
from tests.dng_files import gain_map, opcode_list, write_dng

HEIGHT, WIDTH = 48, 64
BLACK = (64, 64, 64, 64)
LIST1, LIST2, LIST3 = 51008, 51009, 51022
WARP = (1, struct.pack(">I6d2d", 1, 1, 0, 0, 0, 0, 0, 0.5, 0.5))
VIGNETTE = (3, struct.pack(">7d", 0.5, 0.25, 0, 0, 0, 0.5, 0.5))


def tag(code: int, *opcodes: tuple[int, bytes]) -> tuple[object, ...]:
    content = opcode_list(*opcodes)
    return (code, 7, len(content), content, True)  # undefined, as the specification wants it; some write bytes


def falloff(points: tuple[int, int]) -> NDArray[np.float32]:
    """Gains that rise to the corners, another one a color filter would have."""
    down, across = (np.linspace(-1, 1, count) for count in points)
    return (1 + down[:, None] ** 2 + 0.5 * across**2).astype(np.float32)


def bilinear(gains: NDArray[np.float32], row: int, column: int, size: tuple[int, int]) -> float:
    """The specification's interpolation at one pixel, written out."""
    places = []
    for at, length, points in zip((row, column), size, gains.shape, strict=True):
        place = min(max((at + 0.5) / length * (points - 1), 0), points - 1)
        below = min(int(place), points - 2)
        places.append((below, place - below))
    (y, down), (x, across) = places
    top = gains[y, x] * (1 - across) + gains[y, x + 1] * across
    bottom = gains[y + 1, x] * (1 - across) + gains[y + 1, x + 1] * across
    return float(top * (1 - down) + bottom * down)


def test_gains_are_bilinear_between_the_points() -> None:
    gains = falloff((5, 7))
    read = read_opcodes(opcode_list(gain_map(gains, (0, 0, HEIGHT, WIDTH))))
    assert read is not None
    one = read_gain_map(read[0])
    assert one is not None
    found = shading_gains([one], (HEIGHT, WIDTH), (0, HEIGHT), (0, WIDTH))
    for row, column in ((0, 0), (0, 63), (47, 0), (13, 21), (30, 63), (47, 63)):
        assert found[row, column] == pytest.approx(bilinear(gains, row, column, (HEIGHT, WIDTH)), rel=1e-5)
    part = shading_gains([one], (HEIGHT, WIDTH), (5, 11), (3, 60))
    np.testing.assert_array_equal(part, found[5:11, 3:60])


@pytest.mark.parametrize("area", [None, (1, 3, 47, 63), (2, 4, 46, 60)])
def test_a_flat_scene_behind_a_lens_is_flat_with_a_map_for_each_site(
    tmp_path: Path, area: tuple[int, int, int, int] | None
) -> None:
    """As phones write it: four maps, each for every second row and column of the active area."""
    top, left, bottom, right = area or (0, 0, HEIGHT, WIDTH)
    size = (bottom - top, right - left)
    stored = np.full((HEIGHT, WIDTH), 64.0)
    maps = []
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        gains = falloff((5, 7)) * np.float32(1 + 0.1 * row + 0.2 * column)
        maps.append(gain_map(gains, (row, column, *size), (2, 2)))
        for y in range(row, size[0], 2):
            for x in range(column, size[1], 2):
                stored[top + y, left + x] += 6000 / bilinear(gains, y, x, size)
    path = write_dng(
        tmp_path / "a.dng",
        np.rint(stored).astype(np.uint16),
        black=BLACK,
        white=16383,
        active_area=area,
        extra_tags=[tag(LIST2, *maps)],
    )
    raw = read_raw(path)
    np.testing.assert_allclose(raw.mosaic - 64, 6000, atol=2.5)
    np.testing.assert_allclose(pack(align_to_rggb(raw)), 6000 / (16383 - 64), rtol=1e-3)
    assert raw.applied == ("lens shading corrected by the file's gain map",)
    assert raw.left == ()
    plain = read_raw(path, shading=False)
    assert plain.mosaic.dtype == np.uint16
    assert plain.mosaic.min() < 64 + 4000
    assert plain.applied == ()
    assert plain.left == ("the file's lens shading gain map is not applied",)


def test_a_map_of_a_part_leaves_the_rest_alone(tmp_path: Path) -> None:
    path = _flat(tmp_path, 500, tag(LIST2, gain_map(np.full((1, 1), 2, np.float32), (8, 16, 24, 32))))
    above = read_raw(path).mosaic - 64
    assert (above[8:24, 16:32] == 2 * (500 - 64)).all()
    assert above.sum() == (500 - 64) * (HEIGHT * WIDTH + 16 * 16)


def test_what_has_saturated_stays_white_and_nothing_goes_beyond(tmp_path: Path) -> None:
    gains = falloff((5, 7))
    scene = np.random.default_rng(0).integers(600, 1000, (HEIGHT, WIDTH), dtype=np.uint16)
    shading = tag(LIST2, gain_map(gains, (0, 0, HEIGHT, WIDTH)))
    packed = pack(read_raw(write_dng(tmp_path / "a.dng", scene, black=BLACK, extra_tags=[shading])))
    assert packed.max() == 1
    assert packed.min() < 0.6
    np.testing.assert_array_equal(
        pack(read_raw(_flat(tmp_path, 1023, tag(LIST2, gain_map(gains / 4, (0, 0, HEIGHT, WIDTH)))))), 1
    )


@pytest.mark.parametrize("code", [LIST2, LIST3])
def test_vignetting_by_a_polynomial_is_undone(tmp_path: Path, code: int) -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    square = ((y - HEIGHT / 2) ** 2 + (x - WIDTH / 2) ** 2) / ((HEIGHT / 2) ** 2 + (WIDTH / 2) ** 2)
    stored = np.rint(64 + 6000 / (1 + 0.5 * square + 0.25 * square**2)).astype(np.uint16)
    path = write_dng(tmp_path / "a.dng", stored, black=BLACK, white=16383, extra_tags=[tag(code, VIGNETTE)])
    np.testing.assert_allclose(read_raw(path).mosaic - 64, 6000, atol=1)


def test_listed_bad_pixels_are_filled_from_their_color(tmp_path: Path) -> None:
    mosaic = _colors()
    mosaic[9, 11] = mosaic[20, 30] = 1023
    mosaic[30:34, 40:42] = 0
    points = struct.pack(">3I", 0, 2, 1) + struct.pack(">4I", 9, 11, 20, 30) + struct.pack(">4I", 30, 40, 34, 42)
    raw = read_raw(write_dng(tmp_path / "a.dng", mosaic, extra_tags=[tag(LIST1, (5, points))]))
    np.testing.assert_array_equal(raw.mosaic, _colors())
    assert raw.applied == ("10 bad pixels of the file's list filled from their neighbors",)


def test_pixels_of_the_bad_value_are_filled(tmp_path: Path) -> None:
    mosaic = _colors()
    mosaic[5, 5] = mosaic[17, 40] = 0
    raw = read_raw(write_dng(tmp_path / "a.dng", mosaic, extra_tags=[tag(LIST1, (4, struct.pack(">2I", 0, 0)))]))
    np.testing.assert_array_equal(raw.mosaic, _colors())


def test_what_is_not_done_is_named(tmp_path: Path) -> None:
    raw = read_raw(_flat(tmp_path, 500, tag(LIST3, WARP, (13, b""), (99, b"x"))))
    assert raw.left == tuple(
        f"{name} of the file's OpcodeList3 is not applied"
        for name in ("WarpRectilinear", "ScalePerColumn", "opcode 99")
    )
    assert (raw.mosaic == 500).all()


MAP = gain_map(falloff((5, 7)), (0, 0, HEIGHT, WIDTH))[1]


@pytest.mark.parametrize(
    "parameters",
    [
        b"",
        MAP[:-1],
        MAP + b"\0\0\0\0",
        MAP[:32] + struct.pack(">2I", 2**31, 2**31) + MAP[40:],
        MAP[:24] + struct.pack(">2I", 0, 1) + MAP[32:],
        MAP[:40] + struct.pack(">d", float("nan")) + MAP[48:],
        MAP[:40] + struct.pack(">d", 0.0) + MAP[48:],
        MAP[:76] + struct.pack(">f", float("inf")) + MAP[80:],
        MAP[:76] + struct.pack(">f", -1.0) + MAP[80:],
        struct.pack(">I", 50) + MAP[4:8] + struct.pack(">I", 10) + MAP[12:],
    ],
)
def test_a_damaged_map_is_left_out_and_said(tmp_path: Path, parameters: bytes) -> None:
    raw = read_raw(_flat(tmp_path, 500, tag(LIST2, (9, parameters))))
    assert raw.left == ("GainMap of the file's OpcodeList2 is damaged and not applied",)
    assert (raw.mosaic == 500).all()


def test_damaged_lists_are_refused() -> None:
    whole = opcode_list(WARP)
    for content in (b"\0", whole[:-1], struct.pack(">I", 2**32 - 1), struct.pack(">5I", 1, 9, 0, 0, 2**32 - 1)):
        assert read_opcodes(content) is None
    assert read_opcodes(b"") == []
    opcodes = read_opcodes(opcode_list((5, struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1)), (3, b"")))
    assert opcodes is not None
    assert read_bad_areas(opcodes[0]) is None
    assert read_radial_gain(opcodes[1]) is None


def test_the_case_of_the_shared_data(shared_data: Path) -> None:
    """Its map was made for the middles of the outermost pixels; the DNG SDK has their outer edges at 0 and 1.

    So the SDK's rule gives 392.6 to 403.8 here, and the other one 399.0 to 404.5.
    """
    raw: RawImage = read_raw(shared_data / "cases/20_gain_map/gainmap.dng")
    np.testing.assert_allclose(raw.mosaic - 64, 400, rtol=0.02)
    assert raw.applied


def _colors() -> NDArray[np.uint16]:
    return np.tile(np.array(((100, 200), (300, 400)), np.uint16), (HEIGHT // 2, WIDTH // 2))


def _flat(folder: Path, value: int, *tags: tuple[object, ...]) -> Path:
    mosaic = np.full((HEIGHT, WIDTH), value, np.uint16)
    return write_dng(folder / "a.dng", mosaic, black=BLACK, extra_tags=tags)
