"""The trunk's blocks in their training form; each knows the convolutions it is deployed as.

Every block computes ``activation(convolution(x) + x)``: the residual, if any, is added before the activation, the
order that mobile runtimes fuse into the convolution. There is no normalization.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_isp.generators.architecture import Block, BlockKind
from nas_isp.generators.deployed import DeployedConv, SameConv2d, activate


class TrunkBlock(nn.Module):
    """One layer of the trunk: (B, in, h, w) -> (B, out, h / stride, w / stride)."""

    def __init__(self, in_channels: int, block: Block, stride: int = 1) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = block.channels
        self.kernel = int(block.kind[-1])
        self.stride = stride
        self.activation = block.activation
        self.residual = block.residual

    def forward(self, x: Tensor) -> Tensor:
        y = self.convolve(x)
        return activate(y + x if self.residual else y, self.activation)

    def convolve(self, x: Tensor) -> Tensor:
        """The block without residual and activation."""
        raise NotImplementedError

    def deployed(self, value: int) -> list[DeployedConv]:
        """The block's convolutions for a runtime; its input is value number `value` (see `DeployedPlain`)."""
        raise NotImplementedError


class ConvBlock(TrunkBlock):
    """One convolution."""

    def __init__(self, in_channels: int, block: Block, stride: int = 1) -> None:
        super().__init__(in_channels, block, stride)
        self.conv = SameConv2d(in_channels, block.channels, self.kernel, stride)

    def convolve(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.conv(x))

    def deployed(self, value: int) -> list[DeployedConv]:
        assert self.conv.bias is not None
        conv = with_weights(self.conv.weight, self.conv.bias, self.stride)
        return [DeployedConv(conv, self.activation, value if self.residual else None)]


class SeparableBlock(TrunkBlock):
    """A depthwise convolution without bias or activation, then a 1x1 convolution.

    A bias in between would be redundant: the 1x1 convolution carries it into its own bias exactly.
    """

    def __init__(self, in_channels: int, block: Block, stride: int = 1) -> None:
        super().__init__(in_channels, block, stride)
        self.depthwise = SameConv2d(in_channels, in_channels, self.kernel, stride, groups=in_channels, bias=False)
        self.pointwise = SameConv2d(in_channels, block.channels, 1)

    def convolve(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.pointwise(self.depthwise(x)))

    def deployed(self, value: int) -> list[DeployedConv]:
        assert self.pointwise.bias is not None
        depthwise = with_weights(self.depthwise.weight, None, self.stride, groups=self.in_channels)
        pointwise = with_weights(self.pointwise.weight, self.pointwise.bias)
        last = DeployedConv(pointwise, self.activation, value if self.residual else None)
        return [DeployedConv(depthwise, "none"), last]


class ReparameterizedBlock(TrunkBlock):
    """A 3x3 convolution trained as a sum of linear branches and deployed as one 3x3 convolution.

    Branches: 3x3, 1x1, 1x1 to a wider space and then 3x3, and the identity where shapes allow. The ideas are those
    of RepVGG (Ding et al., 2021), ECB (Zhang et al., 2021) and SESR (Bhardwaj et al., 2022). As in SESR the branches
    are merged in every training step and only the merged kernel is convolved: training costs no more than one
    convolution, and training and deployed forms agree at the picture's borders too.
    """

    EXPANSION = 2

    def __init__(self, in_channels: int, block: Block, stride: int = 1) -> None:
        super().__init__(in_channels, block, stride)
        wide = self.EXPANSION * max(in_channels, block.channels)
        self.conv = SameConv2d(in_channels, block.channels, self.kernel, stride)
        self.point = nn.Parameter(torch.zeros(block.channels, in_channels))
        self.expand = nn.Parameter(torch.zeros(wide, in_channels))
        self.project = nn.Parameter(torch.zeros(block.channels, wide, self.kernel, self.kernel))
        self.identity = in_channels == block.channels and stride == 1

    def convolve(self, x: Tensor) -> Tensor:
        return F.conv2d(self.conv.padded(x), self.merged_weight(), self.conv.bias, self.conv.stride, self.conv.padding)

    def merged_weight(self) -> Tensor:
        """The one kernel that all branches amount to: (out, in, 3, 3)."""
        point: Tensor = self.point
        if self.identity:
            point = point + torch.eye(self.in_channels, device=point.device, dtype=point.dtype)
        centerd = F.pad(point[:, :, None, None], [self.kernel // 2] * 4)
        sequence = torch.einsum("omyx,mi->oiyx", self.project, self.expand)
        return self.conv.weight + centerd + sequence

    def deployed(self, value: int) -> list[DeployedConv]:
        assert self.conv.bias is not None
        conv = with_weights(self.merged_weight(), self.conv.bias, self.stride)
        return [DeployedConv(conv, self.activation, value if self.residual else None)]


BLOCKS: dict[BlockKind, type[TrunkBlock]] = {
    "conv1": ConvBlock,
    "conv3": ConvBlock,
    "conv5": ConvBlock,
    "dwsep3": SeparableBlock,
    "dwsep5": SeparableBlock,
    "rep3": ReparameterizedBlock,
}
"""Block kind -> class; a new kind is a new line."""


def with_weights(weight: Tensor, bias: Tensor | None, stride: int = 1, groups: int = 1) -> SameConv2d:
    """A convolution with copies of the given weight (out, in / groups, k, k) and bias (out,)."""
    out_channels, in_per_group, kernel, _ = weight.shape
    with torch.device(weight.device):
        conv = SameConv2d(in_per_group * groups, out_channels, kernel, stride, groups, bias is not None)
    conv.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        conv.bias = nn.Parameter(bias.detach().clone())
    return conv
