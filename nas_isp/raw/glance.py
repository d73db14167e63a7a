"""A glance at a whole picture: means of its blocks, from which light and exposure are told."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

GLANCE_SIDE = 24
"""Blocks a side."""


def glance(planes: NDArray[Any], side: int = GLANCE_SIDE) -> NDArray[np.float32]:
    """Means `(C, side, side)` of the blocks that divide planes `(C, h, w)`, in linear light if the planes are.

    Blocks of a picture with fewer rows or columns than `side` hold one each, some of them twice.
    """
    rows, columns = (_edges(length, side) for length in planes.shape[1:])
    summed = np.add.reduceat(np.add.reduceat(planes, rows[0], axis=1, dtype=np.float32), columns[0], axis=2)
    return (summed / (rows[1][:, None] * columns[1])).astype(np.float32)


def _edges(length: int, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each block begins, and how long it is."""
    edges = np.arange(count + 1) * length // count
    return edges[:-1], np.maximum(np.diff(edges), 1)
