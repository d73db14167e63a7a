"""Where patches are cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_isp.data.cutting import check_patch_size, choose, detail, grid_positions
from nas_isp.errors import InputError


def test_picture_of_exactly_one_patch_gives_one():
    assert grid_positions(64, 64, 64, wanted=100) == [(0, 0)]


def test_patches_do_not_overlap_when_there_are_enough_places():
    assert grid_positions(64, 128, 64, wanted=2) == [(0, 0), (0, 64)]


def test_patches_overlap_by_half_when_more_are_wanted():
    assert grid_positions(64, 128, 64, wanted=3) == [(0, 0), (0, 32), (0, 64)]


def test_picture_smaller_than_a_patch_gives_none():
    assert grid_positions(62, 200, 64, wanted=1) == []


@given(st.integers(16, 300), st.integers(16, 300), st.integers(8, 40), st.integers(1, 60))
def test_positions_are_even_distinct_inside_and_reach_the_far_edge(height, width, half, wanted):
    size = 2 * half
    places = grid_positions(height, width, size, wanted)
    assert bool(places) == (height >= size and width >= size)
    assert len(set(places)) == len(places)
    assert all(top % 2 == 0 and left % 2 == 0 for top, left in places)
    assert all(top + size <= height and left + size <= width for top, left in places)
    if len(places) > 1 and height >= 2 * size:
        assert max(top for top, _ in places) >= height - size - 1


def test_detail_of_steps_between_blocks_is_their_mean_height():
    plane = np.zeros((8, 8), np.float32)
    plane[:, 4:] = 0.5
    assert detail(plane) == pytest.approx(0.25)  # two of four neighbor pairs differ by 0.5


def test_detail_of_a_flat_noisy_plane_is_below_that_of_faint_texture():
    rng = np.random.default_rng(0)
    noisy = rng.normal(0.5, 0.01, (64, 64)).astype(np.float32)
    texture = np.kron(rng.normal(0.5, 0.01, (16, 16)), np.ones((4, 4))).astype(np.float32)
    assert detail(noisy) < 0.004 < detail(texture)


def test_lively_places_come_before_flat_ones():
    details = [0.0, 0.1, 0.0, 0.1]
    assert choose(details, 2, np.random.default_rng(0), drop_flat=False) == [1, 3]
    assert len(choose(details, 3, np.random.default_rng(0), drop_flat=False)) == 3


def test_flat_places_are_dropped_but_never_all():
    assert choose([0.0, 0.1, 0.0], 3, np.random.default_rng(0), drop_flat=True) == [1]
    assert choose([0.0, 0.002, 0.001], 3, np.random.default_rng(0), drop_flat=True) == [1]


@pytest.mark.parametrize("size", [0, 15, 14, 33, -2])
def test_impossible_patch_sizes_are_refused(size):
    with pytest.raises(InputError, match="even number"):
        check_patch_size(size)
