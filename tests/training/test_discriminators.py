"""Discriminators and their losses have the values that arithmetic gives them; the published ones its defect."""

import copy
import math

import pytest
import torch
from torch import nn

from nas_isp.recipe import TextureSettings, TrainSettings
from nas_isp.training.discriminator_state import DiscriminatorState
from nas_isp.training.discriminators import (
    ColorDiscriminator,
    DenseTextureDiscriminator,
    LocalTextureDiscriminator,
    discriminator_loss,
    relativistic_loss,
)

SHAPES = {"texture_fine": (5, 16, 16)}


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


@pytest.mark.parametrize(
    "judge", [LocalTextureDiscriminator(5), DenseTextureDiscriminator((5, 15, 16)), ColorDiscriminator(5)]
)
def test_discriminators_give_one_verdict_an_image(judge: nn.Module) -> None:
    assert judge(torch.rand(3, 5, 15, 16)).shape == (3,)


def test_the_dense_discriminator_has_the_published_size() -> None:
    # AlexNet's first layer of a 256-pixel patch is 64 x 63 x 63; what reaches the 1024 units is 128 x 8 x 8.
    weights = 48 * (64 * 25 + 1) + 128 * (48 * 9 + 1) + 192 * (128 * 9 + 1) + 192 * (192 * 9 + 1) + 128 * (192 * 9 + 1)
    weights += 1024 * (128 * 8 * 8 + 1) + 1024 + 1
    assert sum(p.numel() for p in DenseTextureDiscriminator((64, 63, 63)).parameters()) == weights


def _judges(trained: bool) -> DiscriminatorState:
    torch.manual_seed(0)
    texture = TextureSettings(discriminator="dense", dense_layer_trained=trained)
    return DiscriminatorState(TrainSettings(texture=texture), SHAPES, torch.device("cpu"))


def _step(judges: DiscriminatorState) -> None:
    real, fake = (torch.rand(2, 5, 16, 16, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    judges.step({"texture_fine": real}, {"texture_fine": fake})


@pytest.mark.parametrize("trained", [True, False])
def test_the_dense_layer_is_trained_unless_the_published_defect_is_wanted(trained: bool) -> None:
    judges = _judges(trained)
    before = {name: value.clone() for name, value in judges.discriminators.named_parameters()}
    _step(judges)
    moved = {name for name, value in judges.discriminators.named_parameters() if not torch.equal(value, before[name])}
    assert ("texture_fine.dense.weight" in moved) == trained
    assert "texture_fine.verdict.weight" in moved


def test_the_gradient_of_the_untrained_layer_is_never_set_to_zero_and_survives_a_checkpoint() -> None:
    judges = _judges(trained=False)
    _step(judges)
    state = copy.deepcopy(judges.state_dict())
    other = _judges(trained=False)
    other.load_state_dict(copy.deepcopy(state))
    _step(judges)
    _step(other)
    for name, value in judges.discriminators.state_dict().items():
        torch.testing.assert_close(other.discriminators.state_dict()[name], value)
    fresh = _judges(trained=False)
    fresh.load_state_dict({**state, "lasting_gradients": {}})
    _step(fresh)
    dense, without = (j.discriminators["texture_fine"].dense.weight.grad for j in (judges, fresh))
    assert not torch.allclose(dense, without)


def test_the_gradient_of_each_discriminator_is_clipped_to_length_one_by_itself() -> None:
    """With a slope of 0 the loss's gradient is half of what the real map has less: 5 and 0.25."""
    judges = DiscriminatorState(TrainSettings(penalty=0), SHAPES, torch.device("cpu"))
    judges.discriminators = nn.ModuleDict({"far": _Linear(0.0), "near": _Linear(0.0)}).requires_grad_(False)
    judges.optimizer = torch.optim.SGD(judges.discriminators.parameters(), lr=1.0)
    nothing = torch.zeros(1, 1, 1, 1)
    judges.step({"far": nothing + 10, "near": nothing + 0.5}, {"far": nothing, "near": nothing})
    assert judges.discriminators["far"].slope.item() == pytest.approx(1.0, abs=1e-5)
    assert judges.discriminators["near"].slope.item() == pytest.approx(0.25, abs=1e-6)


def test_between_steps_no_weight_asks_for_a_gradient() -> None:
    judges = _judges(trained=True)
    _step(judges)
    assert not any(parameter.requires_grad for parameter in judges.discriminators.parameters())
