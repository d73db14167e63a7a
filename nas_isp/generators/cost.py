"""What a generator costs and how far it sees, from its description alone."""

from dataclasses import dataclass

from nas_isp.generators.architecture import Architecture
from nas_isp.picture_size import FULL_HD_PACKED


@dataclass(frozen=True)
class Cost:
    """Parameters and multiply-accumulates (in units of 1e9) of a deployed generator, convolutions only."""

    params: int
    gmacs: float


def count(
    architecture: Architecture, packed_height: int = FULL_HD_PACKED[0], packed_width: int = FULL_HD_PACKED[1]
) -> Cost:
    """Count the deployed form for one packed picture.

    Raises:
        InputError: a size the network does not take.
    """
    placed = list(architecture.layers.placed(packed_height, packed_width))
    return Cost(sum(conv.spec.params for conv in placed), sum(conv.macs for conv in placed) / 1e9)


def receptive_field(architecture: Architecture) -> int:
    """How far, in packed pixels and in every direction, an output pixel sees at most.

    What a network computes from the whole picture (a color head, channel attention) is not counted.
    """
    return architecture.layers.radius
