"""The color head of a plain network as its convolutions; see `deployed.ColorHead` for what they do."""

from dataclasses import dataclass

from nas_isp.generators.conv_spec import PACKED_CHANNELS, ConvSpec

HEAD_CHANNELS = 8
"""Numbers that a color head computes from the whole picture."""


@dataclass(frozen=True)
class HeadLayers:
    """The maps of a color head, all 1x1: from the packed picture, and from its mean to a scale and a shift."""

    features: ConvSpec
    scale: ConvSpec
    shift: ConvSpec


def head_layers(channels: int) -> HeadLayers:
    """The color head of a trunk with so many channels at its end."""
    return HeadLayers(
        ConvSpec("features", PACKED_CHANNELS, HEAD_CHANNELS, kernel=1, activation="relu"),
        ConvSpec("scale", HEAD_CHANNELS, channels, kernel=1),
        ConvSpec("shift", HEAD_CHANNELS, channels, kernel=1),
    )
