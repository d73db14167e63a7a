"""Code points of ITU-T H.273 in files: the chunk `cICP` of PNG, and the box `colr` of HEIC and AVIF.

Pillow hands neither over. Of both only what is needed is read, within the first bytes of the file.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

MOST_CHUNKS = 1000
MOST_META_BYTES = 1 << 22
"""Of the box that describes the pictures of a HEIC or AVIF file; those of phones have a few thousand."""

MOST_ITEMS = 1 << 16


class CodePoints(NamedTuple):
    """What a file says of its values."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


def of_png(file: BinaryIO) -> CodePoints | None:
    """The chunk `cICP` of a PNG file, None without one before the pixels (PNG specification, 11.3.2.6)."""
    file.seek(8)
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return None
        length, kind = struct.unpack(">I4s", head)
        if kind == b"cICP" and length == 4:
            content = file.read(4)
            return CodePoints(content[0], content[1], content[2], content[3] != 0) if len(content) == 4 else None
        if kind in (b"IDAT", b"IEND"):
            return None
        file.seek(length + 4, 1)
    return None


def of_heif(file: BinaryIO) -> CodePoints | None:
    """The box `colr` of type `nclx` of the primary picture of a HEIC or AVIF file (ISO/IEC 23008-12, 6.5.5)."""
    meta = _meta_of(file)
    if meta is None:
        return None
    boxes = dict(_boxes(meta[4:]))  # after version and flags
    try:
        primary = _number(boxes[b"pitm"], 4, 2 if boxes[b"pitm"][0] == 0 else 4)
        properties = dict(_boxes(boxes[b"iprp"]))
        listed = [content if kind == b"colr" else b"" for kind, content in _boxes(properties[b"ipco"])]
        for index in _properties_of(primary, properties[b"ipma"]):
            content = listed[index - 1] if 0 < index <= len(listed) else b""
            if content[:4] == b"nclx" and len(content) >= 11:
                primaries, transfer, matrix = struct.unpack(">3H", content[4:10])
                return CodePoints(primaries, transfer, matrix, True)
    except (KeyError, IndexError, struct.error):
        pass
    return None


def _meta_of(file: BinaryIO) -> bytes | None:
    """The content of the box `meta`."""
    file.seek(0)
    for _ in range(MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            return None
        length, kind = struct.unpack(">I4s", head)
        taken = 8
        if length == 1:
            long_head = file.read(8)
            if len(long_head) < 8:
                return None
            length, taken = struct.unpack(">Q", long_head)[0], 16
        if length < taken:
            return None
        if kind == b"meta":
            return file.read(length - taken) if length <= MOST_META_BYTES else None
        if length >= 1 << 62:
            return None
        file.seek(length - taken, 1)
    return None


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of the boxes in another one; what is damaged ends them."""
    place = 0
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        if length == 0:
            length = len(content) - place
        if length < 8 or place + length > len(content):
            return
        yield kind, content[place + 8 : place + length]
        place += length


def _properties_of(item: int, ipma: bytes) -> list[int]:
    """Places, from 1, of the properties of a picture in the list of all."""
    version, wide = ipma[0], ipma[3] & 1
    count, place = _number(ipma, 4, 4), 8
    id_bytes, index_bytes = (2 if version == 0 else 4), (2 if wide else 1)
    for _ in range(min(count, MOST_ITEMS)):
        found, associated = _number(ipma, place, id_bytes), ipma[place + id_bytes]
        place += id_bytes + 1
        if found == item:
            mask = 0x7FFF if wide else 0x7F  # without the bit that says whether it is essential
            return [_number(ipma, place + index_bytes * at, index_bytes) & mask for at in range(associated)]
        place += index_bytes * associated
    return []


def _number(content: bytes, place: int, size: int) -> int:
    part = content[place : place + size]
    if len(part) < size:
        raise IndexError("cut short")
    return int.from_bytes(part, "big")
