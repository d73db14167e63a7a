"""A block: the inverted bottleneck of MobileNetV2 (Sandler et al., 2018)."""

from collections.abc import Sequence

from nas_isp.generators.blocks import BlockKind
from nas_isp.generators.conv_spec import ConvSpec


class InvertedBottleneck(BlockKind):
    """Widened, filtered channel by channel, and narrowed again."""

    def convs(self, in_channels: int, out_channels: int, stride: int) -> Sequence[ConvSpec]:
        """All that there is to say: everything else about the block follows from this list."""
        wide = 2 * in_channels
        return (
            ConvSpec("expand", in_channels, wide, kernel=1, activation="relu6"),
            ConvSpec("depthwise", wide, wide, kernel=3, stride=stride, groups=wide, activation="relu6"),
            ConvSpec("project", wide, out_channels, kernel=1),
        )


INVERTED = InvertedBottleneck()
