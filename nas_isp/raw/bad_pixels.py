"""Pixels that a file says are bad, filled from their neighbors of the same color."""

import numpy as np
from numpy.typing import NDArray

SAME_COLOR = 2
"""Rows or columns to the next site of a Bayer mosaic's color."""

PASSES = 8
"""Holes of twice as many pixels of one color across are filled; larger ones keep their values in the middle."""


def filled(mosaic: NDArray[np.uint16], bad: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """The mosaic `(H, W)` with each bad pixel the mean of its good neighbors of its color, from the rim inwards."""
    result, left = mosaic.copy(), bad.copy()
    for _ in range(PASSES):
        rows, columns = np.nonzero(left)
        if not len(rows):
            break
        total, count = np.zeros(len(rows)), np.zeros(len(rows))
        for down, right in ((-SAME_COLOR, 0), (SAME_COLOR, 0), (0, -SAME_COLOR), (0, SAME_COLOR)):
            y, x = rows + down, columns + right
            inside = (y >= 0) & (y < mosaic.shape[0]) & (x >= 0) & (x < mosaic.shape[1])
            y, x = np.where(inside, y, rows), np.where(inside, x, columns)
            good = inside & ~left[y, x]
            total += np.where(good, result[y, x], 0)
            count += good
        known = count > 0
        if not known.any():
            break
        result[rows[known], columns[known]] = np.rint(total[known] / count[known]).astype(np.uint16)
        left[rows[known], columns[known]] = False
    return result
