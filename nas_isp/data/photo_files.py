"""Opens a photo with the library that reads its format, at its full picture."""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from PIL import Image, features

from nas_isp.errors import InputError
from nas_isp.raw.tiff_directory import silent_tifffile
from nas_isp.raw.tiff_pages import full_page, list_pages

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF")
"""What Pillow may take a file for. Some of its other formats are programs that it hands to others to run."""

HEIF_FORMAT = "HEIF"
AVIF_BRANDS = (b"avif", b"avis")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif")
"""Kinds of files that pillow-heif reads."""

MOST_BRAND_BYTES = 256

PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".tif", ".tiff", ".bmp"}
    | {".heic", ".heif", ".hif", ".avif"}
)

COLOR_PHOTOMETRICS = (0, 1, 2, 3, 5, 6, 8)
"""PhotometricInterpretation of pictures, as against mosaics."""


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A photo whose pixels are not read yet, at its full picture: the largest page of a TIFF file that is no thumbnail.

    Raises:
        InputError: HEIC, and the library that reads it is not installed. What Pillow raises passes through.
    """
    formats: tuple[str, ...] = FORMATS
    brands = _brands(path)
    if any(brand in AVIF_BRANDS for brand in brands):
        if not features.check("avif"):
            raise InputError(f"{path}: an AVIF photo, which this build of Pillow does not read; give JPEG or PNG")
    elif any(brand in HEIF_BRANDS for brand in brands):
        if not _heif_is_read():
            raise InputError(f"{path}: a HEIC photo, which needs pillow-heif; pip install 'nas_isp[heic]' or give JPEG")
        formats = (HEIF_FORMAT,)
    with Image.open(path, formats=formats) as image:
        place = _place_of_full_page(path) if image.format == "TIFF" else None
        if place is None:
            yield image
            return
        with Image.open(_starting_at(path, place), formats=("TIFF",)) as page:
            yield page


def _brands(path: Path) -> list[bytes]:
    """What kinds of HEIF a file says it is (ISO/IEC 14496-12, `ftyp`); none of another format."""
    with path.open("rb") as file:
        head = file.read(MOST_BRAND_BYTES)
    if head[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return [head[at : at + 4] for at in (8, *range(16, end - 3, 4))]


@cache
def _heif_is_read() -> bool:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener(thumbnails=False)
    return True


def _place_of_full_page(path: Path) -> int | None:
    """Where the directory of the full picture begins, None where that is the first one or cannot be told."""
    import tifffile

    try:
        with silent_tifffile(), tifffile.TiffFile(path) as tiff:
            pages = list_pages(tiff, lambda page: int(page.photometric) in COLOR_PHOTOMETRICS)
            chosen = full_page([facts for facts, _ in pages])
            return pages[chosen][1].offset if chosen else None
    except Exception:
        return None  # Pillow reads some files that tifffile does not


def _starting_at(path: Path, place: int) -> io.BytesIO:
    """The file as if that directory were its first one."""
    content = io.BytesIO(path.read_bytes())
    head = content.getvalue()[:4]
    order = "<" if head[:2] == b"II" else ">"
    is_big = 43 in struct.unpack(f"{order}H", head[2:4])
    content.seek(8 if is_big else 4)
    content.write(struct.pack(f"{order}{'Q' if is_big else 'I'}", place))
    content.seek(0)
    return content
