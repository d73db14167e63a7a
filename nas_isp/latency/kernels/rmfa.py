"""The kernels of an RMFA network as a GPU delegate would run it."""

from nas_isp.generators.architecture import PACKED_CHANNELS, RGB_CHANNELS, RmfaArchitecture
from nas_isp.latency.kernels.kernel import Kernel, Op, convolution, elementwise, shuffle

Size = tuple[int, int]

REDUCTION = 16
"""Channels in per channel in the middle of the channel attention."""


def rmfa_kernels(architecture: RmfaArchitecture, packed_height: int, packed_width: int) -> list[Kernel]:
    """The kernels for a packed input of the given size, in order; all but the pyramid run at twice that size."""
    width, size = architecture.width, (2 * packed_height, 2 * packed_width)
    planes = RGB_CHANNELS * 4
    kernels = [
        _concat(PACKED_CHANNELS, planes, (packed_height, packed_width)),
        shuffle(RGB_CHANNELS, 2, (packed_height, packed_width)),
        convolution(RGB_CHANNELS, width, 3, size),
        convolution(width, width, 3, size),
    ]
    for _ in range(architecture.depth):
        kernels += [*_texture(width, size), *_tone(width, size)]
        kernels += [_concat(width, 2 * width, size), convolution(2 * width, width, 3, size, activation="relu")]
        kernels += [*_channel_attention(width, size), *_spatial_attention(width, size)]
    return [*kernels, convolution(width, RGB_CHANNELS, 3, size, activation="sigmoid")]


def _texture(width: int, size: Size) -> list[Kernel]:
    half = width // 2
    single = convolution(width, half, 1, size, activation="relu")
    return [single, convolution(width, half, 3, size, activation="relu"), _concat(half, width, size)]


def _tone(width: int, size: Size) -> list[Kernel]:
    to_half = _halving_pool(width, size)
    to_quarter = _halving_pool(width, to_half.output_size)
    half, quarter = to_half.output_size, to_quarter.output_size
    return [
        to_half,
        convolution(width, width, 3, half, activation="relu"),
        to_quarter,
        convolution(width, width, 3, quarter, activation="relu"),
        convolution(width, width, 3, quarter, activation="relu"),
        _enlarge(width, half, 2),
        _enlarge(width, quarter, 4),
        elementwise("add", width, size),
        _enlarge(width, quarter, 4),
        elementwise("mul", width, size),
        elementwise("add", width, size),
    ]


def _channel_attention(width: int, size: Size) -> list[Kernel]:
    narrow = max(width // REDUCTION, 1)
    inward = convolution(width, narrow, 1, (1, 1), activation="relu")
    return [
        elementwise("mean", width, size),
        elementwise("reduce_max", width, size),
        inward,
        convolution(narrow, width, 1, (1, 1)),
        inward,
        convolution(narrow, width, 1, (1, 1), activation="add_sigmoid"),
        elementwise("mul", width, size, broadcast=True),
    ]


def _spatial_attention(width: int, size: Size) -> list[Kernel]:
    """Also the multiplication by it and the addition of the block's input."""
    return [
        _over_channels("channel_mean", width, size),
        _over_channels("channel_max", width, size),
        _concat(1, 2, size),
        convolution(2, 1, 7, size, activation="sigmoid"),
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
