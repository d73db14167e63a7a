"""The light that a network takes for neutral: what its pictures of gray are gray under."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.sensor import Gains

Floats = NDArray[np.float32]

LEVELS = (0.1, 0.2, 0.35)
"""Greens of gray surfaces, from shade to bright."""

STEPS, LONGEST_STEP, PROBE = 15, 0.4, 0.02
"""Newton steps, the longest of them and the one that slopes are taken with, in natural logarithms of gains."""

REACH = np.log(8.0)
DARKEST, BRIGHTEST = 0.02, 0.97
"""Output outside says nothing about color."""

NEUTRAL_WITHIN = 0.01


def neutral_gains(render: Callable[[Floats], Floats], start: Gains, side: int = 32) -> Gains | None:
    """Gains of R, G, B with G = 1 under whose light a network renders gray surfaces as gray.

    This is what pictures of another sensor have to be brought to. The average light of the captures that a network was
    trained on is not: what it takes for neutral follows from all of its training, above all from the photos.

    Args:
        render: packed planes `(4, h, w)` to RGB `(3, 2h, 2w)`.
        start: gains to search from, for instance the captures' average.
        side: of the gray pictures that are shown, in packed pixels; more than the network sees.

    Returns:
        None where no light makes gray come out gray, as for a network that was never trained.
    """
    start_logs = np.log(np.divide(start, start[1]))[[0, 2]]
    logs, best, best_error = start_logs, start_logs, np.inf
    for _ in range(STEPS):
        tint = _tint(render, logs, side)
        if tint is None:
            return None
        error = float(np.abs(tint).max())
        if error < best_error:
            best, best_error = logs, error
        slopes = np.empty((2, 2))
        for axis in (0, 1):
            moved = _tint(render, logs + PROBE * np.eye(2)[axis], side)
            if moved is None:
                return None
            slopes[:, axis] = (moved - tint) / PROBE
        if abs(np.linalg.det(slopes)) < 1e-4:
            break
        step = -np.linalg.solve(slopes, tint)
        logs = np.clip(logs + np.clip(step, -LONGEST_STEP, LONGEST_STEP), -REACH, REACH)
    if best_error > NEUTRAL_WITHIN:
        return None
    red, blue = (float(f"{gain:.4g}") for gain in np.exp(best))
    return (red, 1.0, blue)


def _tint(render: Callable[[Floats], Floats], logs: NDArray[np.float64], side: int) -> NDArray[np.float64] | None:
    """Mean over the levels of log R / G and log B / G of rendered gray; None where no level shows a color."""
    red, blue = np.exp(-logs)
    tints = []
    for level in LEVELS:
        gray = np.array([level * red, level, level, level * blue], np.float32)[:, None, None]
        rendered = render(np.ascontiguousarray(np.broadcast_to(gray, (4, side, side))))
        color = rendered[:, side : side + 2, side : side + 2].mean(axis=(1, 2)).astype(np.float64)
        if color.min() > DARKEST and color.max() < BRIGHTEST:
            tints.append(np.log(color[[0, 2]] / color[1]))
    return np.mean(tints, axis=0) if tints else None
