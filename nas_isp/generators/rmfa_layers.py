"""An RMFA network as its convolutions: what counting, pricing and building start from. See `rmfa` for what they do."""

from collections.abc import Iterator
from dataclasses import dataclass

from nas_isp.generators.conv_spec import RGB_CHANNELS, ConvSpec
from nas_isp.generators.layers import PlacedConv

REDUCTION = 16
"""Channels in per channel in the middle of the channel attention."""

BLOCK_RADIUS = 21
"""How far a pixel sees through a block: 17 through the pyramid, 1 through the fusion, 3 through the attention."""


@dataclass(frozen=True)
class RmfaBlockLayers:
    """The convolutions of a block; `levels` work at 1/2, 1/4 and 1/4 of the side, `squeeze` and `excite` on a pixel."""

    high_freq: ConvSpec
    low_freq: ConvSpec
    levels: tuple[ConvSpec, ConvSpec, ConvSpec]
    fusion: ConvSpec
    squeeze: ConvSpec
    excite: ConvSpec
    spatial: ConvSpec


@dataclass(frozen=True)
class RmfaLayers:
    """All convolutions; those outside of the blocks work at twice the packed sides, as do most within."""

    depth: int
    first: ConvSpec
    second: ConvSpec
    block: RmfaBlockLayers
    last: ConvSpec

    @property
    def radius(self) -> int:
        """Upper bound of what an output pixel sees, in packed pixels, without the channel attention."""
        rgb_pixels = 2 + BLOCK_RADIUS * self.depth + 1
        return -(-rgb_pixels // 2)

    def placed(self, height: int, width: int) -> Iterator[PlacedConv]:
        """Every convolution for a packed picture of so many rows and columns."""
        rows, columns = 2 * height, 2 * width
        for spec in (self.first, self.second):
            yield PlacedConv(spec, rows, columns)
        for _ in range(self.depth):
            for spec in (self.block.high_freq, self.block.low_freq):
                yield PlacedConv(spec, rows, columns)
            for spec, shrink in zip(self.block.levels, (2, 4, 4), strict=True):
                yield PlacedConv(spec, rows // shrink, columns // shrink)
            yield PlacedConv(self.block.fusion, rows, columns)
            # Of the mean and of the maximum, with the same weights.
            yield PlacedConv(self.block.squeeze, 1, 1, times=2)
            yield PlacedConv(self.block.excite, 1, 1, times=2)
            yield PlacedConv(self.block.spatial, rows, columns)
        yield PlacedConv(self.last, rows, columns)


def rmfa_layers(width: int, depth: int) -> RmfaLayers:
    """The convolutions of a network of so many channels and blocks."""
    return RmfaLayers(
        depth,
        ConvSpec("first", RGB_CHANNELS, width),
        ConvSpec("second", width, width),
        _block(width),
        ConvSpec("last", width, RGB_CHANNELS, activation="sigmoid"),
    )


def _block(width: int) -> RmfaBlockLayers:
    half, narrow = width // 2, max(width // REDUCTION, 1)
    level1, level2, level3 = (ConvSpec(f"level{number}", width, width, activation="relu") for number in (1, 2, 3))
    return RmfaBlockLayers(
        high_freq=ConvSpec("high_freq", width, half, kernel=1, activation="relu"),
        low_freq=ConvSpec("low_freq", width, half, activation="relu"),
        levels=(level1, level2, level3),
        fusion=ConvSpec("fusion", 2 * width, width, activation="relu"),
        squeeze=ConvSpec("squeeze", width, narrow, kernel=1, activation="relu", bias=False),
        excite=ConvSpec("excite", narrow, width, kernel=1, bias=False),
        spatial=ConvSpec("spatial", 2, 1, kernel=7, activation="sigmoid", bias=False),
    )
