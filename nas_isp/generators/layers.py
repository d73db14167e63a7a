"""A plain network as the convolutions that it is deployed as: what all counting, pricing and building start from."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from nas_isp.errors import InputError
from nas_isp.generators.blocks import block_convs
from nas_isp.generators.conv_spec import PACKED_CHANNELS, RGB_CHANNELS, Activation, ConvSpec, strided_padding
from nas_isp.generators.head_layers import HeadLayers, head_layers

BlockRow = tuple[str, int, Activation, bool]
"""A block's kind, output channels, activation, and whether it adds its input."""


@dataclass(frozen=True)
class PlacedConv:
    """A convolution with the rows and columns of its input, and how often it is computed."""

    spec: ConvSpec
    height: int
    width: int
    times: int = 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one picture."""
        rows, columns = self.spec.output_size(self.height, self.width)
        return self.spec.weights * rows * columns * self.times


@dataclass(frozen=True)
class PlainLayers:
    """Trunk, optional color head, and tail of a plain network.

    Attributes:
        kinds: of the blocks.
        blocks: the convolutions of each block.
        head: works on the trunk's output and reads the packed picture; None without one.
        tail: the last convolution, before the shuffle.
        shuffle: factor of the final shuffle of channels into pixels.
    """

    kinds: tuple[str, ...]
    blocks: tuple[tuple[ConvSpec, ...], ...]
    head: HeadLayers | None
    tail: ConvSpec
    shuffle: int

    @property
    def chain(self) -> list[ConvSpec]:
        """The convolutions that a pixel passes one after the other: the trunk's and the tail."""
        return [*(spec for block in self.blocks for spec in block), self.tail]

    @property
    def stride(self) -> int:
        """Packed pixels to a trunk pixel, along a side."""
        return math.prod(spec.stride for spec in self.chain)

    @property
    def radius(self) -> int:
        """How far, in packed pixels and in every direction, an output pixel sees at most.

        What the head computes from the whole picture is not counted.
        """
        before = after = 0
        for spec in reversed(self.chain):
            padding = strided_padding(spec.kernel, spec.stride)[0] if spec.stride > 1 else spec.kernel // 2
            before = spec.stride * before + padding
            after = spec.stride * after + spec.kernel - 1 - padding
        # The first of the pixels that a trunk pixel covers sees farthest after itself, the last one before itself.
        return max(before + self.stride - 1, after)

    def placed_chain(self, height: int, width: int) -> Iterator[PlacedConv]:
        """The `chain` for a packed picture.

        Raises:
            InputError: a size that the network does not take.
        """
        if height % self.stride or width % self.stride:
            raise InputError(
                f"packed input is {height}x{width}; this network, of scale {self.shuffle}, needs even sides"
            )
        for spec in self.chain:
            yield PlacedConv(spec, height, width)
            height, width = spec.output_size(height, width)

    def placed(self, height: int, width: int) -> Iterator[PlacedConv]:
        """Every convolution for a packed picture.

        Raises:
            InputError: a size that the network does not take.
        """
        yield from self.placed_chain(height, width)
        if self.head is not None:
            yield PlacedConv(self.head.features, height, width)
            yield PlacedConv(self.head.scale, 1, 1)
            yield PlacedConv(self.head.shift, 1, 1)


@lru_cache(maxsize=1024)
def plain_layers(
    blocks: tuple[BlockRow, ...], scale: int, color_head: bool, tail_kernel: int, tail_activation: Activation
) -> PlainLayers:
    """The convolutions of a plain network; see `PlainArchitecture`.

    Raises:
        InputError: an unknown kind of block, or one whose convolutions do not lead from its input to its output.
    """
    channels, trunk = PACKED_CHANNELS, []
    for index, (kind, width, activation, residual) in enumerate(blocks):
        stride = 2 if index == 0 and scale == 4 else 1
        trunk.append(block_convs(kind, channels, width, stride, activation, residual))
        channels = width
    tail = ConvSpec("conv", channels, RGB_CHANNELS * scale**2, tail_kernel, activation=tail_activation)
    head = head_layers(channels) if color_head else None
    return PlainLayers(tuple(row[0] for row in blocks), tuple(trunk), head, tail, scale)
