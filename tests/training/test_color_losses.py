"""Distances of color distributions have the values that arithmetic gives them."""

import pytest
import torch

from nas_isp.training.color_losses import histogram_distance, moment_distance, sliced_wasserstein_distance


def test_moments_of_two_known_samples() -> None:
    first = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])  # mean 1, variance 1 in the first coordinate
    second = torch.tensor([[3.0, 1.0, 0.0], [3.0, 1.0, 0.0]])
    assert float(moment_distance(first, second)) == pytest.approx((2 + 1) + 1)


def test_histograms_share_a_color_between_neighboring_bins() -> None:
    # L of 0.5/31 lies half-way between the first two of 32 centers; both samples share the bin of a = b = 0.8.
    first, second = torch.tensor([[0.5 / 31, 0.8, 0.8]]), torch.tensor([[0.0, 0.8, 0.8]])
    assert float(histogram_distance(first, second)) == pytest.approx(1.0, abs=1e-5)
    assert float(histogram_distance(first, first)) == 0.0


def test_sliced_wasserstein_of_a_shift_is_the_mean_projected_shift() -> None:
    sample = torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    near, far = (float(sliced_wasserstein_distance(sample, sample + shift)) for shift in (0.1, 0.4))
    assert far == pytest.approx(4 * near, rel=1e-4)
    assert float(sliced_wasserstein_distance(sample, sample.flip(0))) == 0.0
