"""Counted costs against hand arithmetic, published figures and a second counter."""

import pytest
import torch
from fvcore.nn import FlopCountAnalysis

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build, fuse
from nas_isp.generators.cost import count, receptive_field
from nas_isp.generators.published import PUBLISHED

FULL_HD_CELLS = 544 * 960


@pytest.mark.parametrize(
    ("name", "params", "gmacs"),
    [("efficient-isp", 3060, 1.58), ("robust-isp", 1616, 0.83), ("rmfa-tiny", 29223, 35.2)],
)
def test_published_networks_have_their_published_size(name: str, params: int, gmacs: float) -> None:
    cost = count(PUBLISHED[name])
    assert cost.params == params
    assert cost.gmacs == pytest.approx(gmacs, rel=0.01)


def test_separable_block_by_hand() -> None:
    architecture = PlainArchitecture(blocks=(Block(kind="dwsep5", channels=8),), tail_kernel=1)
    cost = count(architecture)
    # depthwise 5x5 on 4 channels, 1x1 4->8 with bias, 1x1 8->12 with bias
    assert cost.params == 4 * 25 + (4 * 8 + 8) + (8 * 12 + 12)
    assert cost.gmacs == pytest.approx(FULL_HD_CELLS * (4 * 25 + 4 * 8 + 8 * 12) / 1e9)


def test_half_resolution_trunk_by_hand() -> None:
    architecture = PlainArchitecture(scale=4, blocks=(Block(kind="conv3", channels=16),), tail_kernel=3)
    cost = count(architecture)
    assert cost.params == (4 * 9 * 16 + 16) + (16 * 9 * 48 + 48)
    assert cost.gmacs == pytest.approx(FULL_HD_CELLS / 4 * (4 * 9 * 16 + 16 * 9 * 48) / 1e9)


def test_reparameterized_block_costs_one_convolution() -> None:
    one, other = (PlainArchitecture(blocks=(Block(kind=kind, channels=8),)) for kind in ("rep3", "conv3"))
    assert count(one) == count(other)


@pytest.mark.parametrize("head", [False, True])
def test_a_second_counter_agrees(head: bool) -> None:
    architecture = PlainArchitecture(
        blocks=(Block(kind="conv3", channels=8), Block(kind="dwsep3", channels=8, residual=True)), color_head=head
    )
    net = fuse(build(architecture))
    other = FlopCountAnalysis(net, torch.zeros(1, 4, 16, 16))
    other.unsupported_ops_warnings(False)
    convolutions = other.by_operator()["conv"]
    assert count(architecture, 16, 16).gmacs * 1e9 == pytest.approx(convolutions)


def test_sizes_the_network_does_not_take_are_refused() -> None:
    with pytest.raises(InputError, match="even sides"):
        count(PlainArchitecture(scale=4, blocks=(Block(kind="conv3", channels=8),)), 9, 8)


@pytest.mark.parametrize(
    ("architecture", "radius"),
    [
        (PUBLISHED["efficient-isp"], 3),
        (PlainArchitecture(blocks=(Block(kind="conv1", channels=8), Block(kind="dwsep5", channels=8))), 3),
        (PlainArchitecture(scale=4, blocks=(Block(kind="conv3", channels=8),), tail_kernel=1), 2),
        (PlainArchitecture(scale=4, blocks=(Block(kind="conv3", channels=8), Block(kind="conv3", channels=8))), 6),
        (PlainArchitecture(scale=4, blocks=(Block(kind="conv5", channels=8),), tail_kernel=3), 5),
        (PlainArchitecture(scale=4, blocks=(Block(kind="conv1", channels=8),), tail_kernel=1), 1),
    ],
)
def test_receptive_field_by_hand_and_by_gradient(architecture: PlainArchitecture, radius: int) -> None:
    assert receptive_field(architecture) == radius
    net = fuse(build(architecture))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(0.01)
    packed = torch.full((1, 4, 40, 40), 0.5, requires_grad=True)
    reached = 0
    for row in range(40, 44):
        (gradient,) = torch.autograd.grad(net(packed)[0, 0, row, 40], packed)
        touched = gradient[0, 0].abs().sum(1).nonzero()[:, 0]
        reached = max(reached, *(abs(int(index) - row // 2) for index in (touched[0], touched[-1])))
    assert reached == radius
