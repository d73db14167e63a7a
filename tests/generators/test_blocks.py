"""Every block, with every activation, residual and scale, keeps the promises of a generator."""

import itertools
from typing import get_args

import pytest
import torch
from torch import nn

from nas_isp.generators.architecture import ARCHITECTURE, Block, PlainArchitecture
from nas_isp.generators.blocks import BLOCKS
from nas_isp.generators.build import build, fuse
from nas_isp.generators.conv_spec import Activation
from nas_isp.generators.cost import receptive_field
from nas_isp.generators.deployed import DeployedPlain
from nas_isp.generators.initialize import dead_share

CASES = [
    PlainArchitecture(
        scale=scale,
        blocks=(Block(kind=kind, channels=8), Block(kind=kind, channels=8, activation=activation, residual=residual)),
        tail_activation="relu" if residual else "none",
        color_head=residual,
    )
    for kind, activation, residual, scale in itertools.product(BLOCKS, get_args(Activation), (False, True), (2, 4))
]


def label(architecture: PlainArchitecture) -> str:
    last = architecture.blocks[-1]
    return f"{last.kind}-{last.activation}-{'residual' if last.residual else 'plain'}-x{architecture.scale}"


every_case = pytest.mark.parametrize("architecture", CASES, ids=label)


def trained_like(architecture: PlainArchitecture) -> nn.Module:
    """A network with weights as random as after a training, color head and every branch included."""
    torch.manual_seed(0)
    net = build(architecture)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return net


def picture(height: int = 20, width: int = 24) -> torch.Tensor:
    return torch.rand(2, 4, height, width, generator=torch.Generator().manual_seed(1))


@every_case
def test_output_is_a_picture_of_twice_the_side(architecture: PlainArchitecture) -> None:
    assert build(architecture)(picture()).shape == (2, 3, 40, 48)


@every_case
def test_fused_network_gives_the_same_pixels_up_to_the_border(architecture: PlainArchitecture) -> None:
    net = trained_like(architecture)
    fused = fuse(net)
    with torch.no_grad():
        torch.testing.assert_close(fused(picture()), net(picture()), rtol=0, atol=1e-5)
    assert not fused.training


@every_case
def test_fused_network_is_nothing_but_convolutions(architecture: PlainArchitecture) -> None:
    fused = fuse(build(architecture))
    assert isinstance(fused, DeployedPlain)
    assert all(name.split(".")[-1] in ("weight", "bias") for name in fused.state_dict())


@every_case
def test_fusing_leaves_the_training_network_as_it_was(architecture: PlainArchitecture) -> None:
    net = build(architecture)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        for parameter in fuse(net).parameters():
            parameter.zero_()
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


@every_case
def test_description_survives_json(architecture: PlainArchitecture) -> None:
    again = ARCHITECTURE.validate_json(architecture.to_json())
    assert again == architecture
    assert again.digest() == architecture.digest()


@every_case
def test_every_weight_gets_a_finite_gradient(architecture: PlainArchitecture) -> None:
    net = trained_like(architecture)
    net(picture()).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


@every_case
def test_a_fresh_network_has_live_outputs_in_mid_range(architecture: PlainArchitecture) -> None:
    torch.manual_seed(0)
    net = build(architecture)
    dim = 0.4 * picture()
    with torch.no_grad():
        output = net(dim)
    assert (output.amax((0, 2, 3)) > 0).all()
    assert 0.1 < output.mean() < 0.9
    assert dead_share(net, dim) <= 0.15


@every_case
def test_interior_moves_with_the_picture(architecture: PlainArchitecture) -> None:
    net = trained_like(architecture)
    large = picture(44, 44)
    margin = receptive_field(architecture) + receptive_field(architecture) % 2
    context = net.context(large)
    with torch.no_grad():
        whole = net(large, context)
        shifted = net(large[:, :, 2:, 4:], context)
    inside = shifted[:, :, 2 * margin : -2 * margin or None, 2 * margin : -2 * margin or None]
    expected = whole[:, :, 4 + 2 * margin :, 8 + 2 * margin :][:, :, : inside.shape[2], : inside.shape[3]]
    assert inside.numel() > 0
    torch.testing.assert_close(inside, expected, rtol=0, atol=1e-5)


@every_case
def test_memory_format_changes_nothing(architecture: PlainArchitecture) -> None:
    net = trained_like(architecture)
    with torch.no_grad():
        expected = net(picture())
        actual = net.to(memory_format=torch.channels_last)(picture().to(memory_format=torch.channels_last))
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-5)
