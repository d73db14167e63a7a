"""A network as the list of kernels that a mobile runtime executes, from its `Architecture` alone."""

from nas_isp.errors import InputError
from nas_isp.generators.architecture import PACKED_CHANNELS, RGB_CHANNELS, Architecture, Block, PlainArchitecture
from nas_isp.latency.kernels.kernel import Kernel, convolution, elementwise, shuffle
from nas_isp.latency.kernels.rmfa import rmfa_kernels

__all__ = ["PACKED_HEIGHT", "PACKED_WIDTH", "Kernel", "kernels_of"]

PACKED_HEIGHT, PACKED_WIDTH = 544, 960
"""Packed size of a full-HD picture, at which this project states every latency."""

CONTEXT_CHANNELS = 8
"""Numbers that the color head computes from the whole picture."""


def kernels_of(
    architecture: Architecture, packed_height: int = PACKED_HEIGHT, packed_width: int = PACKED_WIDTH
) -> list[Kernel]:
    """The kernels of the deployed form for a packed input of the given size, in order.

    A depthwise-separable block is two kernels, a re-parameterized one a single convolution; an added residual and an
    activation are fused into the convolution before them, as a GPU delegate does.

    Raises:
        InputError: a size that the network does not take.
    """
    if isinstance(architecture, PlainArchitecture):
        return _plain_kernels(architecture, packed_height, packed_width)
    return rmfa_kernels(architecture, packed_height, packed_width)


def _plain_kernels(architecture: PlainArchitecture, height: int, width: int) -> list[Kernel]:
    if architecture.scale == 4 and (height % 2 or width % 2):
        raise InputError(f"packed input is {height}x{width}; a scale-4 network needs even sides")
    kernels: list[Kernel] = []
    channels, size = PACKED_CHANNELS, (height, width)
    for index, block in enumerate(architecture.blocks):
        stride = 2 if index == 0 and architecture.scale == 4 else 1
        kernels += _block_kernels(block, channels, size, stride)
        channels, size = block.channels, kernels[-1].output_size
    if architecture.color_head:
        kernels += _head_kernels(channels, size, (height, width))
    scale = architecture.scale
    tail = architecture.tail_kernel, architecture.tail_activation
    kernels.append(convolution(channels, RGB_CHANNELS * scale**2, tail[0], size, activation=tail[1]))
    kernels.append(shuffle(RGB_CHANNELS, scale, size))
    return kernels


def _block_kernels(block: Block, channels: int, size: tuple[int, int], stride: int) -> list[Kernel]:
    side = int(block.kind[-1])
    activation = _fused("add" if block.residual else "none", block.activation)
    if not block.kind.startswith("dwsep"):
        return [convolution(channels, block.channels, side, size, stride, activation)]
    depthwise = Kernel(
        op="depthwise_conv2d",
        in_channels=channels,
        out_channels=channels,
        kernel=(side, side),
        stride=(stride, stride),
        groups=channels,
        height=size[0],
        width=size[1],
        padding="same",
    )
    return [depthwise, convolution(channels, block.channels, 1, depthwise.output_size, activation=activation)]


def _head_kernels(channels: int, size: tuple[int, int], packed_size: tuple[int, int]) -> list[Kernel]:
    """The color head: what it computes from the packed picture, then a scale and a shift of the trunk's output."""
    context = CONTEXT_CHANNELS
    number_map = convolution(context, channels, 1, (1, 1))
    return [
        convolution(PACKED_CHANNELS, context, 1, packed_size, activation="relu"),
        elementwise("mean", context, packed_size),
        number_map,
        number_map,
        elementwise("mul", channels, size, broadcast=True),
        elementwise("add", channels, size, broadcast=True),
    ]


def _fused(*steps: str) -> str:
    return "_".join(step for step in steps if step != "none") or "none"
