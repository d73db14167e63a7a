"""The kernels of an RMFA network as a GPU delegate would run it."""

from nas_isp.generators.conv_spec import PACKED_CHANNELS, RGB_CHANNELS
from nas_isp.generators.rmfa_layers import RmfaBlockLayers, RmfaLayers
from nas_isp.latency.kernels.conv_kernel import Size, conv_kernel
from nas_isp.latency.kernels.kernel import Kernel, Op, elementwise, shuffle


def rmfa_kernels(layers: RmfaLayers, packed_height: int, packed_width: int) -> list[Kernel]:
    """The kernels for a packed input of the given size, in order; all but the pyramid run at twice that size."""
    block, size = layers.block, (2 * packed_height, 2 * packed_width)
    planes = RGB_CHANNELS * 4
    kernels = [
        _concat(PACKED_CHANNELS, planes, (packed_height, packed_width)),
        shuffle(RGB_CHANNELS, 2, (packed_height, packed_width)),
        conv_kernel(layers.first, size),
        conv_kernel(layers.second, size),
    ]
    for _ in range(layers.depth):
        kernels += [*_texture(block, size), *_tone(block, size)]
        fused = block.fusion.in_channels
        kernels += [_concat(fused // 2, fused, size), conv_kernel(block.fusion, size)]
        kernels += [*_channel_attention(block, size), *_spatial_attention(block, size)]
    return [*kernels, conv_kernel(layers.last, size)]


def _texture(block: RmfaBlockLayers, size: Size) -> list[Kernel]:
    half = block.high_freq.out_channels
    single = conv_kernel(block.high_freq, size)
    return [single, conv_kernel(block.low_freq, size), _concat(half, 2 * half, size)]


def _tone(block: RmfaBlockLayers, size: Size) -> list[Kernel]:
    width = block.fusion.out_channels
    level1, level2, level3 = block.levels
    to_half = _halving_pool(width, size)
    to_quarter = _halving_pool(width, to_half.output_size)
    half, quarter = to_half.output_size, to_quarter.output_size
    return [
        to_half,
        conv_kernel(level1, half),
        to_quarter,
        conv_kernel(level2, quarter),
        conv_kernel(level3, quarter),
        _enlarge(width, half, 2),
        _enlarge(width, quarter, 4),
        elementwise("add", width, size),
        _enlarge(width, quarter, 4),
        elementwise("mul", width, size),
        elementwise("add", width, size),
    ]


def _channel_attention(block: RmfaBlockLayers, size: Size) -> list[Kernel]:
    width, inward = block.squeeze.in_channels, conv_kernel(block.squeeze, (1, 1))
    return [
        elementwise("mean", width, size),
        elementwise("reduce_max", width, size),
        inward,
        conv_kernel(block.excite, (1, 1)),
        inward,
        conv_kernel(block.excite, (1, 1), activation="add_sigmoid"),
        elementwise("mul", width, size, broadcast=True),
    ]


def _spatial_attention(block: RmfaBlockLayers, size: Size) -> list[Kernel]:
    """Also the multiplication by it and the addition of the block's input."""
    width = block.fusion.out_channels
    return [
        _over_channels("channel_mean", width, size),
        _over_channels("channel_max", width, size),
        _concat(1, 2, size),
        conv_kernel(block.spatial, size),
        elementwise("mul", width, size, broadcast=True).model_copy(update={"activation": "add"}),
    ]


def _over_channels(op: Op, width: int, size: Size) -> Kernel:
    return Kernel(op=op, in_channels=width, out_channels=1, height=size[0], width=size[1])


def _concat(channels: int, outputs: int, size: Size) -> Kernel:
    return Kernel(op="concat", in_channels=channels, out_channels=outputs, height=size[0], width=size[1])


def _halving_pool(width: int, size: Size) -> Kernel:
    return Kernel(
        op="avg_pool",
        in_channels=width,
        out_channels=width,
        kernel=(2, 2),
        stride=(2, 2),
        height=size[0],
        width=size[1],
        padding="valid",
    )


def _enlarge(width: int, size: Size, factor: int) -> Kernel:
    return Kernel(
        op="resize_bilinear",
        in_channels=width,
        out_channels=width,
        kernel=(factor, factor),
        height=size[0],
        width=size[1],
    )
