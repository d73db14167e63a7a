"""Photos and RAW files that no random damage would give: bombs and sizes that the pixels do not bear out."""

import struct
import zlib
from pathlib import Path

from tests.dng_files import CFA_BYTES
from tests.hostile.hostile_parts import Contents, zeros


def png(width: int, height: int, depth: int, color: int, rows: int | None = None) -> bytes:
    """A PNG of zeros that claims a size; `rows` of it are there."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    row = 1 + (width * channels * depth + 7) // 8
    packed = b"\x78\x01" + zeros(row * (height if rows is None else rows)) + b"\x03\x00"
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)),
        (b"IDAT", packed),
        (b"IEND", b""),
    ]
    if color == 3:
        chunks.insert(1, (b"PLTE", bytes(6)))
        chunks.insert(2, (b"tRNS", bytes(1)))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def mosaic_pngs(folder: Path) -> Contents:
    yield "a.png", png(30000, 30000, 16, 0, rows=1)
    yield "a.png", png(13000, 13000, 16, 0)
    yield "a.png", png(2**31 - 1, 2**31 - 1, 16, 0, rows=0)
    yield "a.png", png(64, 48, 8, 2)
    yield "a.png", png(64, 48, 1, 0)
    yield "a.png", png(3, 3, 16, 0)


def photo_pngs(folder: Path) -> Contents:
    yield "a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(executed) (w) file closefile\n"
    yield "a.png", png(10480, 10480, 8, 6)
    yield "a.png", png(13000, 13000, 8, 6)
    yield "a.png", png(13000, 13000, 1, 3)
    yield "a.png", png(13000, 13000, 8, 2, rows=1)
    yield "a.png", png(2**31 - 1, 1, 8, 2, rows=0)
    yield "a.png", png(1, 170_000_000, 1, 0, rows=1)
    yield "a.png", png(64, 48, 16, 0)
    yield "a.png", png(64, 48, 16, 2)


def deep_pngs(folder: Path) -> Contents:
    yield "a.png", png(5000, 5000, 16, 6)
    yield "a.png", png(13000, 13000, 16, 2)
    yield "a.png", png(10000, 10000, 16, 2, rows=1)
    yield "a.png", png(64, 48, 16, 2)


def dngs(folder: Path) -> Contents:
    """Sizes, filters and levels that the pixels do not bear out."""
    content = (folder / "a.dng").read_bytes()
    for width, height in ((60000, 60000), (65535, 65535), (30000, 20000), (64, 10**6), (1, 1), (0, 0), (3, 3)):
        yield "a.dng", with_tags(content, {256: width, 257: height})
    for pattern in ((0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 2, 3), (9, 9, 9, 9), (2, 1, 0, 1)):
        yield "a.dng", content.replace(bytes(CFA_BYTES["RGGB"]), bytes(pattern))
    for tag, value in ((50717, 0), (50717, 65535), (50717, 60), (258, 1), (258, 32), (259, 7), (259, 34892), (277, 3)):
        yield "a.dng", with_tags(content, {tag: value})


def with_tags(content: bytes, values: dict[int, int]) -> bytes:
    """A little-endian TIFF with other values of tags that hold one number."""
    changed, place = bytearray(content), struct.unpack_from("<I", content, 4)[0]
    for index in range(struct.unpack_from("<H", content, place)[0]):
        entry = place + 2 + 12 * index
        tag, _, number = struct.unpack_from("<HHI", content, entry)
        if tag in values and number == 1:
            struct.pack_into("<HHII", changed, entry, tag, 4, 1, values[tag])
    return bytes(changed)
