"""A glance holds the means of equal blocks of a picture, whatever its size."""

import numpy as np
import pytest

from nas_isp.raw.glance import glance


def test_blocks_are_averaged_each_by_its_own_size() -> None:
    planes = np.arange(15, dtype=np.float32).reshape(1, 3, 5)
    seen = glance(planes, side=2)
    # Rows 0 and 1..2, columns 0..1 and 2..4.
    assert seen[0].tolist() == [[0.5, 3.0], [8.0, 10.5]]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 40), (24, 24), (25, 100)])
def test_every_size_gives_blocks_within_the_pictures_range(height: int, width: int) -> None:
    planes = np.random.default_rng(0).random((4, height, width)).astype(np.float32)
    seen = glance(planes)
    assert seen.shape == (4, 24, 24)
    assert planes.min() <= seen.min()
    assert seen.max() <= planes.max() + 1e-6


def test_the_mean_of_a_picture_that_divides_evenly_is_kept() -> None:
    planes = np.random.default_rng(1).random((3, 48, 72)).astype(np.float32)
    assert glance(planes).mean((1, 2)) == pytest.approx(planes.mean((1, 2)), rel=1e-5)
