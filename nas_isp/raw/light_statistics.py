"""What a light shows itself by: the colors of a capture's blocks, told in few numbers that move with the light.

All colors are logarithms of ratios to green, so another light or another sensor's gains only shift them. That is what
lets one estimator serve every sensor (Finlayson, "Corrected-Moment Illuminant Estimation", ICCV 2013; Barron, Tsai,
"Fast Fourier Color Constancy", CVPR 2017).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.saturation import SATURATED

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]

GRID = 64
"""A capture is looked at in about the square of so many blocks, whatever its size: noise is averaged away."""

USABLE_SHARE = 0.95
"""Share of a block's cells that must be usable: around a blown part lie cells of which some samples have stopped."""

LEAST_LEVEL = 2e-4
"""Share of saturation below which a block's color is noise and an error of the black level."""

LEAST_BLOCKS = 4
LEAST_VALUE = 1e-4
DARKEST = 5.5
"""Natural logarithm of the contrast below the brightest blocks that is looked at."""

POWERS = (1, 2, 4, 8)
QUANTILES = (0.99, 0.9)
BRIGHT_TO_DARK = (0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 1.0)
EDGE_POWERS = (1, 4)
COLOR_QUANTILES = (0.1, 0.5, 0.9)

COLORS = len(POWERS) + len(QUANTILES) + len(BRIGHT_TO_DARK) - 1 + len(EDGE_POWERS) + len(COLOR_QUANTILES)
SHAPES = 3 + len(BRIGHT_TO_DARK) - 2 + 2


@dataclass(frozen=True)
class LightStatistics:
    """Numbers of one capture.

    Attributes:
        colors: `(COLORS, 2)` log of red and of blue over green: guesses at the color of the light. Under gains they
            shift by the gains' logarithms.
        shapes: `(SHAPES,)` what gains do not change: how far colors spread, contrasts, level, share that is usable.
    """

    colors: Numbers
    shapes: Numbers


def light_statistics(packed: Floats, saturation: float, gains: tuple[float, float, float]) -> LightStatistics | None:
    """Statistics of a capture that is balanced with gains near the wanted ones; None where too little is usable.

    Args:
        packed: planes `(4, h, w)`, or patches of one capture `(B, 4, h, w)`; black subtracted, in units of white. What
            is not finite is left out.
        saturation: where samples stop, in the same units.
        gains: of R, G, B, with which brightness is judged and from which colors are counted.
    """
    blocks, usable = _blocks(packed, saturation)
    if usable.sum() < LEAST_BLOCKS:
        return None
    balanced = blocks * np.array(gains)[:, None, None, None]
    values = np.log(np.maximum(balanced[:, usable], LEAST_VALUE))
    level = values.mean(axis=0)
    values = values[:, level > np.quantile(level, 0.999) - DARKEST]
    by_level = values[:, np.argsort(-values.mean(axis=0), kind="stable")]
    color = by_level[::2] - by_level[1]
    bounds = [round(share * color.shape[1]) for share in BRIGHT_TO_DARK]
    groups = [slice(min(start, color.shape[1] - 1), max(stop, start + 1)) for start, stop in pairwise(bounds)]
    edges = _edges(balanced, usable)
    moments = [
        *(_moment(np.exp(by_level), power) for power in POWERS),
        *(np.log(np.quantile(np.exp(by_level), share, axis=1)) for share in QUANTILES),
        *(by_level[:, group].mean(axis=1) for group in groups),
        *(_moment(edges, power) for power in EDGE_POWERS),
    ]
    colors = [*((red - green, blue - green) for red, green, blue in moments)]
    colors += [*np.quantile(color, COLOR_QUANTILES, axis=1)]
    levels = np.array([by_level[:, group].mean() for group in groups])
    spread = color.std(axis=1)
    together = (color - color.mean(axis=1, keepdims=True)).prod(axis=0).mean() / (spread.prod() + 1e-3)
    shapes = [*spread, together, *(levels[:-1] - levels[1:]), levels[0], usable.mean()]
    return LightStatistics(np.array(colors), np.array(shapes))


def _moment(values: Numbers, power: int) -> Numbers:
    """Logarithms `(3,)` of the power means of values `(3, n)`."""
    moment: Numbers = np.log((values**power).mean(axis=1)) / power
    return moment


def _blocks(packed: Floats, saturation: float) -> tuple[Numbers, NDArray[np.bool_]]:
    """Means of R, G, B `(3, B, rows, columns)` in units of saturation over a block's usable cells, and which count."""
    patches = packed.reshape(-1, *packed.shape[-3:])
    count, _, height, width = patches.shape
    side = max(1, min(height, width, round((count * height * width) ** 0.5 / GRID)))
    rows, columns = height // side, width // side
    cells = patches[:, :, : rows * side, : columns * side] / np.float32(saturation)
    usable = np.isfinite(cells).all(axis=1) & (cells.max(axis=1) < SATURATED)
    cells = np.where(usable[:, None], cells, 0).reshape(count, 4, rows, side, columns, side)
    number = usable.reshape(count, rows, side, columns, side).sum(axis=(2, 4))
    sums = cells.sum(axis=(3, 5), dtype=np.float64)
    red, green1, green2, blue = (sums / np.maximum(number, 1)[:, None]).swapaxes(0, 1)
    means = np.stack((red, (green1 + green2) / 2, blue))
    counts = (number >= USABLE_SHARE * side * side) & (means.max(axis=0) > LEAST_LEVEL)
    return means, counts


def _edges(balanced: Numbers, usable: NDArray[np.bool_]) -> Numbers:
    """Differences `(3, n)` of neighboring blocks that both count."""
    down = np.abs(np.diff(balanced, axis=2))[:, usable[:, 1:] & usable[:, :-1]]
    right = np.abs(np.diff(balanced, axis=3))[:, usable[:, :, 1:] & usable[:, :, :-1]]
    both = np.concatenate((down, right), axis=1)
    return both + 1e-6 if both.size else np.full((3, 1), LEAST_VALUE)
