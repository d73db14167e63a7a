"""A RAW file that says when, where and how it was taken, and saving a picture of it that says so again."""

import struct
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational, ImageFileDirectory_v2

from nas_isp.develop.picture import save_picture
from nas_isp.raw.readers import read_raw
from tests.dng_files import write_dng
from tests.hostile.hostile_images import with_tags
from tests.hostile.hostile_parts import Contents

MAKE, MODEL, DATE, EXPOSURE_S, GPS = 271, 272, 306, 33434, 34853
ASCII, RATIONAL, DOUBLE = 2, 5, 12
PLACE = {1: "N", 2: (48, 30, 12.5), 3: "E", 4: (9, 1, 2.25), 5: 0, 6: 311.5, 29: "2021:04:08"}


def make_dng(folder: Path) -> None:
    """With the place behind the pixels, as cameras write it."""
    mosaic = np.random.default_rng(0).integers(64, 1024, (48, 64), dtype=np.uint16)
    said = [(DATE, "s", 0, "2021:04:08 14:51:12", True), (GPS, "I", 1, 0, True)]
    path = write_dng(folder / "a.dng", mosaic, exposure_s=(1, 250), extra_tags=said)
    path.write_bytes(_with_place(path.read_bytes(), {code: _rational(value) for code, value in PLACE.items()}))


def develop(folder: Path) -> None:
    """As `develop` does with the picture that a model has made."""
    raw = read_raw(folder / "a.dng")
    for name in ("a.jpg", "a.png", "a.tif"):
        target = folder / name
        save_picture(target, np.zeros((4, 6, 3), np.uint8), raw.capture)
        with Image.open(target) as picture:
            picture.load()
            assert picture.size == (6, 4)
            picture.getexif().get_ifd(GPS)


def dngs(folder: Path) -> Contents:
    """Facts of other kinds and sizes than those that EXIF knows."""
    content = (folder / "a.dng").read_bytes()
    kinds = {ASCII: "x" * 100_000, RATIONAL: IFDRational(2**32 - 1, 1), DOUBLE: float("nan")}
    for code in (*PLACE, 27, 30):
        for kind, value in kinds.items():
            yield "a.dng", _with_place(content, {code: value}, {code: kind})
    for value in (-1e308, 1e308, float("inf")):
        yield "a.dng", _with_place(content, {6: value, 2: (value, value, value)}, {6: DOUBLE, 2: DOUBLE})
    for tag, text in ((MAKE, "M" * 70_000), (MODEL, "\xff\x00 \n" * 999), (DATE, "99999:99:99 99:99:99"), (DATE, "x")):
        yield "a.dng", _with_text(content, tag, text.encode("latin-1"))
    for number in (0, 1, 8, len(content) - 4, 2**32 - 1):
        yield "a.dng", with_tags(content, {GPS: number})
    for fraction in ((1, 0), (0, 0), (2**32 - 1, 1), (1, 2**32 - 1)):
        yield "a.dng", content.replace(struct.pack("<II", 1, 250), struct.pack("<II", *fraction))


def _with_place(content: bytes, tags: dict[int, object], kinds: dict[int, int] | None = None) -> bytes:
    """The file with a directory of places at its end."""
    place = ImageFileDirectory_v2(prefix=b"II", group=GPS)
    place.tagtype.update(kinds or {})
    place.update(tags)
    return with_tags(content, {GPS: len(content)}) + place.tobytes(len(content))


def _with_text(content: bytes, tag: int, text: bytes) -> bytes:
    """The file with another text at its end."""
    start = struct.unpack_from("<I", content, 4)[0]
    changed = bytearray(content + text)
    for index in range(struct.unpack_from("<H", content, start)[0]):
        entry = start + 2 + 12 * index
        if struct.unpack_from("<H", content, entry)[0] == tag:
            struct.pack_into("<HHII", changed, entry, tag, ASCII, len(text), len(content))
    return bytes(changed)


def _rational(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_rational(part) for part in value)
    return IFDRational(value) if isinstance(value, float) else value
