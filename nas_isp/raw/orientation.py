"""Turning a developed picture upright, and an upright one back to how the sensor saw it."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.image import RawImage

Scalar = TypeVar("Scalar", bound=np.generic)


def upright(array_hwc: NDArray[Scalar], flip: int) -> NDArray[Scalar]:
    """The picture `(H, W, C)` turned upright, `(W, H, C)` for quarter turns.

    Args:
        array_hwc: picture as the sensor saw it; a single plane `(H, W)` works as well.
        flip: LibRaw's code, three bits: 2 mirrors top-bottom, 1 mirrors left-right, 4 then swaps rows and
            columns. So 3 is a half turn, 5 a quarter turn counter-clockwise, 6 a quarter turn clockwise.

    Raises:
        ValueError: `flip` is outside 0..7.
    """
    turned = _mirrored(array_hwc, flip)
    return np.ascontiguousarray(turned.swapaxes(0, 1) if flip & 4 else turned)


def as_meant(array_hwc: NDArray[Scalar], raw: RawImage) -> NDArray[Scalar]:
    """The picture `(H, W, C)` of a mosaic's pixels as the camera means it to be seen: cropped and upright."""
    if raw.crop is not None:
        top, left, height, width = raw.crop
        array_hwc = array_hwc[top : top + height, left : left + width]
    return upright(array_hwc, raw.flip)


def turned_back(upright_hwc: NDArray[Scalar], flip: int) -> NDArray[Scalar]:
    """An upright picture `(H, W, C)` as the sensor saw it; the inverse of `upright`.

    Raises:
        ValueError: `flip` is outside 0..7.
    """
    swapped = upright_hwc.swapaxes(0, 1) if flip & 4 else upright_hwc
    return np.ascontiguousarray(_mirrored(swapped, flip))


def _mirrored(array_hwc: NDArray[Scalar], flip: int) -> NDArray[Scalar]:
    if not 0 <= flip <= 7:
        raise ValueError(f"flip is {flip}; LibRaw's codes are 0..7")
    rows = array_hwc[::-1] if flip & 2 else array_hwc
    return rows[:, ::-1] if flip & 1 else rows
