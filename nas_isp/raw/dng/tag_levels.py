"""Black and white of a DNG file's mosaic, as its tags say them (DNG specification 1.7.1.0, chapter 5)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.dng.tags import DngTags
from nas_isp.raw.levels import Levels
from nas_isp.raw.tiff_directory import Matrix

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class BlackPlane:
    """Black of a picture `(H, W)`: a pattern that repeats, and what each row and column adds.

    Attributes:
        pattern: `(rows, columns)`, from the corner of the picture on.
        of_rows: `(H,)`.
        of_columns: `(W,)`.
    """

    pattern: Matrix
    of_rows: Matrix
    of_columns: Matrix

    def rows(self, start: int, stop: int) -> Floats:
        """Black of some rows, `(stop - start, W)`."""
        width = len(self.of_columns)
        down, across = np.arange(start, stop) % len(self.pattern), np.arange(width) % self.pattern.shape[1]
        repeated = self.pattern[down[:, None], across]
        return (repeated + self.of_rows[start:stop, None] + self.of_columns).astype(np.float32)

    @property
    def highest(self) -> float:
        """The maximum that the specification scales by: of the pattern, the rows and the columns."""
        return float(self.pattern.max() + self.of_rows.max() + self.of_columns.max())

    @property
    def of_sites(self) -> Levels | None:
        """Four numbers that say the same of the sites (0,0), (0,1), (1,0), (1,1); None where there are none."""
        if np.ptp(self.of_rows) or np.ptp(self.of_columns):
            return None
        rows, columns = self.pattern.shape
        tile = self.pattern[np.arange(2) % rows][:, np.arange(2) % columns]
        if not np.array_equal(np.tile(tile, (rows, columns)), np.tile(self.pattern, (2, 2))):
            return None
        first, second, third, fourth = (tile + self.of_rows[0] + self.of_columns[0]).ravel().tolist()
        return first, second, third, fourth


def black_plane(tags: DngTags, corner: tuple[int, int], size: tuple[int, int]) -> BlackPlane | None:
    """Black of a part of the stored picture; None where the file does not say any.

    Args:
        tags: of the file. Its patterns and deltas count from the corner of the active area.
        corner: row and column of the part in the stored picture.
        size: its height and width.
    """
    if tags.black_pattern is None and tags.black_delta_h is None and tags.black_delta_v is None:
        return None
    top, left, bottom, right = active_area(tags)
    down, across = corner[0] - top, corner[1] - left
    pattern = np.zeros((1, 1)) if tags.black_pattern is None else tags.black_pattern
    pattern = np.roll(pattern, (-down, -across), axis=(0, 1))
    of_rows = _part(tags.black_delta_v, bottom - top, down, size[0])
    return BlackPlane(pattern, of_rows, _part(tags.black_delta_h, right - left, across, size[1]))


def unfit_deltas(tags: DngTags) -> list[str]:
    """A line on each list of deltas that has another length than the active area, and is left out."""
    top, left, bottom, right = active_area(tags)
    lists = (
        ("BlackLevelDeltaH", tags.black_delta_h, right - left),
        ("BlackLevelDeltaV", tags.black_delta_v, bottom - top),
    )
    return [
        f"{name} of the file has {len(delta)} values for {length} and is not applied"
        for name, delta, length in lists
        if delta is not None and len(delta) != length
    ]


def active_area(tags: DngTags) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the active area; all of the stored picture where the file does not say."""
    return tags.active_area or (0, 0, tags.height, tags.width)


def white_of_sites(tags: DngTags, corner: tuple[int, int]) -> Levels | None:
    """Saturation of the sites (0,0), (0,1), (1,0), (1,1) at a corner of the stored picture; None for a single one.

    The specification has one value for a mosaic. Some writers give one for each site of the cell.
    """
    given = tags.white_level
    if given is None or max(given) > 65535 or len(given) != 4 or len(set(given)) == 1 or tags.samples_per_pixel != 1:
        return None
    top, left, _, _ = active_area(tags)
    sites = np.roll(np.array(given).reshape(2, 2), (top - corner[0], left - corner[1]), axis=(0, 1))
    first, second, third, fourth = sites.ravel().tolist()
    return first, second, third, fourth


def _part(delta: Matrix | None, length: int, start: int, count: int) -> Matrix:
    """A part of the deltas of the active area; zeros outside of it, and for a list that does not fit it."""
    found = np.zeros(count)
    if delta is not None and len(delta) == length:
        first, last = max(start, 0), min(start + count, length)
        found[first - start : last - start] = delta[first:last]
    return found
