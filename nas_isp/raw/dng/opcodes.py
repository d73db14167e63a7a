"""Opcode lists of DNG files: what a converter has to do to the picture (DNG specification 1.7.1.0, chapter 7).

The bytes are those of strangers: every count is held against what is left of the list before it is used, and a list
that is damaged anywhere is refused whole.
"""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NAMES = {
    1: "WarpRectilinear",
    2: "WarpFisheye",
    3: "FixVignetteRadial",
    4: "FixBadPixelsConstant",
    5: "FixBadPixelsList",
    6: "TrimBounds",
    7: "MapTable",
    8: "MapPolynomial",
    9: "GainMap",
    10: "DeltaPerRow",
    11: "DeltaPerColumn",
    12: "ScalePerRow",
    13: "ScalePerColumn",
    14: "WarpRectilinear2",
}
FIX_VIGNETTE_RADIAL, FIX_BAD_PIXELS_CONSTANT, FIX_BAD_PIXELS_LIST, GAIN_MAP = 3, 4, 5, 9

MOST_OPCODES = 64
MOST_POINTS = 4096
"""Map points a side: phones have 17 by 13."""

MOST_BAD = 100_000
"""More bad pixels than a sensor leaves its factory with."""

MOST_GAIN = 100.0
"""No lens loses more than 99 % of its light; larger gains are damage."""


@dataclass(frozen=True)
class Opcode:
    """One instruction: its number, and its parameters as they are stored."""

    code: int
    parameters: bytes

    @property
    def name(self) -> str:
        """The specification's name."""
        return NAMES.get(self.code, f"opcode {self.code}")


@dataclass(frozen=True)
class GainMap:
    """Factors on some sites of a picture, between map points by bilinear interpolation.

    Attributes:
        area: top, left, bottom, right, in pixels of the active area; sites outside are left alone.
        pitch: every so many rows and columns of the area, from its corner on.
        spacing: rows and columns between map points, in units of the picture's height and width.
        origin: of the first point, in the same units.
        gains: `(rows, columns)` of the map's first plane, which is a mosaic's.
    """

    area: tuple[int, int, int, int]
    pitch: tuple[int, int]
    spacing: tuple[float, float]
    origin: tuple[float, float]
    gains: NDArray[np.float32]


@dataclass(frozen=True)
class RadialGain:
    """Factor 1 + k0 r^2 + k1 r^4 + ... + k4 r^10 at the distance r from a center, r = 1 at the furthest corner.

    Attributes:
        terms: k0 to k4.
        center: row and column in units of height and width.
    """

    terms: tuple[float, ...]
    center: tuple[float, float]


def read_opcodes(content: bytes) -> list[Opcode] | None:
    """The instructions of a list; None for a damaged one, an empty list for no bytes."""
    if not content:
        return []
    if len(content) < 4:
        return None
    (count,) = struct.unpack_from(">I", content)
    if count > MOST_OPCODES:
        return None
    found, at = [], 4
    for _ in range(count):
        if at + 16 > len(content):
            return None
        code, _, _, size = struct.unpack_from(">4I", content, at)
        at += 16
        if size > len(content) - at:
            return None
        found.append(Opcode(code, content[at : at + size]))
        at += size
    return found


def read_gain_map(opcode: Opcode) -> GainMap | None:
    """The map of a GainMap instruction; None for a damaged one."""
    content = opcode.parameters
    if len(content) < 76:
        return None
    top, left, bottom, right, _, _, row_pitch, column_pitch, rows, columns = struct.unpack_from(">10I", content)
    spacing_v, spacing_h, origin_v, origin_h = struct.unpack_from(">4d", content, 40)
    (planes,) = struct.unpack_from(">I", content, 72)
    if max(rows, columns) > MOST_POINTS or planes < 1 or min(rows, columns, row_pitch, column_pitch) < 1:
        return None
    if 4 * rows * columns * planes != len(content) - 76 or not (top < bottom and left < right):
        return None
    if max(bottom, right, row_pitch, column_pitch) >= 1 << 31:
        return None
    measures = np.array((spacing_v, spacing_h, origin_v, origin_h))
    if not np.isfinite(measures).all() or (rows > 1 and spacing_v <= 0) or (columns > 1 and spacing_h <= 0):
        return None
    gains = np.frombuffer(content, ">f4", offset=76).reshape(rows, columns, planes)[..., 0].astype(np.float32)
    if not (np.isfinite(gains).all() and gains.min() > 0 and gains.max() <= MOST_GAIN):
        return None
    pitch = (row_pitch, column_pitch)
    return GainMap((top, left, bottom, right), pitch, (spacing_v, spacing_h), (origin_v, origin_h), gains)


def read_radial_gain(opcode: Opcode) -> RadialGain | None:
    """The terms of a FixVignetteRadial instruction; None for a damaged one."""
    if len(opcode.parameters) != 56:
        return None
    numbers = struct.unpack(">7d", opcode.parameters)
    if not np.isfinite(numbers).all() or max(map(abs, numbers)) > MOST_GAIN:
        return None
    horizontal, vertical = numbers[5:]
    return RadialGain(numbers[:5], (vertical, horizontal))


def read_bad_value(opcode: Opcode) -> int | None:
    """The stored value that marks a pixel as bad, of a FixBadPixelsConstant instruction; None for a damaged one."""
    return int(struct.unpack(">2I", opcode.parameters)[0]) if len(opcode.parameters) == 8 else None


def read_bad_areas(opcode: Opcode) -> NDArray[np.int64] | None:
    """Top, left, bottom, right `(N, 4)` of bad pixels, of a FixBadPixelsList instruction; None for a damaged one."""
    content = opcode.parameters
    if len(content) < 12:
        return None
    _, points, areas = struct.unpack_from(">3I", content)
    if 8 * points + 16 * areas != len(content) - 12 or points + areas > MOST_BAD:
        return None
    corners = np.frombuffer(content, ">u4", 2 * points, 12).reshape(-1, 2).astype(np.int64)
    given = np.frombuffer(content, ">u4", 4 * areas, 12 + 8 * points).reshape(-1, 4).astype(np.int64)
    return np.concatenate((np.concatenate((corners, corners + 1), axis=1), given))
