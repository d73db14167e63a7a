"""The sRGB transfer curve (IEC 61966-2-1) of arrays; `raw.classical` has it for tensors."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def encoded(linear: Floats) -> Floats:
    """sRGB values of linear light, cut to 0..1."""
    cut = np.clip(linear, 0, 1)
    curved: Floats = np.where(cut <= 0.0031308, 12.92 * cut, 1.055 * np.maximum(cut, 0.0031308) ** (1 / 2.4) - 0.055)
    return curved.astype(np.float32)


def decoded(values: Floats) -> Floats:
    """The inverse of `encoded`."""
    linear: Floats = np.where(values <= 0.04045, values / 12.92, ((np.maximum(values, 0.04045) + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)
