"""Where a small picture of a scene lies in a large one of the same capture, whatever the tones and colors of both.

Both are compared by the gradients of their luma, each divided by how strong gradients are around it: a tone curve, a
cast or a vignette changes those little. Scale and place are found by correlating both pictures at many scales and
refined by least squares on ever finer pictures (Lucas, Kanade, "An iterative image registration technique", 1981). How
strong the large picture's gradients are in the small one is fitted beside the place, as noise or sharpening of one of
them would else pass for another scale.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Floats = NDArray[np.float64]

LUMA = (0.299, 0.587, 0.114)
AXES = ((1, 0), (0, 1))
"""Orders of the derivatives down and across."""

COARSE_SIDE = 128
"""Longer side of the small picture while it is looked for."""

FINE_SIDE = 640
"""The same for the last refinement: what is finer tells the place no better."""

SCALES = 1.02 ** np.arange(-20, 21)
"""Looked through, relative to that at which both pictures show the same: margins, bars and zooms change it."""

AROUND = 8.0
"""Standard deviation in pixels of the surroundings by whose gradients a gradient is divided."""

LEAST_CORRELATION = 0.25
"""Of the gradients: pictures of the same capture have two to three times as much, others less than a tenth."""

MOST_BEND = 0.08
"""How much farther from its center a corner may lie than without distortion."""

WORTH_A_BEND = 1.003
"""So many times as much correlation a distortion has to bring, or there is none."""

MOST_STEPS, MOST_STEP, SMALL_STEP = 20, 2.0, 0.01
"""Of a refinement, the largest in pixels of the small picture, and the one at which it ends."""

LEAST_STRENGTH = 0.1
"""Of gradients in the small picture: with less of them the place would be guessed."""

LEAST_COVERED = 0.5
"""Share of the small picture that lies in the large one."""


@dataclass(frozen=True)
class Placement:
    """A small picture in a large one: its center lies at `center`, a pixel of it is `scale` pixels of the large one.

    Attributes:
        center: row and column in the large picture's pixels, counted from its upper left corner.
        scale: pixels of the large picture in one of the small one, down and across.
        bend: what the camera has corrected of the lens: a point at the share r of the way to the small picture's corner
            lies 1 + bend r^2 times as far from the center.
        correlation: of the gradients of both pictures there, at most 1.
    """

    center: tuple[float, float]
    scale: tuple[float, float]
    bend: float = 0.0
    correlation: float = 0.0


class NotRegisteredError(ValueError):
    """The two pictures do not show the same, as far as can be told."""


def register(picture: NDArray[Any], small: NDArray[Any]) -> Placement:
    """Find a small picture in a large one of the same capture, to about a tenth of the small one's pixels.

    Args:
        picture: the large one `(H, W, 3)`, upright like the small one.
        small: `(h, w, 3)`; at most as fine as the large one.

    Raises:
        NotRegisteredError: their gradients do not agree anywhere, or the small one lies mostly outside.
    """
    sums, sought = _sums(_luma(picture)), _luma(small).astype(np.float64)
    placement = _looked_for(sums, sought)
    for side in (COARSE_SIDE, 2 * COARSE_SIDE):
        placement = _refined(sums, sought, side, placement, bends=True)
    bent = _refined(sums, sought, FINE_SIDE, placement, bends=True)
    placement = _refined(sums, sought, FINE_SIDE, replace(bent, bend=0.0), bends=False)
    if bent.correlation > placement.correlation * WORTH_A_BEND:
        placement = bent
    if placement.correlation < LEAST_CORRELATION:
        raise NotRegisteredError(
            f"their gradients correlate by {placement.correlation:.2f}, and pictures of one capture by "
            f"{LEAST_CORRELATION} or more"
        )
    inside = covered(placement, picture.shape[:2], small.shape[:2])
    if inside.mean() < LEAST_COVERED:
        raise NotRegisteredError(f"only {inside.mean():.0%} of the small picture lie in the large one")
    return placement


def reduced(picture: NDArray[Any], placement: Placement, size: tuple[int, int]) -> Floats:
    """The large picture as the small one shows it: each pixel is the mean over the area that it covers.

    Args:
        picture: `(H, W, C)`.
        placement: of the small picture in it.
        size: rows and columns of the small picture.

    Returns:
        `(h, w, C)` in the picture's values; where a pixel is not `covered` it has those at the border.
    """
    return np.stack([_means(_sums(plane), placement, size) for plane in np.moveaxis(picture, -1, 0)], -1)


def covered(placement: Placement, shape: tuple[int, ...], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels of the small picture lie wholly in the large one of rows and columns `shape`: `(h, w)`."""
    rows, columns, halves = _areas(placement, size)
    down, across = halves
    inside = (rows >= down) & (rows <= shape[0] - down) & (columns >= across) & (columns <= shape[1] - across)
    return np.asarray(inside)


