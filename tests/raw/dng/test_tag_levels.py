"""Black, white and tables of DNG files: a flat field above whatever black is flat."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from nas_isp.raw.image import RawImage
from nas_isp.raw.levels import from_sensor_values
from nas_isp.raw.packing import align_to_rggb, canonical_black, pack, pack_values, storable
from nas_isp.raw.readers import read_raw
from tests.dng_files import fractions, write_dng

HEIGHT, WIDTH = 32, 48


def above_black(raw: RawImage) -> NDArray[np.float64]:
    black = np.tile(np.reshape(raw.black, (2, 2)), (raw.mosaic.shape[0] // 2, raw.mosaic.shape[1] // 2))
    return raw.mosaic.astype(np.float64) - black


def repeated(rows: int, columns: int, levels: list[float], corner: tuple[int, int] = (0, 0)) -> NDArray[np.float64]:
    """A pattern that begins at a corner."""
    plane = np.empty((HEIGHT, WIDTH))
    for row in range(HEIGHT):
        for column in range(WIDTH):
            plane[row, column] = levels[(row - corner[0]) % rows * columns + (column - corner[1]) % columns]
    return plane


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (1, 4), (8, 2), (3, 5), (6, 6)])
@pytest.mark.parametrize("area", [None, (1, 3, 31, 47), (2, 2, 30, 46)])
def test_a_flat_field_above_a_pattern_of_any_size_is_flat(
    tmp_path: Path, rows: int, columns: int, area: tuple[int, int, int, int] | None
) -> None:
    levels = [60.0 + 2 * index for index in range(rows * columns)]
    plane = repeated(rows, columns, levels, (area or (0, 0))[:2])
    path = write_dng(
        tmp_path / "a.dng",
        (plane + 200).astype(np.uint16),
        black_pattern=(rows, columns, levels),
        active_area=area,
    )
    raw = read_raw(path)
    assert (above_black(raw) == 200).all()
    np.testing.assert_allclose(pack(align_to_rggb(raw)), 200 / (1023 - max(levels)), rtol=1e-6)


def test_fractions_of_a_pattern_are_kept(tmp_path: Path) -> None:
    levels = [60.25, 61.5, 62.75, 64.0]
    raw = read_raw(
        write_dng(tmp_path / "a.dng", np.full((HEIGHT, WIDTH), 300, np.uint16), black_pattern=(2, 2, levels))
    )
    assert raw.black == tuple(levels)
    assert raw.mosaic.dtype == np.uint16


def test_a_pattern_that_four_numbers_say_leaves_the_sensors_values(tmp_path: Path) -> None:
    levels = [60.0, 61.0, 60.0, 61.0, 62.0, 63.0, 62.0, 63.0]
    raw = read_raw(
        write_dng(tmp_path / "a.dng", np.full((HEIGHT, WIDTH), 300, np.uint16), black_pattern=(2, 4, levels))
    )
    assert raw.black == (60, 61, 62, 63)
    assert raw.mosaic.dtype == np.uint16


@pytest.mark.parametrize("corner", [(0, 0), (1, 3), (2, 1)])
def test_rows_and_columns_add_to_black_from_the_corner_of_the_active_area(
    tmp_path: Path, corner: tuple[int, int]
) -> None:
    rng = np.random.default_rng(0)
    of_rows = np.round(rng.uniform(-8, 8, HEIGHT - corner[0]), 2)
    of_columns = np.round(rng.uniform(-8, 8, WIDTH - corner[1]), 2)
    plane = np.full((HEIGHT, WIDTH), 100.0)
    plane[corner[0] :, corner[1] :] += of_rows[:, None] + of_columns
    stored = np.rint(plane + 300)
    path = write_dng(
        tmp_path / "a.dng",
        stored.astype(np.uint16),
        black_pattern=(1, 1, [100.0]),
        active_area=(*corner, HEIGHT, WIDTH),
        extra_tags=[
            (50715, "2i", len(of_columns), fractions(of_columns, 100), True),
            (50716, "2i", len(of_rows), fractions(of_rows, 100), True),
        ],
    )
    raw = read_raw(path)
    height, width = raw.mosaic.shape
    top, left = (side + side % 2 for side in corner)  # LibRaw begins at an even row and column
    wanted = (stored - plane)[top : top + height, left : left + width]
    np.testing.assert_allclose(above_black(raw), wanted, atol=2e-4)


def test_what_has_saturated_above_a_low_black_is_white_as_well(tmp_path: Path) -> None:
    of_columns = np.tile((0.0, 100.0), WIDTH // 2)
    path = write_dng(
        tmp_path / "a.dng",
        np.full((HEIGHT, WIDTH), 1023, np.uint16),
        extra_tags=[(50715, "2i", WIDTH, fractions(of_columns, 1), True)],
    )
    np.testing.assert_allclose(pack(read_raw(path)), 1)


def test_a_table_is_looked_up_once(tmp_path: Path) -> None:
    """Levels count after it."""
    table = (np.arange(1024) ** 2 // 256).astype(np.uint16)
    path = write_dng(
        tmp_path / "a.dng",
        np.full((HEIGHT, WIDTH), 800, np.uint16),
        black=(16, 16, 16, 16),
        white=int(table[-1]),
        extra_tags=[(50712, "H", len(table), table, True)],
    )
    raw = read_raw(path)
    assert (raw.mosaic == table[800]).all()
    assert (raw.black, raw.white) == ((16, 16, 16, 16), table[-1])


def test_a_white_level_for_each_site_brings_all_to_white(tmp_path: Path) -> None:
    whites = np.array(((1000, 900), (950, 1023)))
    stored = np.tile(whites, (HEIGHT // 2, WIDTH // 2)).astype(np.uint16)
    stored[: HEIGHT // 2] = 60 + (stored[: HEIGHT // 2] - 60) // 2
    path = write_dng(tmp_path / "a.dng", stored, black=(60, 60, 60, 60), white=tuple(whites.ravel().tolist()))
    packed = pack(read_raw(path))
    np.testing.assert_allclose(packed[:, HEIGHT // 4 :], 1)
    np.testing.assert_allclose(packed[:, : HEIGHT // 4], 0.5, atol=1e-3)


def test_deltas_of_another_length_than_the_active_area_are_left_out(tmp_path: Path) -> None:
    path = write_dng(
        tmp_path / "a.dng",
        np.full((HEIGHT, WIDTH), 300, np.uint16),
        extra_tags=[(50715, "2i", 5, fractions(range(5), 1), True)],
    )
    raw = read_raw(path)
    assert raw.black == (60, 61, 62, 63)
    assert raw.left == (f"BlackLevelDeltaH of the file has 5 values for {WIDTH} and is not applied",)


@pytest.mark.parametrize("white", [255.0, 1023.0, 4095.0, 16383.0, 65535.0])
def test_flattened_values_are_stored_nearly_as_they_are(white: float) -> None:
    mosaic = np.random.default_rng(0).uniform(0, white, (8, 12)).astype(np.float32)
    raw = RawImage(mosaic=mosaic, cfa="GBRG", black=(10, 11, 12, 13), white=white)
    stored, factor = storable(raw)
    assert stored.mosaic.dtype == np.uint16
    assert factor * white <= 65535
    planes = pack_values(stored.mosaic, "GBRG")
    np.testing.assert_allclose(from_sensor_values(planes, canonical_black(stored), stored.white), pack(raw), atol=2e-5)


def test_the_cases_of_the_shared_data(shared_data: Path) -> None:
    for name in ("02_black_delta/deltah_alt.dng", "03_black_repeat_4x4/rep44.dng"):
        assert (above_black(read_raw(shared_data / "cases" / name)) == 200).all()
