"""Values out of arrays of bytes, as camera programs hand them over: 16-bit values seen as bytes, and packed MIPI CSI-2.

picamera2 gives both as bytes, with rows filled up to a multiple of some number: which they are, a sensor description
says (`type`, `width`, `height`).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.raw.sensor import SensorDescription, StoredType

Stored = NDArray[Any]

MOST_PADDING = 255
"""Bytes at the end of a row: drivers fill up to a multiple of 16 to 256."""

GROUPS: dict[StoredType, tuple[int, int]] = {"uint8": (1, 1), "uint16": (1, 2), "mipi10": (4, 5), "mipi12": (2, 3)}
"""Values, and the bytes that hold them. Of packed ones first the upper 8 bits of each, then all their lower bits
(MIPI CSI-2, RAW10 and RAW12)."""


def stored_values(stored: Stored, sensor: SensorDescription, path: Path) -> Stored:
    """The values `(H, W)` that a file stores, where it gives them as bytes; else the array as it is.

    Raises:
        InputError: the array is not what the description says, or bytes that nothing explains.
    """
    if sensor.type is None:
        return _undescribed(stored, sensor, path)
    if sensor.type == "uint8":
        _refuse_unless(stored.dtype == np.uint8, stored, sensor, path)
        return _rows(stored, sensor.type, sensor, path) if stored.ndim == 1 else stored
    if sensor.type == "uint16":
        if stored.dtype == np.uint8:
            return _as_uint16(_rows(stored, sensor.type, sensor, path))
        _refuse_unless(stored.dtype.kind in "ui" and stored.dtype.itemsize > 1, stored, sensor, path)
        return stored
    _refuse_unless(stored.dtype == np.uint8, stored, sensor, path)
    return _unpacked(stored, sensor.type, sensor, path)


def check_size(stored: Stored, sensor: SensorDescription, path: Path) -> None:
    """Refuse values `(H, W)` (or four planes last) of another size than the description's.

    Raises:
        InputError: they are.
    """
    if stored.ndim < 2:
        return  # no mosaic, which is said elsewhere
    scale = 2 if sensor.layout == "packed-rggb" else 1
    given = tuple(scale * side for side in stored.shape[:2])
    wanted = (sensor.height, sensor.width)
    if any(side is not None and side // scale * scale != one for side, one in zip(wanted, given, strict=True)):
        described = "x".join("any" if side is None else str(side) for side in reversed(wanted))
        raise InputError(
            f"{path}: {given[1]}x{given[0]} values, but its sensor description says {described}; "
            "correct `width` and `height`, or give the whole file"
        )


def _undescribed(stored: Stored, sensor: SensorDescription, path: Path) -> Stored:
    """Bytes cannot reach the white of most sensors; 16-bit values seen as bytes are known by their size."""
    if stored.dtype != np.uint8 or int(sensor.white) << sensor.shift <= 255:
        return stored
    if None not in (sensor.width, sensor.height) and stored.shape == (sensor.height, 2 * (sensor.width or 0)):
        return _as_uint16(stored)
    raise InputError(
        f"{path}: bytes, which do not reach the white level {sensor.white:g} of its sensor description; if they hold "
        "larger values, say so there by `width`, `height` and `type` (uint16, mipi10, mipi12)"
    )


def _refuse_unless(fits: bool, stored: Stored, sensor: SensorDescription, path: Path) -> None:
    if not fits:
        wanted = f"type '{sensor.type}'"
        raise InputError(
            f"{path}: holds {str(stored.dtype)[:40]}, but its sensor description says {wanted}; correct it"
        )


def _unpacked(stored: Stored, kind: StoredType, sensor: SensorDescription, path: Path) -> NDArray[np.uint16]:
    """Values of packed rows."""
    values, taken = GROUPS[kind]
    low_bits = sensor.bits - 8
    rows = _rows(stored, kind, sensor, path)
    groups = rows.reshape(len(rows), -1, taken).astype(np.uint16)
    lowest = groups[..., values:]  # of mipi10 one byte of four values, of mipi12 one of two
    unpacked = np.stack(
        [
            groups[..., at] << low_bits | (lowest[..., 0] >> low_bits * at) & ((1 << low_bits) - 1)
            for at in range(values)
        ],
        axis=-1,
    )
    return unpacked.reshape(len(rows), -1)[:, : sensor.width]


def _rows(stored: Stored, kind: StoredType, sensor: SensorDescription, path: Path) -> NDArray[np.uint8]:
    """Bytes `(H, bytes of a row)` without what fills the rows up."""
    if sensor.width is None or sensor.height is None:
        raise InputError(f"{path}: bytes of type '{kind}' need `width` and `height` in their sensor description")
    values, taken = GROUPS[kind]
    wanted = -(-sensor.width // values) * taken
    stride, rest = divmod(stored.size, sensor.height)
    is_rows = stored.ndim == 1 or (stored.ndim == 2 and len(stored) == sensor.height)
    if rest or not is_rows or not wanted <= stride <= wanted + MOST_PADDING:
        shape = "x".join(str(side) for side in stored.shape)
        raise InputError(
            f"{path}: {shape} bytes, but {sensor.width}x{sensor.height} values of type '{kind}' have "
            f"{sensor.height} rows of {wanted} bytes, filled up by at most {MOST_PADDING}; correct the description"
        )
    return np.ascontiguousarray(stored.reshape(sensor.height, stride)[:, :wanted])


def _as_uint16(rows: Stored) -> NDArray[np.uint16]:
    """Low byte first."""
    values: NDArray[np.uint16] = np.ascontiguousarray(rows).view("<u2")
    return values
