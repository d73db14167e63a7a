"""Where to cut patches out of a picture, and which of them show something."""

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError

FLAT_BELOW = 0.004
"""Detail below which a patch counts as flat: one 8-bit level from block to block."""

BLOCK = 4


def check_patch_size(size: int) -> None:
    """Refuse patch sides that no packed mosaic can have.

    Raises:
        InputError: odd, or under 16 pixels.
    """
    if size < 16 or size % 2:
        raise InputError(f"patch size {size}: give an even number of pixels, at least 16")


def grid_positions(height: int, width: int, size: int, wanted: int) -> list[tuple[int, int]]:
    """Top-left corners of patches spread evenly over a picture, at even coordinates.

    Patches do not overlap if that gives enough of them; otherwise they overlap by at most half their side. A side that
    is no multiple of the patch is covered from edge to edge, so its patches lie apart or overlap a little.
    There may be more corners than wanted; none if the picture is smaller than a patch.
    """
    apart = [(top, left) for top in _starts(height, size, size) for left in _starts(width, size, size)]
    if len(apart) >= wanted:
        return apart
    return [(top, left) for top in _starts(height, size, size // 2) for left in _starts(width, size, size // 2)]


def detail(plane: NDArray[np.float32]) -> float:
    """Mean absolute difference between neighboring 4x4 block means of a plane `(h, w)` in 0..1.

    The means keep noise from passing for detail.
    """
    rows, columns = plane.shape[0] // BLOCK, plane.shape[1] // BLOCK
    blocks = plane[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3))
    across, down = np.abs(np.diff(blocks, axis=1)), np.abs(np.diff(blocks, axis=0))
    return float((across.sum() + down.sum()) / max(across.size + down.size, 1))


def choose(details: list[float], quota: int, rng: np.random.Generator, drop_flat: bool) -> list[int]:
    """Which candidates to keep, at most `quota`, in ascending order.

    Patches that are not flat are drawn at random first. Flat ones fill up the quota, or with `drop_flat` are left out;
    but the best candidate is kept if all are flat.
    """
    order = rng.permutation(len(details))
    lively = [int(index) for index in order if details[index] >= FLAT_BELOW]
    flat = [int(index) for index in order if details[index] < FLAT_BELOW]
    if drop_flat:
        flat = [] if lively else [int(np.argmax(details))]
    return sorted((lively + flat)[:quota])


def _starts(length: int, size: int, step: int) -> list[int]:
    if length < size:
        return []
    last = (length - size) // 2 * 2
    count = max(1, last // step + 1)
    return sorted({int(start) // 2 * 2 for start in np.linspace(0, last, count)})
