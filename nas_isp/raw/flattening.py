"""A mosaic with one black level, into whose values all other black levels and gains against lens shading are worked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.dng.tag_levels import BlackPlane
from nas_isp.raw.lens_shading import Shading, shading_gains
from nas_isp.raw.levels import Levels, flatten
from nas_isp.raw.saturation import observed_saturation

STRIP = 256
"""Rows at a time, so that planes of the picture's size are not held."""


@dataclass(frozen=True)
class Shadings:
    """Gain maps, and where a mosaic lies in the area that they speak of.

    Attributes:
        maps: in the order in which they are applied.
        size: height and width of the area.
        corner: row and column of the mosaic in it.
    """

    maps: Sequence[Shading]
    size: tuple[int, int]
    corner: tuple[int, int] = (0, 0)


def pedestal_of(black: BlackPlane) -> float:
    """The one black level of a flattened mosaic: the highest of all."""
    return max(black.highest, 0.0)


def flattened(
    mosaic: NDArray[np.uint16], black: BlackPlane, shading: Shadings, white: float, whites: Levels | None = None
) -> NDArray[np.float32]:
    """The mosaic with the black level `pedestal_of(black)`. What has saturated before has afterwards, at any gain.

    Args:
        mosaic: `(H, W)`.
        black: of every pixel.
        shading: what its values are multiplied by.
        white: saturation level.
        whites: of the sites (0,0), (0,1), (1,0), (1,1), where they differ.
    """
    flat, pedestal = mosaic.astype(np.float32), pedestal_of(black)
    if pedestal >= min(whites or (white,)):
        return flat
    height, width = mosaic.shape
    ceiling = observed_saturation(mosaic, pedestal, white)
    down, across = shading.corner
    cells = np.array(whites or (white,) * 4, np.float32).reshape(2, 2)
    for start in range(0, height, STRIP):
        stop = min(start + STRIP, height)
        rows, columns = (down + start, down + stop), (across, across + width)
        gains = shading_gains(shading.maps, shading.size, rows, columns) if shading.maps else None
        limits: NDArray[np.float32] | np.float32 = np.float32(ceiling)
        if whites is not None:
            tiled = np.tile(cells, (-(-(stop - start) // 2), -(-width // 2)))[: stop - start, :width]
            of_sites = np.float32(white - pedestal) / (tiled - np.float32(pedestal))
            gains = of_sites if gains is None else gains * of_sites
            limits = tiled * np.float32(ceiling / white)
        stopped = mosaic[start:stop] >= limits
        flatten(flat[start:stop], black.rows(start, stop), gains, pedestal, ceiling)
        flat[start:stop][stopped] = ceiling
    return flat
