"""ICC profiles of three curves and a matrix as numbers, for photos of more bits than Pillow's color engine takes.

ICC.1:2022, 8.3.3 and 10. All other profiles, and photos of 8 bits, are the engine's.
"""

import struct

import numpy as np

from nas_isp.data.color_spaces import Chromaticity, Curve, Floats, Primaries, RgbSpace

MOST_TAGS = 100
MOST_ENTRIES = 65536
COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
CURVES = (b"rTRC", b"gTRC", b"bTRC")
PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
"""Numbers of a parametric curve of each type."""


def matrix_space(profile: bytes) -> RgbSpace | None:
    """The space of a profile of curves and a matrix; None for one of tables, another color space, or a damaged one."""
    try:
        return _space(profile)
    except (struct.error, ValueError, ZeroDivisionError, IndexError):
        return None


def _space(profile: bytes) -> RgbSpace | None:
    if profile[16:24] != b"RGB XYZ ":
        return None
    (count,) = struct.unpack_from(">I", profile, 128)
    tags: dict[bytes, bytes] = {}
    for number in range(min(count, MOST_TAGS)):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        tags[name] = profile[start : start + size]
    if any(name.startswith(b"A2B") or name.startswith(b"D2B") for name in tags):
        return None
    if not all(name in tags for name in (*COLORANTS, *CURVES)):
        return None
    columns = [np.array(struct.unpack_from(">3i", tags[name], 8)) / 65536 for name in COLORANTS]
    red, green, blue, white = (_chromaticity(xyz) for xyz in (*columns, np.sum(columns, axis=0)))
    primaries = Primaries(red, green, blue, white)
    curves = [_curve(tags[name]) for name in CURVES]
    if not primaries.usable:
        return None
    return RgbSpace(primaries, lambda coded: np.stack([curve(coded) for curve in curves], axis=-1))


def _chromaticity(xyz: Floats) -> Chromaticity:
    total = float(xyz.sum())
    return float(xyz[0]) / total, float(xyz[1]) / total


def _curve(content: bytes) -> Curve:
    kind = content[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", content, 8)
        if count > MOST_ENTRIES:
            raise ValueError("too many entries")
        table = np.array(struct.unpack_from(f">{count}H", content, 12), np.float64)
        if count == 0:
            return lambda coded: coded
        if count == 1:
            exponent = float(table[0]) / 256
            return lambda coded: np.clip(coded, 0, 1) ** exponent
        return lambda coded: np.interp(coded, np.linspace(0, 1, count), table / 65535)
    if kind != b"para":
        raise ValueError("no curve")
    (function,) = struct.unpack_from(">H", content, 8)
    numbers = struct.unpack_from(f">{PARAMETERS.get(function, 8)}i", content, 12)
    return _parametric(function, [number / 65536 for number in numbers])


def _parametric(function: int, numbers: list[float]) -> Curve:
    """Table 68 of the specification: (a x + b) ** g + e from x = d on, and c x + f below."""
    power, a, b, c, d, e, f = [*numbers, *(0.0,) * (7 - len(numbers))]
    if function == 0:
        a = 1.0
    elif function in (1, 2):
        c, d, e, f = 0.0, -b / a, c, c

    def curve(coded: Floats) -> Floats:
        return np.where(coded >= d, np.clip(a * coded + b, 0, None) ** power + e, c * coded + f)

    return curve
