"""RAW of one sensor brought to the colors of another, as a mosaic.

A balanced color of the file's sensor is brought to linear sRGB by the file's matrix, from there to a balanced color
of the wanted sensor by the inverse of its matrix, and unbalanced by its gains. The gains are exact for every sample.
The matrices need all three colors at every site, and a mosaic has one. Both have rows that sum to 1, so what they add
to a sample depends on color *differences* alone, and those are smooth in pictures: they are taken from a low-pass of
the three colors around each cell. So gray stays gray, flat colors come out exactly as on the wanted sensor, the
detail of the mosaic passes untouched, and the matrices, which amplify noise in a developed picture, add next to none
here. What is missed is the exchange of colors in patterns as fine as the mosaic.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_isp.cores import available_cores
from nas_isp.raw.highlights import blown_share
from nas_isp.raw.sensor import Gains

Floats = NDArray[np.float32]
Matrix = NDArray[np.float32]

STRIP = 32
"""Rows worked on at a time: what lies in between fits a cache, and memory does not grow with the picture."""

UNCHANGED = 1e-6

PLANE_COLORS = (0, 1, 1, 2)
PLANE_SHIFTS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
"""Where the middle of a cell lies, seen from each plane's sample: a quarter of a cell down or up, right or left."""

TAPS = {1: (0.125, 0.5, 0.375), -1: (0.375, 0.5, 0.125)}
"""Weights of the samples before, at and after: centerd on the middle of the cell, equally wide for all planes."""


@dataclass(frozen=True)
class ColorExchange:
    """What brings the samples of one sensor to another.

    Attributes:
        from_gains: make the file's light neutral, G = 1.
        to_gains: make the light neutral for which the wanted sensor's pictures are expected.
        matrix: balanced colors of the file's sensor to balanced colors of the wanted one, rows sum to 1.
    """

    from_gains: Gains
    to_gains: Gains
    matrix: Matrix

    @property
    def changes_nothing(self) -> bool:
        """Whether both sensors are the same in the same light."""
        gains = np.abs(np.log(np.divide(self.from_gains, self.to_gains))).max()
        return bool(max(gains, np.abs(self.matrix - np.eye(3)).max()) < UNCHANGED)


def color_exchange(
    from_gains: Gains, to_gains: Gains, from_matrix: Matrix | None = None, to_matrix: Matrix | None = None
) -> ColorExchange:
    """The exchange between two sensors; by gains alone where either has no matrix, or one that cannot be inverted.

    Args:
        from_gains: gains of R, G, B of the file's light.
        to_gains: gains of the wanted sensor.
        from_matrix: balanced colors of the file's sensor to linear sRGB, `(3, 3)`.
        to_matrix: the same of the wanted sensor.
    """
    matrix = np.eye(3)
    if from_matrix is not None and to_matrix is not None and abs(np.linalg.det(to_matrix)) > 1e-3:
        wanted, given = (np.asarray(one, np.float64) for one in (to_matrix, from_matrix))
        exchange = np.linalg.inv(wanted / wanted.sum(1, keepdims=True)) @ (given / given.sum(1, keepdims=True))
        matrix = exchange / exchange.sum(1, keepdims=True)
    return ColorExchange(_green_one(from_gains), _green_one(to_gains), matrix.astype(np.float32))


def exchanged(packed: Floats, exchange: ColorExchange, saturation: float = 1.0) -> Floats:
    """Packed planes `(4, h, w)` as the wanted sensor would have given them; the same array if nothing changes.

    A sample saturates at `saturation` before and after. Where the file's sensor has lost the color to saturation, the
    result is the wanted sensor's neutral, from the level where its first channel stops up to all channels stopped, in
    step with the samples that still rise: it never gets a color that the file does not hold.

    Args:
        packed: planes of the file, 1 at white, not clipped below 0.
        exchange: both sensors.
        saturation: where samples stop, in units of the planes.
    """
    if exchange.changes_nothing:
        return packed
    _, height, _ = packed.shape
    result = np.empty_like(packed)

    def fill(start: int) -> None:
        stop = min(start + STRIP, height)
        above, below = max(start - 1, 0), min(stop + 1, height)
        strip = _exchanged_strip(packed[:, above:below], exchange, saturation)
        result[:, start:stop] = strip[:, start - above : strip.shape[1] - (below - stop)]

    with ThreadPoolExecutor(available_cores()) as pool:
        list(pool.map(fill, range(0, height, STRIP)))
    return result


def _exchanged_strip(packed: Floats, exchange: ColorExchange, saturation: float) -> Floats:
    """All rows of a strip; the first and the last are right only where they are those of the picture."""
    gains = np.array(exchange.from_gains, np.float32)[list(PLANE_COLORS), None, None]
    blown = blown_share(packed, saturation, exchange.from_gains)
    balanced = packed * gains
    clip = np.float32(saturation * min(exchange.from_gains))
    if blown.any():
        balanced += blown * (np.minimum(balanced, clip) - balanced)
    if np.abs(exchange.matrix - np.eye(3)).max() >= UNCHANGED:
        _exchange_colors(balanced, exchange.matrix)
    balanced /= np.array(exchange.to_gains, np.float32)[list(PLANE_COLORS), None, None]
    np.minimum(balanced, saturation, out=balanced)
    if blown.any():
        balanced += _fullness(packed, exchange.from_gains, saturation) * blown * (saturation - balanced)
    return balanced


def _exchange_colors(balanced: Floats, matrix: Matrix) -> None:
    """Add to every sample, in place, what the matrix makes of the color differences around it."""
    red, green1, green2, blue = (_centerd(plane, *PLANE_SHIFTS[index]) for index, plane in enumerate(balanced))
    green = (green1 + green2) / 2
    red_over_green, blue_over_green = red - green, blue - green
    added = (matrix - np.eye(3, dtype=np.float32))[:, (0, 2)]  # of a row that sums to 0
    changes = [by_red * red_over_green + by_blue * blue_over_green for by_red, by_blue in added]
    for plane, color in zip(balanced, PLANE_COLORS, strict=True):
        plane += changes[color]


def _centerd(plane: Floats, down: int, right: int) -> Floats:
    """A low-pass of a plane `(h, w)` at the middles of the cells; the border is repeated outside."""
    padded = np.pad(plane, 1, mode="edge")
    before, at, after = TAPS[right]
    rows = before * padded[:, :-2] + at * padded[:, 1:-1] + after * padded[:, 2:]
    before, at, after = TAPS[down]
    smooth: Floats = before * rows[:-2] + at * rows[1:-1] + after * rows[2:]
    return smooth


def _fullness(packed: Floats, gains: Gains, saturation: float) -> Floats:
    """From 0 where a neutral cell's first channel saturates to 1 where its last one does, `(h, w)`."""
    least = packed.min(axis=0) / np.float32(saturation)
    first = min(gains) / max(gains)
    if first > 1 - UNCHANGED:
        return np.ones_like(least)
    full: Floats = np.clip((least - first) / (1 - first), 0, 1).astype(np.float32)
    return full


def _green_one(gains: Gains) -> Gains:
    red, green, blue = gains
    return (red / green, 1.0, blue / green)
