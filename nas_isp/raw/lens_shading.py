"""Lens shading: the gains that a DNG file gives for the light that is lost towards the corners."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.dng.opcodes import GainMap, RadialGain

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
Span = tuple[int, int]

Shading = GainMap | RadialGain


def shading_gains(maps: Sequence[Shading], size: Span, rows: Span, columns: Span) -> Floats:
    """The product of all maps at a part of the active area, `(rows, columns)`.

    Args:
        maps: of the file, in its order.
        size: height and width of the active area.
        rows: first row and the one after the last, in pixels of the active area; may lie outside of it.
        columns: likewise.
    """
    gains = np.ones((rows[1] - rows[0], columns[1] - columns[0]), np.float32)
    for one in maps:
        if isinstance(one, GainMap):
            _multiply_by_map(gains, one, size, rows, columns)
        else:
            gains *= _radial(one, size, rows, columns)
    return gains


def _multiply_by_map(gains: Floats, one: GainMap, size: Span, rows: Span, columns: Span) -> None:
    """Bilinear interpolation, first down, then across."""
    top, left, bottom, right = one.area
    row_sites = _sites(rows, top, min(bottom, size[0]), one.pitch[0])
    column_sites = _sites(columns, left, min(right, size[1]), one.pitch[1])
    if not (len(row_sites) and len(column_sites)):
        return
    below, above, share = _places(row_sites, size[0], one.origin[0], one.spacing[0], one.gains.shape[0])
    down = one.gains[below] + share[:, None] * (one.gains[above] - one.gains[below])
    below, above, share = _places(column_sites, size[1], one.origin[1], one.spacing[1], one.gains.shape[1])
    factors = down[:, below] + share * (down[:, above] - down[:, below])
    at_rows = slice(row_sites[0] - rows[0], None, one.pitch[0])
    at_columns = slice(column_sites[0] - columns[0], None, one.pitch[1])
    gains[at_rows, at_columns][: len(row_sites), : len(column_sites)] *= factors


def _sites(wanted: Span, first: int, end: int, pitch: int) -> range:
    """Coordinates that a map speaks of, as far as they are wanted."""
    start = first + max(0, -(-(wanted[0] - first) // pitch)) * pitch
    return range(start, min(end, wanted[1]), pitch)


def _places(sites: range, length: int, origin: float, spacing: float, points: int) -> tuple[Indices, Indices, Floats]:
    """The points before and after each site and the share of the second; constant beyond the first and the last.

    A site's place is that of its middle (dng_gain_map of Adobe's DNG SDK).
    """
    places = (np.array(sites, np.float64) + 0.5) / length - origin
    places = np.clip(places / spacing, 0, points - 1) if points > 1 else np.zeros_like(places)
    below = np.minimum(places.astype(np.intp), max(points - 2, 0))
    return below, np.minimum(below + 1, points - 1), (places - below).astype(np.float32)


def _radial(one: RadialGain, size: Span, rows: Span, columns: Span) -> Floats:
    height, width = size
    down, across = one.center[0] * height, one.center[1] * width
    furthest = max(np.hypot(y - down, x - across) for y in (0, height) for x in (0, width))
    y = (np.arange(*rows) + 0.5 - down)[:, None] / furthest
    x = (np.arange(*columns) + 0.5 - across)[None] / furthest
    square = y * y + x * x
    factor = np.zeros_like(square)
    for term in reversed(one.terms):
        factor = (factor + term) * square
    result: Floats = np.maximum(1 + factor, 0).astype(np.float32)
    return result
