"""The training form of trunk blocks: the convolutions of a block's description, and branches that amount to them."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.generators.conv_spec import ConvSpec
from nas_isp.generators.deployed import DeployedConv, SameConv2d, activate, same_conv

Draw = Callable[[Tensor, float], None]
"""Fills a weight with noise of a gain; see `initialize`."""


class TrunkBlock(nn.Module):
    """The convolutions of a block, in order: (B, in, h, w) -> (B, out, h / stride, w / stride).

    A block that trains otherwise than it is deployed overrides `weight_of`, and `draw_branches` for the weights that it
    adds; `forward` is for all, so that training and deployed forms agree.

    Attributes:
        convs: the description. The parameters of each convolution are found under its name.
        activation: applied to the output.
        main_share: part of a fresh block's variance that comes from the convolutions themselves.
        carries_input: whether the output holds the input already, by a residual or an identity branch.
    """

    main_share = 1.0

    def __init__(self, convs: Sequence[ConvSpec]) -> None:
        super().__init__()
        self.convs = tuple(convs)
        self.activation = self.convs[-1].activation
        self.carries_input = self.convs[-1].residual
        for spec in self.convs:
            if hasattr(self, spec.name):
                raise InputError(f"a convolution cannot be called '{spec.name}', which every block has; rename it")
            self.add_module(spec.name, same_conv(spec))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for spec in self.convs:
            y = self.conv_of(spec).with_weight(y, self.weight_of(spec))
            y = activate(y + x if spec.residual else y, spec.activation)
        return y

    def conv_of(self, spec: ConvSpec) -> SameConv2d:
        """The module that holds a convolution's own weight and bias."""
        conv = self.get_submodule(spec.name)
        assert isinstance(conv, SameConv2d)
        return conv

    def weight_of(self, spec: ConvSpec) -> Tensor:
        """The weight that a convolution is computed with, `spec.weight_shape`."""
        return self.conv_of(spec).weight

    def draw_branches(self, draw: Draw) -> list[Tensor]:
        """Fill the weights that a training form adds; those whose rows are the output channels are returned."""
        return []

    def deployed(self, value: int) -> list[DeployedConv]:
        """The block's convolutions for a runtime; its input is value number `value` (see `DeployedPlain`)."""
        return [
            DeployedConv(self._fused(spec), spec.activation, value if spec.residual else None) for spec in self.convs
        ]

    def _fused(self, spec: ConvSpec) -> SameConv2d:
        """A new convolution with a copy of its weight and bias."""
        weight, bias = self.weight_of(spec), self.conv_of(spec).bias
        if weight.shape != spec.weight_shape:
            raise InputError(
                f"{type(self).__name__}: the weight of '{spec.name}' is {tuple(weight.shape)}, described as "
                f"{spec.weight_shape}; mend `weight_of`"
            )
        with torch.device(weight.device):
            conv = same_conv(spec)
        conv.weight = nn.Parameter(weight.detach().clone())
        if bias is not None:
            conv.bias = nn.Parameter(bias.detach().clone())
        return conv


class ReparameterizedBlock(TrunkBlock):
    """A convolution trained as a sum of linear branches and deployed as one.

    Branches: the convolution itself, 1x1, 1x1 to a wider space and then the window, and the identity where shapes
    allow. The ideas are those of RepVGG (Ding et al., 2021), ECB (Zhang et al., 2021) and SESR (Bhardwaj et al., 2022).
    As in SESR the branches are merged in every training step and only the merged kernel is convolved: training costs no
    more than one convolution, and training and deployed forms agree at the picture's borders too.
    """

    EXPANSION = 2
    main_share = 0.5

    def __init__(self, convs: Sequence[ConvSpec]) -> None:
        super().__init__(convs)
        (spec,) = self.convs
        wide = self.EXPANSION * max(spec.in_channels, spec.out_channels)
        self.point = nn.Parameter(torch.zeros(spec.out_channels, spec.in_channels))
        self.expand = nn.Parameter(torch.zeros(wide, spec.in_channels))
        self.project = nn.Parameter(torch.zeros(spec.out_channels, wide, spec.kernel, spec.kernel))
        self.identity = spec.in_channels == spec.out_channels and spec.stride == 1
        self.carries_input |= self.identity

    def weight_of(self, spec: ConvSpec) -> Tensor:
        """The one kernel that all branches amount to: (out, in, kernel, kernel)."""
        point: Tensor = self.point
        if self.identity:
            point = point + torch.eye(spec.in_channels, device=point.device, dtype=point.dtype)
        centered = F.pad(point[:, :, None, None], [spec.kernel // 2] * 4)
        sequence = torch.einsum("omyx,mi->oiyx", self.project, self.expand)
        return self.conv_of(spec).weight + centered + sequence

    def draw_branches(self, draw: Draw) -> list[Tensor]:
        draw(self.point, 0.3)
        draw(self.expand, 1.0)
        draw(self.project, 0.3)
        return [self.point, self.project]
