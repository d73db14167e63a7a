"""Loss terms and discriminators have the values that arithmetic gives them."""

import math

import pytest
import torch
from torch import nn

from nas_isp.adversarial.discriminators import (
    ColorDiscriminator,
    TextureDiscriminator,
    discriminator_loss,
    relativistic_loss,
)
from nas_isp.adversarial.terms import (
    build_discriminators,
    content_features,
    judged,
    low_frequency_distance,
    total_variation,
    view,
)
from nas_isp.perceptual.features import load_features
from nas_isp.recipe import TermWeights


class _Linear(nn.Module):
    """Verdict = slope x sum of the map, whose gradient is the slope everywhere."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return self.slope * maps.sum((1, 2, 3))


def test_relativistic_loss_is_ln2_for_equals_and_falls_for_a_winner() -> None:
    zero = torch.zeros(3)
    assert float(relativistic_loss(zero, zero)) == pytest.approx(math.log(2))
    assert float(relativistic_loss(zero + 2, zero)) == pytest.approx(math.log1p(math.exp(-2)))


def test_the_penalty_is_half_the_squared_gradients_of_both_sides() -> None:
    maps = torch.ones(2, 3, 4, 5)
    without = discriminator_loss(_Linear(0.1), maps, maps, penalty=0.0)
    with_penalty = discriminator_loss(_Linear(0.1), maps, maps, penalty=6.0)
    squared_norm = 3 * 4 * 5 * 0.1**2
    assert (with_penalty - without).item() == pytest.approx(6.0 / 2 * 2 * squared_norm, rel=1e-5)


def test_the_penalty_reaches_the_discriminator_but_not_the_maps_source() -> None:
    source = torch.ones(1, 1, 2, 2, requires_grad=True)
    judge = _Linear(0.5)
    discriminator_loss(judge, source * 2, source * 3, penalty=1.0).backward()
    assert source.grad is None
    assert judge.slope.grad is not None
    assert float(judge.slope.grad) != 0


@pytest.mark.parametrize("judge", [TextureDiscriminator(5), ColorDiscriminator(5)])
def test_discriminators_give_one_verdict_an_image(judge: nn.Module) -> None:
    assert judge(torch.rand(3, 5, 16, 16)).shape == (3,)


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


def test_views_hold_what_each_discriminator_expects_and_the_content_features() -> None:
    features = load_features("lite")
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    seen = view(pictures, features)
    judges = build_discriminators(features)
    assert seen.inputs.keys() == set(judges)
    assert all(judges[name](maps).shape == (2,) for name, maps in seen.inputs.items())
    torch.testing.assert_close(seen.content, content_features(pictures, features))


def test_content_is_blind_to_color_and_the_color_view_is_not() -> None:
    features = load_features("lite")
    grey = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)).expand(1, 3, 64, 64) * 0.5 + 0.2
    tinted = grey + torch.tensor([0.1, -0.299 / 0.587 * 0.1, 0.0]).view(1, 3, 1, 1)  # the same luma
    first, second = view(grey, features), view(tinted, features)
    torch.testing.assert_close(first.content, second.content, rtol=1e-3, atol=1e-3)
    assert float((first.inputs["color"] - second.inputs["color"]).abs().mean()) > 0.05


def test_a_term_of_no_weight_has_no_discriminator() -> None:
    assert judged(TermWeights(texture=0.0, color=0.3)) == {"color": 0.3}
    assert judged(TermWeights(texture=0.0, color=0.0)) == {}
