"""What LibRaw does not say of a DNG file."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACTIVE_AREA = 50829
CFA_PHOTOMETRIC = 32803


def active_area_corner(path: Path) -> tuple[int, int] | None:
    """Row and column at which the active area of a DNG file's mosaic begins; None where the file does not say."""
    import tifffile

    try:
        with silent_tifffile(), tifffile.TiffFile(path) as tiff:
            first = tiff.pages.first
            pages = [first, *(page for page in first.pages or () if isinstance(page, tifffile.TiffPage))]
            mosaics = [page for page in pages if page.photometric == CFA_PHOTOMETRIC]
            largest = max(mosaics, key=lambda page: page.imagewidth * page.imagelength)
            top, left = largest.tags[ACTIVE_AREA].value[:2]
            return int(top), int(left)
    except Exception:
        # A foreign parser on a foreign format, and no DNG in most cases: LibRaw has read the picture.
        return None


@contextmanager
def silent_tifffile() -> Iterator[None]:
    """Keeps tifffile from logging what it does not like about a file."""
    log = logging.getLogger("tifffile")
    level, log.level = log.level, logging.CRITICAL
    try:
        yield
    finally:
        log.level = level
