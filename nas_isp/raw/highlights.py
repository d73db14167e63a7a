"""Blown highlights: where a sensor has stopped, and how a picture is kept from showing that as a colour."""

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.sensor import Gains

Floats = NDArray[np.float32]

BLOWN_FROM, BLOWN_AT = 0.94, 0.99
"""Between these shares of saturation a cell passes from picture to white; samples there are noisy and not linear."""


def blown_share(packed: Floats, saturation: float, white_balance: Gains) -> Floats:
    """How far each 2x2 cell has lost its colour to saturation, `(h, w)`: 0 a picture, 1 white.

    It is 1 where the classical rendering is white, namely where even the balanced channel that reaches furthest below
    the others has come to the level at which the first channel saturates. A cell with no sample near saturation has 0
    whatever its colour, and so has one in which a channel still tells: a saturated green beside a low red is a colour.

    Args:
        packed: planes `(4, h, w)`.
        saturation: where samples stop, in units of the planes.
        white_balance: gains that make the light of the picture neutral; only their ratios count.
    """
    gains = np.array(white_balance, np.float32) / (min(white_balance) * saturation)
    least = packed[0] * gains[0]
    for plane, gain in ((packed[1], gains[1]), (packed[2], gains[1]), (packed[3], gains[2])):
        np.minimum(least, plane * gain, out=least)
    share: Floats = np.clip((least - BLOWN_FROM) / (BLOWN_AT - BLOWN_FROM), 0, 1)
    return share


def whitened(rgb: Floats, share: Floats) -> Floats:
    """A picture `(3, H, W)`, 0..1, drawn to white by `share` `(H, W)`; unchanged where that is 0."""
    white: Floats = rgb + share * (1 - rgb)
    return white
