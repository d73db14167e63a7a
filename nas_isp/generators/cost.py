"""What a generator costs and how far it sees, from its description alone."""

from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from nas_isp.generators.architecture import PACKED_CHANNELS, Architecture, PlainArchitecture
from nas_isp.generators.build import assemble, fuse
from nas_isp.generators.deployed import DeployedConv, DeployedPlain, strided_padding
from nas_isp.generators.plain import check_packed
from nas_isp.generators.rmfa import RmfaNet

FULL_HD_PACKED = (544, 960)
"""Packed size at which costs are quoted: one 1088x1920 picture."""


@dataclass(frozen=True)
class Cost:
    """Parameters and multiply-accumulates (in units of 1e9) of a deployed generator, convolutions only."""

    params: int
    gmacs: float


def count(
    architecture: Architecture, packed_height: int = FULL_HD_PACKED[0], packed_width: int = FULL_HD_PACKED[1]
) -> Cost:
    """Count the deployed form for one packed picture without computing anything.

    Raises:
        ValueError: a size the network does not take.
    """
    with torch.device("meta"):
        deployed = fuse(assemble(architecture))
        packed = torch.empty(1, PACKED_CHANNELS, packed_height, packed_width)
    check_packed(packed, architecture.scale if isinstance(architecture, PlainArchitecture) else 2)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        deployed(packed)
    params = sum(parameter.numel() for parameter in deployed.parameters())
    return Cost(params, counter.get_total_flops() / 2 / 1e9)


def receptive_field(architecture: Architecture) -> int:
    """How far, in packed pixels and in every direction, an output pixel sees at most.

    What a network computes from the whole picture (a color head, channel attention) is not counted.
    """
    with torch.device("meta"):
        net = fuse(assemble(architecture))
    if isinstance(net, RmfaNet):
        return net.receptive_field
    assert isinstance(net, DeployedPlain)
    convs = [layer.conv for layer in [*net.layers, net.tail] if isinstance(layer, DeployedConv)]
    strided, rest = (convs[0], convs[1:]) if net.shuffle == 4 else (None, convs)
    radius = sum(conv.kernel_size[0] // 2 for conv in rest)
    if strided is None:
        return radius
    before, _ = strided_padding(strided.kernel_size[0], 2)
    after = strided.kernel_size[0] - 1 - before
    return 2 * radius + max(before + 1, after)
