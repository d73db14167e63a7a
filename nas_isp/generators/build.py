"""From an `Architecture` to a network, and from a trained network to its deployed form."""

import copy

from torch import nn

from nas_isp.generators.architecture import Architecture, RmfaArchitecture
from nas_isp.generators.initialize import initialize
from nas_isp.generators.plain import PlainNet
from nas_isp.generators.rmfa import RmfaNet


def build(architecture: Architecture) -> nn.Module:
    """The training network of a description, freshly initialized (see `initialize`).

    The network maps packed RAW (B, 4, h, w) to RGB (B, 3, 2h, 2w), not clipped, and raises ValueError for other
    input. ``net.context(packed)`` gives the whole-picture numbers (B, 8) of a color head, or None;
    ``net(packed, context)`` uses them, so that tiles of one picture agree. Random numbers come from torch's global
    generator: seed it for a reproducible start.
    """
    net = assemble(architecture)
    initialize(net)
    return net


def assemble(architecture: Architecture) -> nn.Module:
    """The training network with whatever weights PyTorch gives it, for loading weights into or for counting."""
    return RmfaNet(architecture) if isinstance(architecture, RmfaArchitecture) else PlainNet(architecture)


def fuse(net: nn.Module) -> nn.Module:
    """The deployed form of a network: a new module in evaluation mode with the same output to 1e-5.

    A `PlainNet` becomes a `DeployedPlain`. Anything else is deployed as it is: an evaluation copy.
    """
    return net.deployed() if isinstance(net, PlainNet) else copy.deepcopy(net).eval()
