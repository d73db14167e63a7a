"""Builds small ICC profiles (version 2) for tests; the description is anything, as in real files."""

import struct
from collections.abc import Sequence

import numpy as np

TO_D50 = np.array(
    [[1.0479298, 0.0229468, -0.0501922], [0.0296278, 0.9904345, -0.0170738], [-0.0092430, 0.0150552, 0.7518742]]
)
"""XYZ of D65 to that of D50 (Bradford), as CSS Color 4 has it."""

SRGB_TO_XYZ = np.array(
    [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
)


def rgb_profile(curve: float | Sequence[int], description: str, to_xyz: np.ndarray = SRGB_TO_XYZ) -> bytes:
    """Three curves and a matrix; `curve` is an exponent, or a table 0..65535; `to_xyz` is for the white D65."""
    columns = (TO_D50 @ to_xyz).T
    tags = {b"desc": _desc(description), b"cprt": _text("none"), b"wtpt": _xyz((0.9642, 1.0, 0.8249))}
    tags |= {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(curve))
    return _profile(b"RGB ", tags)


def gray_profile(curve: float, description: str) -> bytes:
    """One curve."""
    tags = {b"desc": _desc(description), b"cprt": _text("none"), b"wtpt": _xyz((0.9642, 1.0, 0.8249))}
    return _profile(b"GRAY", tags | {b"kTRC": _curve(curve)})


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = start + len(data)
    date = struct.pack(">6H", 2020, 1, 1, 0, 0, 0)
    head = struct.pack(">I4sI4s4s4s12s4s", size, b"lcms", 0x02400000, b"mntr", space, b"XYZ ", date, b"acsp")
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def _curve(curve: float | Sequence[int]) -> bytes:
    if isinstance(curve, float):
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(curve * 256))
    return b"curv" + bytes(4) + struct.pack(f">I{len(curve)}H", len(curve), *curve)


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _desc(text: str) -> bytes:
    ascii_text = text.encode("ascii") + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(ascii_text)) + ascii_text + bytes(8 + 2 + 1 + 67)


def _text(text: str) -> bytes:
    return b"text" + bytes(4) + text.encode("ascii") + b"\0"
