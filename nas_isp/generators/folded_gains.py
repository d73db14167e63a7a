"""Fixed white-balance gains within the weights of a deployed network, which then takes RAW as the sensor gives it."""

import copy

import torch
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.generators.conv_spec import PACKED_CHANNELS
from nas_isp.generators.deployed import DeployedConv, DeployedPlain, SameConv2d
from nas_isp.generators.rmfa import RmfaNet
from nas_isp.raw.sensor import Gains


def fold_gains(net: nn.Module, gains: Gains) -> nn.Module:
    """A network that makes of planes `(B, 4, h, w)` what `net` makes of them times the gains of R, G, G, B.

    They go into the weights that read the planes: the first convolution's and those of a color head's features. A
    network that adds the planes themselves later on gets a 1x1 convolution before everything else instead.

    Args:
        net: fused generator; stays as it is.
        gains: of R, G, B.

    Raises:
        InputError: a network of a kind that is not known here.
    """
    folded, (red, green, blue) = copy.deepcopy(net), gains
    factors = torch.tensor([red, green, green, blue])
    if isinstance(folded, RmfaNet):
        folded.input_gain *= factors[:, None, None]
    elif isinstance(folded, DeployedPlain):
        if folded.head is not None:
            _multiply(folded.head.features, factors)
        if any(layer.residual_from == 0 for layer in folded.layers):
            _balance_first(folded, factors)
        else:
            first = [*folded.layers, folded.tail][0]
            assert isinstance(first, DeployedConv)
            _multiply(first.conv, factors)
    else:
        raise InputError(f"light: gains cannot be folded into a {type(net).__name__}; leave light out", "light")
    return folded


def _multiply(convolution: nn.Conv2d, factors: Tensor) -> None:
    """Let a convolution see its input's channels multiplied by factors."""
    groups = convolution.groups
    of_filters = factors.reshape(groups, -1).repeat_interleave(convolution.out_channels // groups, dim=0)
    convolution.weight.data = convolution.weight.data * of_filters[:, :, None, None]


def _balance_first(net: DeployedPlain, factors: Tensor) -> None:
    """Put a convolution before the others that only multiplies; see `DeployedPlain` for the numbers of values."""
    convolution = SameConv2d(PACKED_CHANNELS, PACKED_CHANNELS, kernel=1)
    convolution.weight = nn.Parameter(torch.diag(factors)[:, :, None, None], requires_grad=False)
    convolution.bias = nn.Parameter(torch.zeros(PACKED_CHANNELS), requires_grad=False)
    for layer in net.layers:
        assert isinstance(layer, DeployedConv)
        if layer.residual_from is not None:
            layer.residual_from += 1
    net.layers.insert(0, DeployedConv(convolution, "none"))
    net.eval()