def _luma(picture: NDArray[Any]) -> NDArray[np.float32]:
    red, green, blue = (np.float32(weight) * picture[..., channel] for channel, weight in enumerate(LUMA))
    return np.asarray(red + green + blue, np.float32)


def _sums(plane: NDArray[Any]) -> Floats:
    """Sums `(H + 1, W + 1)` of all that lies above and left."""
    sums = np.zeros((plane.shape[0] + 1, plane.shape[1] + 1))
    np.cumsum(np.cumsum(plane, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    return sums


def _areas(placement: Placement, size: tuple[int, int]) -> tuple[Floats, Floats, tuple[Floats, Floats]]:
    """Rows and columns of the centers of the small picture's pixels in the large one, and half the sides of each."""
    height, width = size
    down = (np.arange(height) + 0.5 - height / 2)[:, None]
    across = (np.arange(width) + 0.5 - width / 2)[None, :]
    stretch = 1 + placement.bend * (down**2 + across**2) * 4 / (height**2 + width**2)
    (top, left), (tall, wide) = placement.center, placement.scale
    return top + tall * down * stretch, left + wide * across * stretch, (tall / 2 * stretch, wide / 2 * stretch)


def _means(sums: Floats, placement: Placement, size: tuple[int, int]) -> Floats:
    """Means over the areas of the small picture's pixels, to fractions of a pixel, by four sums each."""
    rows, columns, (down, across) = _areas(placement, size)
    height, width = (side - 1 for side in sums.shape)
    top, bottom = (np.clip(rows + way * down, 0, height) for way in (-1, 1))
    left, right = (np.clip(columns + way * across, 0, width) for way in (-1, 1))

    def at(row: Floats, column: Floats) -> Floats:
        found: Floats = ndimage.map_coordinates(sums, (row, column), order=1, mode="nearest")
        return found

    total = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left)
    area = (bottom - top) * (right - left)
    return np.asarray(total / np.maximum(area, 1e-6))


def _gradients(plane: Floats) -> Floats:
    """Gradients `(2, h, w)` down and across, divided by the mean strength around."""
    found = np.stack([ndimage.gaussian_filter(plane, 0.7, order=order) for order in AXES])
    strength = np.sqrt(ndimage.gaussian_filter((found**2).sum(0), min(AROUND, max(plane.shape) / 8)))
    return np.asarray(found / (strength + 0.1 * strength.mean() + 1e-9))


def _coarser(plane: Floats, most_side: int) -> tuple[Floats, int]:
    """A plane reduced by a whole factor to at most so many pixels a side, around the same center; and the factor."""
    factor = -(-max(plane.shape) // most_side)
    if factor <= 1:
        return plane, 1
    middle = Placement((plane.shape[0] / 2, plane.shape[1] / 2), (factor, factor))
    return _means(_sums(plane), middle, (plane.shape[0] // factor, plane.shape[1] // factor)), factor


def _looked_for(sums: Floats, small: Floats) -> Placement:
    """The place and scale at which coarse versions of both correlate best."""
    coarse, factor = _coarser(small, COARSE_SIDE)
    wanted = _gradients(coarse)
    height, width = (side - 1 for side in sums.shape)
    middle = (height / 2, width / 2)
    best = Placement(middle, (1.0, 1.0), correlation=-1.0)
    for scale in min(height / coarse.shape[0], width / coarse.shape[1]) * SCALES:
        size = max(8, round(height / scale)), max(8, round(width / scale))
        seen = _gradients(_means(sums, Placement(middle, (scale, scale)), size))
        down, right, correlation = _best_shift(seen, wanted)
        if correlation > best.correlation:
            center = (middle[0] + scale * down, middle[1] + scale * right)
            best = Placement(center, (scale / factor,) * 2, correlation=correlation)
    return best


def _best_shift(seen: Floats, wanted: Floats) -> tuple[float, float, float]:
    """How far down and right of the center of `seen (2, H, W)` that of `wanted (2, h, w)` lies, and the correlation."""
    sizes = list(zip(wanted.shape[1:], seen.shape[1:], strict=True))
    shape = [fft.next_fast_len(sum(sides)) for sides in sizes]
    spectrum = (fft.rfft2(seen, shape) * fft.rfft2(wanted, shape).conj()).sum(0)
    found = fft.irfft2(spectrum, shape)
    at = np.unravel_index(int(found.argmax()), found.shape)
    corner = [int(place) - (side if place > side // 2 else 0) for place, side in zip(at, shape, strict=True)]
    down, right = (first + (own - whole) / 2 for first, (own, whole) in zip(corner, sizes, strict=True))
    return down, right, float(found[at] / np.sqrt((seen**2).sum() * (wanted**2).sum() + 1e-9))


def _refined(sums: Floats, small: Floats, most_side: int, start: Placement, bends: bool) -> Placement:
    """The placement at which gradients differ least, on a small picture of at most so many pixels a side."""
    part, factor = _coarser(small, most_side)
    wanted, size = _gradients(part), (part.shape[0], part.shape[1])
    placement = replace(start, scale=(start.scale[0] * factor, start.scale[1] * factor))
    whole = tuple(side - 1 for side in sums.shape)
    used = ndimage.binary_erosion(covered(placement, whole, size), iterations=3, border_value=1)
    for _ in range(MOST_STEPS):
        seen = _gradients(_means(sums, placement, size))
        terms = (np.stack([seen, *_slopes(seen, bends)]) * used).reshape(5 + bends, -1)
        strength, *steps = np.linalg.pinv(terms @ terms.T) @ (terms @ wanted.ravel())
        step = np.clip(np.array(steps) / max(strength, LEAST_STRENGTH), -MOST_STEP, MOST_STEP)
        placement = _moved(placement, step, size)
        if np.abs(step).max() < SMALL_STEP:
            break
    seen = _gradients(_means(sums, placement, size))
    correlation = float((seen * wanted).sum() / np.sqrt((seen**2).sum() * (wanted**2).sum() + 1e-9))
    scale = (placement.scale[0] / factor, placement.scale[1] / factor)
    return replace(placement, scale=scale, correlation=correlation)


def _slopes(seen: Floats, bends: bool) -> Floats:
    """How gradients `(2, h, w)` change when center, ends of the sides, corners move by a pixel: `(4 or 5, 2, h, w)`."""
    down, across = (np.stack([ndimage.gaussian_filter(part, 0.7, order=order) for part in seen]) for order in AXES)
    height, width = seen.shape[1:]
    row = ((np.arange(height) + 0.5) / height * 2 - 1)[:, None]
    column = ((np.arange(width) + 0.5) / width * 2 - 1)[None, :]
    diagonal = float(np.hypot(height, width))
    radius = ((row * height) ** 2 + (column * width) ** 2) / diagonal**2
    outward = (down * row * height + across * column * width) * radius / diagonal
    return np.stack([down, across, down * row, across * column, *([outward] if bends else [])])


def _moved(placement: Placement, step: Floats, size: tuple[int, int]) -> Placement:
    """A placement moved by the pixels of `_slopes`."""
    (top, left), (tall, wide) = placement.center, placement.scale
    bend = placement.bend + (2 * step[4] / float(np.hypot(*size)) if len(step) == 5 else 0.0)
    return Placement(
        (float(top + tall * step[0]), float(left + wide * step[1])),
        (float(tall * (1 + 2 * step[2] / size[0])), float(wide * (1 + 2 * step[3] / size[1]))),
        float(np.clip(bend, -MOST_BEND, MOST_BEND)),
    )
