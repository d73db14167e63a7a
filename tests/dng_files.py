"""Writes small DNG files for the tests of the readers."""

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tifffile
from numpy.typing import NDArray

CFA_BYTES = {"RGGB": (0, 1, 1, 2), "BGGR": (2, 1, 1, 0), "GRBG": (1, 0, 2, 1), "GBRG": (1, 2, 0, 1)}
XYZ_TO_CAMERA = (1.0, -0.3, -0.05, -0.4, 1.2, 0.2, -0.05, 0.2, 0.6)


def write_dng(
    path: Path,
    mosaic: NDArray[np.uint16],
    cfa: str = "RGGB",
    black: tuple[int, int, int, int] = (60, 61, 62, 63),
    white: int | tuple[int, ...] = 1023,
    neutral: tuple[int, int, int] | None = (50, 100, 60),
    active_area: tuple[int, int, int, int] | None = None,
    orientation: int = 1,
    pattern: tuple[int, ...] | None = None,
    photometric: int = 32803,
    default_crop: tuple[int, int, int, int] | None = None,
    exposure_s: tuple[int, int] | None = None,
    extra_tags: Sequence[tuple[Any, ...]] = (),
    xyz_to_camera: tuple[float, ...] = XYZ_TO_CAMERA,
    black_pattern: tuple[int, int, Sequence[float]] | None = None,
    byteorder: Literal["<", ">"] = "<",
) -> Path:
    """An uncompressed DNG; `active_area` is top, left, bottom, right; `neutral` is the camera color of gray x 100.

    `default_crop` is left, top, width, height within the active area. `extra_tags` are those of tifffile.
    `black_pattern` has rows, columns and values of black levels that repeat otherwise than the color filters.
    """
    cells = pattern or CFA_BYTES[cfa]
    side = round(len(cells) ** 0.5)
    tags: list[tuple[Any, ...]] = [
        (50706, "B", 4, (1, 4, 0, 0), True),
        (50708, "s", 0, "Test camera", True),
        (50717, "H", np.size(white), white, True),
        (50721, "2i", 9, fractions(xyz_to_camera), True),
        (274, "H", 1, orientation, True),
    ]
    if photometric == 32803:
        tags += [(33421, "H", 2, (side, side), True), (33422, "B", len(cells), cells, True)]
        rows, columns, levels = black_pattern or (2, 2, black)
        tags += [(50713, "H", 2, (rows, columns), True), (50714, "2I", len(levels), fractions(levels, 100), True)]
    if neutral:
        tags.append((50728, "2I", 3, tuple(n for value in neutral for n in (value, 100)), True))
    if active_area:
        tags.append((50829, "H", 4, active_area, True))
    if default_crop:
        tags += [(50719, "H", 2, default_crop[:2], True), (50720, "H", 2, default_crop[2:], True)]
    if exposure_s:
        tags += [(271, "s", 0, "Test", True), (272, "s", 0, "Test T1", True), (33434, "2I", 1, exposure_s, True)]
    tifffile.imwrite(
        path, mosaic, photometric=photometric, extratags=[*tags, *extra_tags], metadata=None, byteorder=byteorder
    )
    return path


def fractions(values: Iterable[float], below: int = 10_000) -> tuple[int, ...]:
    """Numerators and denominators in turns, as tags of fractions hold them."""
    return tuple(number for value in values for number in (round(value * below), below))


def opcode_list(*opcodes: tuple[int, bytes]) -> bytes:
    """The bytes of an OpcodeList tag: numbers of opcodes and their parameters, big-endian in any file."""
    parts = [struct.pack(">4I", code, 0x01030000, 0, len(parameters)) + parameters for code, parameters in opcodes]
    return struct.pack(">I", len(parts)) + b"".join(parts)


def gain_map(
    gains: NDArray[np.float32], area: tuple[int, int, int, int], pitch: tuple[int, int] = (1, 1)
) -> tuple[int, bytes]:
    """A GainMap opcode whose points `(rows, columns)` span the picture from edge to edge."""
    rows, columns = gains.shape
    head = struct.pack(">10I", *area, 0, 1, *pitch, rows, columns)
    places = struct.pack(">4dI", 1 / max(rows - 1, 1), 1 / max(columns - 1, 1), 0.0, 0.0, 1)
    return 9, head + places + gains.astype(">f4").tobytes()
