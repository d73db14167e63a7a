"""Blown highlights: where a sensor has stopped, and how a picture is kept from showing that as a color."""

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.sensor import Gains

Floats = NDArray[np.float32]

BLOWN_FROM, BLOWN_AT = 0.94, 0.99
"""Between these shares of saturation a cell passes from picture to white; samples there are noisy and not linear."""


def blown_share(packed: Floats, saturation: float, white_balance: Gains) -> Floats:
    """How far each 2x2 cell has lost its color to saturation, `(h, w)`: 0 a picture, 1 white.

    It is 1 where the classical rendering is white, namely where even the balanced channel that reaches furthest below
    the others has come to the level at which the first channel saturates. A cell with no sample near saturation has 0
    whatever its color, and so has one in which a channel still tells: a saturated green beside a low red is a color.

    Args:
        packed: planes `(4, h, w)`.
        saturation: where samples stop, in units of the planes.
        white_balance: gains that make the light of the picture neutral; only their ratios count.
    """
    red, green, blue = np.array(white_balance, np.float32) / np.float32(min(white_balance) * saturation)
    gains = np.array((red, green, green, blue))
    share: Floats = np.zeros(packed.shape[1:], np.float32)
    first = int(gains.argmin())  # saturates before the others: where it has not, nothing is blown
    cells = np.nonzero(packed[first] * gains[first] > BLOWN_FROM)
    least = (packed[:, cells[0], cells[1]] * gains[:, None]).min(axis=0)
    share[cells] = np.clip((least - BLOWN_FROM) / (BLOWN_AT - BLOWN_FROM), 0, 1)
    return share


def whitened(rgb: Floats, share: Floats) -> Floats:
    """A picture `(3, H, W)`, 0..1, drawn to white by `share` `(H, W)`; unchanged where that is 0."""
    white: Floats = rgb + share * (1 - rgb)
    return white
