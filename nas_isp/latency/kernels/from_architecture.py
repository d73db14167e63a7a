"""A network as the list of kernels that a mobile runtime executes, from its `Architecture` alone."""

from nas_isp.generators.architecture import Architecture, PlainArchitecture
from nas_isp.generators.conv_spec import PACKED_CHANNELS, RGB_CHANNELS
from nas_isp.generators.head_layers import HEAD_CHANNELS, HeadLayers
from nas_isp.generators.layers import PlainLayers
from nas_isp.latency.kernels.conv_kernel import Size, conv_kernel
from nas_isp.latency.kernels.kernel import Kernel, elementwise, shuffle
from nas_isp.latency.kernels.rmfa import rmfa_kernels
from nas_isp.picture_size import FULL_HD_PACKED, checked_size


def kernels_of(
    architecture: Architecture,
    packed_height: int = FULL_HD_PACKED[0],
    packed_width: int = FULL_HD_PACKED[1],
    balanced: bool = False,
) -> list[Kernel]:
    """The kernels of the deployed form for a packed input of the given size, in order.

    Every convolution of the network is one; an added residual and an activation are fused into the convolution before
    them, as a GPU delegate does.

    Args:
        architecture: the network.
        packed_height: rows of the packed input.
        packed_width: its columns.
        balanced: the input is multiplied by the gains of its capture first.

    Raises:
        InputError: a size that the network does not take.
    """
    checked_size((packed_height, packed_width))
    size = packed_height, packed_width
    first = [elementwise("mul", PACKED_CHANNELS, size, broadcast=True)] if balanced else []
    if isinstance(architecture, PlainArchitecture):
        return [*first, *_plain_kernels(architecture.layers, *size)]
    return [*first, *rmfa_kernels(architecture.layers, *size)]


def _plain_kernels(layers: PlainLayers, height: int, width: int) -> list[Kernel]:
    *trunk, tail = layers.placed_chain(height, width)
    size = tail.height, tail.width
    kernels = [conv_kernel(placed.spec, (placed.height, placed.width)) for placed in trunk]
    if layers.head is not None:
        kernels += _head_kernels(layers.head, size, (height, width))
    return [*kernels, conv_kernel(tail.spec, size), shuffle(RGB_CHANNELS, layers.shuffle, size)]


def _head_kernels(head: HeadLayers, size: Size, packed_size: Size) -> list[Kernel]:
    """The color head: what it computes from the packed picture, then a scale and a shift of the trunk's output."""
    channels = head.scale.out_channels
    return [
        conv_kernel(head.features, packed_size),
        elementwise("mean", HEAD_CHANNELS, packed_size),
        conv_kernel(head.scale, (1, 1)),
        conv_kernel(head.shift, (1, 1)),
        elementwise("mul", channels, size, broadcast=True),
        elementwise("add", channels, size, broadcast=True),
    ]
