"""How a generator starts: live units everywhere, and a recognizable picture in mid-range as its output.

The networks are tiny and trained briefly, so a dead unit is a lost channel and a dead output unit a lost picture. The
start carries the packed planes through the trunk beside random features, and the tail begins as a crude rendering of
them; both are ordinary weights that training changes freely.
"""

import math

import torch
from torch import Tensor, nn

from nas_isp.generators.conv_spec import PACKED_CHANNELS, RGB_CHANNELS, ConvSpec, strided_padding
from nas_isp.generators.deployed import ColorHead, SameConv2d
from nas_isp.generators.layers import PlainLayers
from nas_isp.generators.plain import PlainNet
from nas_isp.generators.trunk import TrunkBlock

RECTIFIED = ("relu", "relu6")
RELU_BIAS = 0.1
CARRIED_NOISE = 0.1
"""Random weights of a channel that carries a plane, relative to the other channels'."""
TAIL_NOISE = 0.1
OUTPUT_BIAS = 0.2
PLANE_GAIN = (1.5, 0.6, 0.6, 1.5)
"""What the tail multiplies R, G1, G2 and B by: the two greens add up, red and blue are weaker on a sensor."""
PLANE_COLOR = (0, 1, 1, 2)

_GAIN = {"none": 1.0, "tanh": 1.0, "relu": math.sqrt(2), "relu6": math.sqrt(2)}


@torch.no_grad()
def initialize(net: nn.Module) -> None:
    """Overwrite a `PlainNet`'s weights with the random start described above; leave other networks alone.

    Random kernels have the variance of He et al. (2015). Where a trunk is too narrow to carry the four planes, all
    of it is random.
    """
    if not isinstance(net, PlainNet):
        return
    carried = _carried_channels(net.layers)
    for block in net.trunk:
        _draw_block(block, carried)
    if net.head is not None:
        _draw_head(net.head)
    _draw_tail(net.tail.conv_of(net.layers.tail), net.layers.shuffle, carried)


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


def _carried_channels(layers: PlainLayers) -> int:
    """How many trunk channels carry the input: 16 (each pixel of a 2x2 cell), 4 (the planes) or 0 (too narrow)."""
    narrowest = min(spec.out_channels for block in layers.blocks for spec in block)
    first = layers.blocks[0][0]
    sees_cell = first.groups == 1 and first.stride == 2 and first.kernel >= 3
    if sees_cell and narrowest >= 4 * PACKED_CHANNELS:
        return 4 * PACKED_CHANNELS
    return PACKED_CHANNELS if narrowest >= PACKED_CHANNELS else 0


def _draw_block(block: TrunkBlock, carried: int) -> None:
    """Random weights; those of channels that carry a plane are small and let it pass."""
    for weight in block.draw_branches(_draw):
        weight[:carried] *= CARRIED_NOISE
    *inner, last = block.convs
    for spec in inner:
        # Beside a residual the inner convolutions have nothing to carry.
        _draw_inner(block.conv_of(spec), spec, 0 if block.carries_input else carried)
    # A residual adds its input's variance to the convolution's; both together should stay where they were.
    gain = _GAIN[last.activation] * (0.5 if last.residual else 1.0) * math.sqrt(block.main_share)
    _draw_conv(block.conv_of(last), last, gain, carried)
    if not block.carries_input:
        _carry(block.conv_of(last), last, carried)


def _draw_inner(conv: SameConv2d, spec: ConvSpec, carried: int) -> None:
    if spec.groups > 1:
        _draw_passing(conv)
        _draw_bias(conv, spec, carried)
    else:
        _draw_conv(conv, spec, _GAIN[spec.activation], carried)
        _carry(conv, spec, carried)


def _draw_conv(conv: SameConv2d, spec: ConvSpec, gain: float, carried: int) -> None:
    _draw(conv.weight, gain)
    conv.weight[:carried] *= CARRIED_NOISE
    _draw_bias(conv, spec, carried)


def _draw_bias(conv: SameConv2d, spec: ConvSpec, carried: int) -> None:
    if conv.bias is not None:
        nn.init.constant_(conv.bias, RELU_BIAS if spec.activation in RECTIFIED else 0.0)
        conv.bias[:carried] = 0


def _draw_passing(conv: SameConv2d) -> None:
    """A convolution within a block that sees few channels at once: what it is given, and some noise."""
    _draw(conv.weight, 0.5)
    middle = conv.kernel_size[0] // 2
    own = torch.arange(conv.out_channels) % conv.weight.shape[1]
    conv.weight[torch.arange(conv.out_channels), own, middle, middle] += 1


def _carry(conv: SameConv2d, spec: ConvSpec, carried: int) -> None:
    """Let the first `carried` channels pass what the channels before them carry, or the planes themselves."""
    weight = conv.weight
    if spec.stride == 1 or spec.groups > 1 or spec.in_channels != PACKED_CHANNELS:
        middle = spec.kernel // 2
        for channel in range(min(carried, spec.in_channels, spec.out_channels)):
            weight[channel, channel % weight.shape[1], middle, middle] += 1
        return
    before, _ = strided_padding(spec.kernel, spec.stride)
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


def _draw(weight: Tensor, gain: float) -> None:
    nn.init.normal_(weight, 0.0, gain / math.sqrt(weight[0].numel()))


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias
