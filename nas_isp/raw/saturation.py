"""The level at which a sensor really stops, which is often below the one its description gives."""

import numpy as np

from nas_isp.raw.image import Mosaic, RawImage
from nas_isp.raw.levels import subtract_black

SATURATED = 0.95
"""Share of saturation above which a sample says nothing about color."""

SEARCHED_SHARE = 0.85
"""A sensor stops at this share of the way from black to white or above; what gathers lower is a scene."""

LEAST_SHARE, LEAST_SAMPLES = 2e-5, 32
"""Fewer samples than this at one level do not show where the sensor stops."""

PROMINENCE = 12.0
"""How much fuller than the levels below on the average one level must be."""

ABOVE_SHARE = 1.0
"""Samples above that level, from resampling or hot pixels, may at most be this many times those at it."""


def packed_saturation(raw: RawImage) -> float:
    """The level at which the samples of a picture stop, in units of its packed planes: 1 at the described white."""
    black = float(np.mean(raw.black))
    return subtract_black(observed_saturation(raw.mosaic, black, raw.white), black, raw.white)


def observed_saturation(mosaic: Mosaic, black: float, white: float) -> float:
    """The level at which the samples of a mosaic `(H, W)` gather, or `white` where none shows.

    Amplifiers and converters clip before the end of the scale: the 10-bit Nokia N900 stops at 959, not at 1023. Taken
    at its description, a blown sky of such a sensor has a color. Saturated samples of all channels share one level,
    and nothing else at the top of a noisy picture does.
    """
    lowest = max(int(black + SEARCHED_SHARE * (white - black)), 1)
    bright = mosaic[mosaic >= lowest]
    if len(bright) < LEAST_SAMPLES:
        return white
    counts = np.bincount((bright - lowest).astype(np.intp))
    peak = int(counts.argmax())
    below = counts[:peak].mean() if peak else 0.0
    enough = counts[peak] >= max(LEAST_SAMPLES, LEAST_SHARE * mosaic.size)
    if enough and counts[peak] > PROMINENCE * below and counts[peak + 1 :].sum() <= ABOVE_SHARE * counts[peak]:
        return min(float(lowest + peak), white)
    return white
