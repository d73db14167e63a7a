"""Loss terms have the values that arithmetic gives them."""

import pytest
import torch
from torch import Tensor

from nas_isp.recipe import TermWeights
from nas_isp.training.color_losses import (
    block_lab,
    histogram_distance,
    moment_distance,
    sliced_wasserstein_distance,
)
from nas_isp.training.losses import STATISTICS, generator_terms, judged, low_frequency_distance, total_variation

STATISTICS_ONLY = {"content": 0.0, "pixel": 0.0, "texture": 0.0, "color": 0.0, "total_variation": 0.0}


def _drawn(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_total_variation_of_a_ramp() -> None:
    ramp = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 3, 4, 4)
    assert float(total_variation(ramp)) == 1.0
    assert float(total_variation(torch.full((1, 3, 4, 4), 0.3))) == 0.0


def test_low_frequencies_ignore_texture_and_see_color() -> None:
    checker = (torch.arange(8)[:, None] + torch.arange(8)) % 2
    texture = (checker - 0.5).expand(1, 3, 8, 8)
    flat = torch.zeros(1, 3, 8, 8)
    assert float(low_frequency_distance(flat + texture, flat)) == 0.0
    assert float(low_frequency_distance(flat + 0.25, flat)) == 0.25


def test_a_term_of_no_weight_has_no_discriminator() -> None:
    assert judged(TermWeights(texture=0.0, color=0.3)) == {"color": 0.3}
    assert judged(TermWeights(texture=0.0, color=0.0)) == {}


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
    sample = _drawn(0, 50, 3)
    near, far = (float(sliced_wasserstein_distance(sample, sample + shift)) for shift in (0.1, 0.4))
    assert far == pytest.approx(4 * near, rel=1e-4)
    assert float(sliced_wasserstein_distance(sample, sample.flip(0))) == 0.0


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_see_a_tint_and_no_rearrangement_and_have_gradients(name: str) -> None:
    photos = _drawn(1, 2, 3, 16, 16) * 0.6 + 0.1
    tint = torch.tensor([0.1, 0.0, -0.05]).view(1, 3, 1, 1)
    output = (photos + tint).requires_grad_()
    distance = STATISTICS[name](block_lab(output), block_lab(photos))
    (gradient,) = torch.autograd.grad(distance, output)
    assert float(distance.detach()) > 0.005
    assert float((gradient * tint).sum()) > 0  # going further in the tint makes it worse
    assert float(STATISTICS[name](block_lab(photos.flip(3)), block_lab(photos))) == pytest.approx(0, abs=1e-5)


def test_only_terms_of_some_weight_are_computed() -> None:
    output, photos = _drawn(2, 1, 3, 16, 16), _drawn(3, 1, 3, 16, 16)
    weights = TermWeights(**STATISTICS_ONLY, moments=0.5)
    terms = generator_terms(output, photos, photos, {}, {}, None, torch.nn.ModuleDict(), weights)
    assert {name: weight for name, (_, weight) in terms.items()} == {"moments": 0.5}
