"""How a generator starts: live units everywhere, and a recognizable picture in mid-range as its output.

The networks are tiny and trained briefly, so a dead unit is a lost channel and a dead output unit a lost picture. The
start carries the packed planes through the trunk beside random features, and the tail begins as a crude rendering of
them; both are ordinary weights that training changes freely.
"""

import math

import torch
from torch import Tensor, nn

from nas_isp.generators.architecture import PACKED_CHANNELS, RGB_CHANNELS, Activation
from nas_isp.generators.blocks import ConvBlock, ReparameterizedBlock, SeparableBlock, TrunkBlock
from nas_isp.generators.deployed import ColorHead, SameConv2d, strided_padding
from nas_isp.generators.plain import PlainNet

RECTIFIED = ("relu", "relu6")
RELU_BIAS = 0.1
CARRIED_NOISE = 0.1
"""Random weights of a channel that carries a plane, relative to the other channels'."""
TAIL_NOISE = 0.1
OUTPUT_BIAS = 0.2
PLANE_GAIN = (1.5, 0.6, 0.6, 1.5)
"""What the tail multiplies R, G1, G2 and B by: the two greens add up, red and blue are weaker on a sensor."""
PLANE_COLOR = (0, 1, 1, 2)

_GAIN: dict[Activation, float] = {"none": 1.0, "tanh": 1.0, "relu": math.sqrt(2), "relu6": math.sqrt(2)}


@torch.no_grad()
def initialize(net: nn.Module) -> None:
    """Overwrite a `PlainNet`'s weights with the random start described above; leave other networks alone.

    Random kernels have the variance of He et al. (2015). Where a trunk is too narrow to carry the four planes, all
    of it is random.
    """
    if not isinstance(net, PlainNet):
        return
    carried = _carried_channels(net)
    for index, block in enumerate(net.blocks):
        assert isinstance(block, TrunkBlock)
        _draw_block(block, carried)
        _carry(block, carried, first=index == 0)
    if net.head is not None:
        _draw_head(net.head)
    _draw_tail(net.tail.conv, net.scale, carried)


@torch.no_grad()
def dead_share(net: nn.Module, packed: Tensor) -> float:
    """Share of rectified units (channels) that are zero everywhere on a batch (B, 4, h, w); 0 without any."""
    dead: list[Tensor] = []

    def look(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        dead.append((output <= 0).flatten(2).all(2).all(0))

    hooks = [module.register_forward_hook(look) for module in net.modules() if _is_rectified(module)]
    try:
        net(packed)
    finally:
        for hook in hooks:
            hook.remove()
    return float(torch.cat(dead).float().mean()) if dead else 0.0


def _is_rectified(module: nn.Module) -> bool:
    return isinstance(module, nn.ReLU) or getattr(module, "activation", None) in RECTIFIED


def _carried_channels(net: PlainNet) -> int:
    """How many trunk channels carry the input: 16 (each pixel of a 2x2 cell), 4 (the planes) or 0 (too narrow)."""
    narrowest = min(block.out_channels for block in net.blocks if isinstance(block, TrunkBlock))
    first = net.blocks[0]
    sees_cell = isinstance(first, ConvBlock | ReparameterizedBlock) and first.stride == 2 and first.kernel >= 3
    if sees_cell and narrowest >= 4 * PACKED_CHANNELS:
        return 4 * PACKED_CHANNELS
    return PACKED_CHANNELS if narrowest >= PACKED_CHANNELS else 0


def _draw_block(block: TrunkBlock, carried: int) -> None:
    # A residual adds its input's variance to the convolution's; both together should stay where they were.
    gain = _GAIN[block.activation] * (0.5 if block.residual else 1.0)
    scaled = [_last_conv(block).weight]
    if isinstance(block, SeparableBlock):
        _draw(block.depthwise.weight, 0.5)
        middle = block.kernel // 2
        block.depthwise.weight[:, :, middle, middle] += 1
    elif isinstance(block, ReparameterizedBlock):
        _draw(block.point, 0.3)
        _draw(block.expand, 1.0)
        _draw(block.project, 0.3)
        scaled += [block.point, block.project]
        gain *= math.sqrt(0.5)
    _draw(_last_conv(block).weight, gain)
    for weight in scaled:
        weight[:carried] *= CARRIED_NOISE
    bias = _bias(_last_conv(block))
    nn.init.constant_(bias, RELU_BIAS if block.activation in RECTIFIED else 0.0)
    bias[:carried] = 0


def _carry(block: TrunkBlock, carried: int, first: bool) -> None:
    """Let the first `carried` channels pass what the channels before them carry, or the planes themselves."""
    if block.residual or (isinstance(block, ReparameterizedBlock) and block.identity):
        return
    weight = _last_conv(block).weight
    if not (first and block.stride == 2) or isinstance(block, SeparableBlock):
        middle = weight.shape[-1] // 2
        for channel in range(min(carried, block.in_channels)):
            weight[channel, channel, middle, middle] += 1
        return
    before, _ = strided_padding(block.kernel, 2)
    for plane in range(PACKED_CHANNELS if carried else 0):
        cell = weight[:, plane, before : before + 2, before : before + 2]
        if carried == PACKED_CHANNELS:
            cell[plane] += 1 / cell[plane].numel()
        else:
            cell[4 * plane : 4 * plane + 4] += torch.eye(4, device=weight.device).view(4, 2, 2)


def _draw_tail(conv: SameConv2d, scale: int, carried: int) -> None:
    _draw(conv.weight, TAIL_NOISE)
    nn.init.constant_(_bias(conv), OUTPUT_BIAS)
    middle = conv.kernel_size[0] // 2
    outputs = conv.weight[:, :, middle, middle].view(RGB_CHANNELS, scale, scale, conv.in_channels)
    for channel in range(carried):
        plane = channel * PACKED_CHANNELS // carried
        rows = columns = slice(None)
        if carried > PACKED_CHANNELS:
            row, column = divmod(channel % 4, 2)
            rows, columns = slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2)
        outputs[PLANE_COLOR[plane], rows, columns, channel] += PLANE_GAIN[plane]
    conv.weight[:, :, middle, middle] = outputs.reshape(-1, conv.in_channels)


def _draw_head(head: ColorHead) -> None:
    _draw(head.features.weight, math.sqrt(2))
    # The input is positive: a kernel of positive sum sees every picture.
    sums = head.features.weight.sum((1, 2, 3), keepdim=True)
    head.features.weight.mul_(torch.where(sums < 0, -1.0, 1.0))
    nn.init.constant_(_bias(head.features), RELU_BIAS)
    for conv in (head.scale, head.shift):
        _draw(conv.weight, 0.1)
        nn.init.zeros_(_bias(conv))


def _last_conv(block: TrunkBlock) -> SameConv2d:
    """The convolution that makes the block's output channels and holds its bias."""
    conv = block.pointwise if isinstance(block, SeparableBlock) else block.conv
    assert isinstance(conv, SameConv2d)
    return conv


def _draw(weight: Tensor, gain: float) -> None:
    nn.init.normal_(weight, 0.0, gain / math.sqrt(weight[0].numel()))


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias
