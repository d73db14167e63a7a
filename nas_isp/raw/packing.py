"""Mosaic to packed planes in canonical order and back; aligning any Bayer phase to RGGB."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.raw.image import Crop, Mosaic, RawImage
from nas_isp.raw.levels import Levels, from_sensor_values, to_sensor_values
from nas_isp.raw.sensor import Cfa

Site = tuple[int, int]
CfaSites = tuple[Site, Site, Site, Site]

CANONICAL_SITES: dict[Cfa, CfaSites] = {
    "RGGB": ((0, 0), (0, 1), (1, 0), (1, 1)),
    "BGGR": ((1, 1), (1, 0), (0, 1), (0, 0)),
    "GRBG": ((0, 1), (0, 0), (1, 1), (1, 0)),
    "GBRG": ((1, 0), (1, 1), (0, 0), (0, 1)),
}
"""(row, column) in the 2x2 cell of R, the green in the red row, the green in the blue row, and B."""


LEAST_SIDE = 4
"""Pixels of the smallest mosaic: demosaicing looks two pixels far."""


def pack(raw: RawImage) -> NDArray[np.float32]:
    """Packed planes, float32 `(4, H/2, W/2)`, order R, G1 (red row), G2 (blue row), B: (x - black) / (white - black).

    Neither end is clipped: noise below black stays negative.
    """
    return from_sensor_values(pack_values(raw.mosaic, raw.cfa), canonical_black(raw), raw.white)


def unpack(packed: NDArray[np.float32], cfa: Cfa, black: Levels, white: float) -> NDArray[np.uint16]:
    """The mosaic `(H, W)` of packed planes `(4, H/2, W/2)`; the exact inverse of `pack`.

    Args:
        packed: planes in canonical order; values outside 0..65535 after scaling saturate.
        cfa: phase of the mosaic to make.
        black: black level of the sites (0,0), (0,1), (1,0), (1,1), as in `RawImage`.
        white: saturation level.
    """
    return unpack_values(to_sensor_values(packed, in_plane_order(black, cfa), white), cfa)


def pack_values(mosaic: Mosaic, cfa: Cfa) -> Mosaic:
    """Sites of a mosaic `(H, W)` as planes `(4, H/2, W/2)`, canonical order, values untouched."""
    return np.stack([mosaic[row::2, column::2] for row, column in CANONICAL_SITES[cfa]])


def unpack_values(planes: NDArray[np.uint16], cfa: Cfa) -> NDArray[np.uint16]:
    """The mosaic `(H, W)` whose sites are `planes` `(4, H/2, W/2)`; the exact inverse of `pack_values`."""
    _, height, width = planes.shape
    mosaic = np.empty((2 * height, 2 * width), planes.dtype)
    for plane, (row, column) in zip(planes, CANONICAL_SITES[cfa], strict=True):
        mosaic[row::2, column::2] = plane
    return mosaic


def canonical_black(raw: RawImage) -> Levels:
    """Black levels in plane order R, G1 (red row), G2 (blue row), B."""
    return in_plane_order(raw.black, raw.cfa)


def in_plane_order(sites: Levels, cfa: Cfa) -> Levels:
    """Levels of the sites (0,0), (0,1), (1,0), (1,1) in plane order R, G1 (red row), G2 (blue row), B."""
    first, second, third, fourth = (sites[2 * row + column] for row, column in CANONICAL_SITES[cfa])
    return (first, second, third, fourth)


def align_to_rggb(raw: RawImage) -> RawImage:
    """The same picture with R at row 0, column 0.

    Crops one row and/or column on both sides where the phase differs, so every pixel keeps its neighbors;
    an RGGB picture is returned as it is.

    Raises:
        InputError: less than 4x4 pixels would be left of the picture.
    """
    top, left = CANONICAL_SITES[raw.cfa][0]
    if (top, left) == (0, 0):
        return raw
    height, width = raw.mosaic.shape
    least_height, least_width = LEAST_SIDE + 2 * top, LEAST_SIDE + 2 * left
    if height < least_height or width < least_width:
        raise InputError(
            f"{raw.source or 'RAW'}: {width}x{height} is too small for a {raw.cfa} mosaic, of which rows or columns at "
            f"the borders are left out; at least {least_width}x{least_height}"
        )
    mosaic = raw.mosaic[top : height - top, left : width - left]
    black = np.roll(np.array(raw.black).reshape(2, 2), (top, left), axis=(0, 1)).ravel()
    return replace(
        raw,
        mosaic=np.ascontiguousarray(mosaic),
        cfa="RGGB",
        black=(float(black[0]), float(black[1]), float(black[2]), float(black[3])),
        crop=None if raw.crop is None else _within(raw.crop, (top, left), mosaic.shape),
    )


def storable(raw: RawImage) -> tuple[RawImage, int]:
    """The picture with a uint16 mosaic, and the factor between its values and the sensor's: 1 for sensor values.

    A flattened mosaic has fractions. It is multiplied by the largest power of two that leaves white within 16 bits,
    and so are the levels, so that rounding costs next to nothing.
    """
    if raw.mosaic.dtype == np.uint16:
        return raw, 1
    room = max(65535 // max(int(np.ceil(raw.white)), 1), 1)
    factor = 1 << room.bit_length() - 1
    mosaic = np.clip(np.rint(raw.mosaic * np.float32(factor)), 0, 65535).astype(np.uint16)
    first, second, third, fourth = (factor * level for level in raw.black)
    return replace(raw, mosaic=mosaic, black=(first, second, third, fourth), white=factor * raw.white), factor


def _within(crop: Crop, offset: Site, size: tuple[int, ...]) -> Crop:
    """A crop counted from `offset`, as far as it lies in a picture of that size."""
    starts = [min(max(crop[axis] - offset[axis], 0), size[axis]) for axis in (0, 1)]
    stops = [min(crop[axis] + crop[2 + axis] - offset[axis], size[axis]) for axis in (0, 1)]
    return starts[0], starts[1], stops[0] - starts[0], stops[1] - starts[1]
