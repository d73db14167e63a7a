"""What crafted files are made of: code, arrays, archives and zeros that take no space."""

import contextlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from nas_isp.errors import InputError
from nas_isp.raw.readers import told_header

Contents = Iterable[tuple[str, bytes]]
"""Files of a folder, and what is put into them."""

BLOCK = 1 << 24
BOMB_BYTES = 3 << 30
"""More than may be used: what is unpacked must be refused before."""


class Executed:
    """A pickle of this runs a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("touch executed ../executed",)


def check_header(path: Path) -> None:
    """A RAW file's header tells nothing, what can be right, or what is wrong; the reader of the whole file goes on."""
    with contextlib.suppress(InputError):
        header = told_header(path)
        if header is not None:
            assert min(header.size) >= 4
            assert 0 <= min(header.black) <= max(header.black) < header.white
            assert header.white_balance is None or np.isfinite(header.white_balance).all()


def npy(array: Any) -> bytes:
    """The `.npy` file of an array, pickled if need be."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy_claiming(shape: tuple[int, ...], kind: str = "<u2", header: str | None = None) -> bytes:
    """A `.npy` file whose header claims what does not follow."""
    text = header or f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    encoded = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(encoded)) + encoded + bytes(64)


def packed_archive(members: dict[str, bytes], inflated: str = "", unpacked_bytes: int = 0) -> bytes:
    """A zip archive with packed members; in that named `inflated` so many zeros follow, which take a thousandth."""
    parts, directory = bytearray(), bytearray()
    for name, content in members.items():
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        more_bytes = unpacked_bytes if name == inflated else 0
        packed = packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
        packed += zeros(more_bytes) + packer.flush()
        sizes = struct.pack("<III", zlib.crc32(content), len(packed), len(content) + more_bytes)
        head = struct.pack("<HHHHH", 20, 0, zipfile.ZIP_DEFLATED, 0, 33) + sizes + struct.pack("<HH", len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + head
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(parts)) + name.encode()
        parts += b"PK\x03\x04" + head + name.encode() + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(parts), 0)
    return bytes(parts + directory) + b"PK\x05\x06" + end


@cache
def zeros(unpacked_bytes: int) -> bytes:
    """So many zeros as a part of a deflated stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(bytes(unpacked_bytes % BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (unpacked_bytes // BLOCK) + last
