"""What is blown is white, what is not is left alone, and the level where a sensor stops is found."""

import numpy as np
import pytest
import torch

from nas_isp.raw.classical import render
from nas_isp.raw.highlights import BLOWN_FROM, blown_share, whitened
from nas_isp.raw.saturation import observed_saturation

GAINS = (2.0, 1.0, 1.5)


def cell(*samples: float) -> np.ndarray:
    return np.float32(samples)[:, None, None]


def test_a_cell_is_blown_where_the_classical_rendering_is_white() -> None:
    cells = np.random.default_rng(0).uniform(0.3, 1.6, (4, 40, 40)).astype(np.float32).clip(max=1)
    flat = cells.reshape(4, -1).T[:, :, None, None]
    white = (
        render(torch.from_numpy(np.tile(flat, (1, 1, 3, 3))), torch.tensor(GAINS))[:, :, 2:4, 2:4].amin((1, 2, 3))
        > 0.9999
    )
    share = blown_share(cells, 1.0, GAINS).ravel()
    assert white.any()
    assert (share[white.numpy()] == 1).all()
    assert (share[~white.numpy()] < 1).mean() > 0.95  # the others that reach 1 are within a hundredth of white


@pytest.mark.parametrize("samples", [(0.93, 0.93, 0.93, 0.93), (1.0, 0.9, 0.9, 1.0), (0.3, 1.0, 1.0, 0.9)])
def test_an_unsaturated_sample_and_a_color_that_still_shows_are_left_alone(samples: tuple[float, ...]) -> None:
    assert blown_share(cell(*samples), 1.0, GAINS).item() == 0


def test_saturation_below_white_counts() -> None:
    assert blown_share(cell(0.936, 0.936, 0.936, 0.936), 0.936, GAINS).item() == 1
    assert blown_share(cell(0.936, 0.936, 0.936, 0.936), 1.0, GAINS).item() == 0


def test_white_is_reached_without_a_step() -> None:
    levels = np.linspace(BLOWN_FROM - 0.01, 1, 200, dtype=np.float32)
    share = blown_share(np.stack([levels / 1] * 4)[:, :, None], 1.0, (1.0, 1.0, 1.0)).ravel()
    assert share[0] == 0
    assert share[-1] == 1
    assert np.abs(np.diff(share)).max() < 0.02


def test_whitening_by_nothing_changes_no_digit() -> None:
    rgb = np.random.default_rng(0).random((3, 4, 4), np.float32)
    assert np.array_equal(whitened(rgb, np.zeros((4, 4), np.float32)), rgb)
    assert (whitened(rgb, np.ones((4, 4), np.float32)) == 1).all()


def noisy(mean: float, stop: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    scene = np.linspace(100, mean, 200)[:, None] * np.ones(200)
    return np.clip(rng.normal(scene, 15), 0, stop).round().astype(np.uint16)


def test_a_sensor_that_stops_early_shows_it() -> None:
    assert observed_saturation(noisy(1100, 959), 0, 1023) == 959


def test_a_sensor_that_stops_at_white_is_taken_at_its_word() -> None:
    assert observed_saturation(noisy(1200, 1023), 0, 1023) == 1023


@pytest.mark.parametrize("mean", [300, 850, 930])
def test_a_bright_picture_without_saturation_has_none(mean: float) -> None:
    assert observed_saturation(noisy(mean, 1023), 0, 1023) == 1023


def test_a_few_hot_pixels_show_nothing() -> None:
    mosaic = noisy(300, 1023)
    mosaic[0, :20] = 950
    assert observed_saturation(mosaic, 0, 1023) == 1023


def test_values_above_the_described_white_saturate_at_white() -> None:
    assert observed_saturation(noisy(1500, 1100), 0, 1023) == 1023


def test_a_dark_picture_of_a_sensor_with_a_high_black_level_does_not_saturate() -> None:
    dark = np.random.default_rng(0).normal(900, 1, (64, 64)).round().astype(np.uint16)
    assert observed_saturation(dark, 900, 1023) == 1023
