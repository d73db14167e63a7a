"""Tiles cover a picture once and read enough around what they keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_isp.develop.tiles import Span, plan_tiles
from nas_isp.errors import InputError


def test_spans_of_a_worked_example() -> None:
    # 10 pixels, tiles of 6, halo 1: keep 0..5 of the first tile, the second ends with the picture.
    rows = {row for row, _ in plan_tiles(10, 4, 6, 6, halo=1)}
    assert rows == {Span(0, 6, 0, 5), Span(4, 6, 5, 10)}


def test_a_picture_smaller_than_the_tile_is_one_piece() -> None:
    assert plan_tiles(5, 7, 64, 64, halo=3) == [(Span(0, 5, 0, 5), Span(0, 7, 0, 7))]


@given(
    cells=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    spare=st.tuples(st.integers(0, 20), st.integers(0, 20)),
    halo=st.integers(0, 9),
    step=st.sampled_from([1, 2]),
)
def test_every_pixel_is_kept_once_with_its_halo_inside(
    cells: tuple[int, int], spare: tuple[int, int], halo: int, step: int
) -> None:
    height, width = (side * step for side in cells)
    tile_height, tile_width = (2 * halo + step + extra for extra in spare)
    kept = np.zeros((height, width), int)
    for row, column in plan_tiles(height, width, tile_height, tile_width, halo, step):
        kept[row.kept, column.kept] += 1
        for span, side in ((row, height), (column, width)):
            assert span.start % step == 0
            assert span.length % step == 0
            assert 0 <= span.start <= span.kept_start < span.kept_stop <= span.start + span.length <= side
            assert span.start == 0 or span.kept_start - span.start >= halo
            assert span.start + span.length == side or span.start + span.length - span.kept_stop >= halo
    assert (kept == 1).all()


@given(side=st.integers(20, 200), tile=st.integers(9, 19))
def test_all_tiles_have_the_asked_size(side: int, tile: int) -> None:
    assert {row.length for row, _ in plan_tiles(side, 20, tile, 20, halo=4)} == {tile}


def test_a_tile_within_its_halo_is_refused_with_the_smallest_that_works() -> None:
    with pytest.raises(InputError, match="at least 18"):
        plan_tiles(100, 100, 8, 8, halo=4)
    plan_tiles(100, 100, 9, 9, halo=4)
