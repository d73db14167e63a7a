"""Batches are a function of seed and step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_isp.data.sampling import UnpairedSampler


@given(st.integers(1, 20), st.integers(1, 9), st.integers(0, 5))
def test_every_patch_comes_once_in_each_pass(count, batch, seed):
    sampler = UnpairedSampler(count, count, batch, seed)
    drawn = np.concatenate([sampler.indices(step)[0] for step in range(3 * count)])
    passes = drawn[: len(drawn) // count * count].reshape(-1, count)
    assert (np.sort(passes, axis=1) == np.arange(count)).all()


def test_any_step_can_be_asked_for_first():
    one, other = UnpairedSampler(50, 70, 8, seed=3), UnpairedSampler(50, 70, 8, seed=3)
    history = [one.indices(step) for step in range(40)]
    for step in (39, 0, 17):
        for expected, found in zip(history[step], other.indices(step), strict=True):
            np.testing.assert_array_equal(expected, found)
        np.testing.assert_array_equal(one.flips(step), other.flips(step))


def test_raw_and_photos_are_drawn_independently_and_seeds_differ():
    raw, photos = UnpairedSampler(64, 64, 64, seed=0).indices(0)
    assert (raw != photos).any()
    assert (raw != UnpairedSampler(64, 64, 64, seed=1).indices(0)[0]).any()


def test_about_half_of_the_photos_are_mirrored():
    sampler = UnpairedSampler(4, 4, 16, seed=0)
    share = np.mean([sampler.flips(step) for step in range(100)])
    assert 0.45 < share < 0.55


def test_empty_sets_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        UnpairedSampler(0, 4, 2, 0)
