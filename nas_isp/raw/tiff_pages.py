"""Which page of a TIFF file is the full picture: never a thumbnail, wherever it lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from nas_isp.raw.tiff_directory import silent_tifffile

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

TIFF_SUFFIXES = frozenset({".tif", ".tiff"})

REDUCED, MASK = 1, 4
"""Bits of NewSubfileType (TIFF 6.0): a smaller version of another page, and its transparency."""

OLD_REDUCED = 2
"""SubfileType, which NewSubfileType replaces, of a smaller version."""

MOST_PAGES = 1000
"""So many are looked at: a damaged file may claim any number."""


@dataclass(frozen=True)
class Page:
    """What decides about a page.

    Attributes:
        width: columns.
        height: rows.
        suits: whether it is of the wanted kind, such as of one sample a pixel for a mosaic.
        kind: NewSubfileType, 0 without.
        old_kind: SubfileType, 0 without.
    """

    width: int
    height: int
    suits: bool = True
    kind: int = 0
    old_kind: int = 0

    @property
    def is_full(self) -> bool:
        """Whether it is a picture of its own."""
        return not self.kind & (REDUCED | MASK) and self.old_kind != OLD_REDUCED


def full_page(pages: Sequence[Page]) -> int:
    """The place of the full picture: of the pages of the wanted kind that are no smaller versions the largest one, the
    first of several; where there is none, the largest of what there is.
    """

    def rank(place: int) -> tuple[bool, bool, int, int]:
        page = pages[place]
        return page.suits, page.is_full, page.width * page.height, -place

    return max(range(len(pages)), key=rank)


def further_captures(pages: Sequence[Page]) -> int:
    """How many pages are as large as the full picture and no version of it: captures that are not read."""
    chosen = pages[full_page(pages)]
    size = {chosen.width, chosen.height}
    return sum(page.suits and page.is_full and {page.width, page.height} == size for page in pages) - 1


def list_pages(tiff: "TiffFile", suits: Callable[["TiffPage"], bool]) -> list[tuple[Page, "TiffPage"]]:
    """The pages of an open file and those that they hold (SubIFDs), in order, at most `MOST_PAGES`.

    Args:
        tiff: opened by tifffile.
        suits: whether a page is of the wanted kind.
    """
    import tifffile

    found: list[tuple[Page, TiffPage]] = []
    for page in islice(tiff.pages, MOST_PAGES):
        for one in (page, *(page.pages or ())):
            if isinstance(one, tifffile.TiffPage) and len(found) < MOST_PAGES:
                old = one.tags.get(255)
                old_kind = old.value if old is not None and isinstance(old.value, int) else 0
                facts = Page(one.imagewidth, one.imagelength, suits(one), int(one.subfiletype), old_kind)
                found.append((facts, one))
    return found


def further_captures_in(path: Path) -> str | None:
    """A line on the captures of a file that are not read, None where there are none; see `further_captures`."""
    import tifffile

    if path.suffix.lower() not in TIFF_SUFFIXES:
        return None
    try:
        with silent_tifffile(), tifffile.TiffFile(path) as tiff:
            pages = [page for page, _ in list_pages(tiff, lambda page: True)]
            further = further_captures(pages) if pages else 0
    except Exception:
        return None  # the reader of the picture says what is wrong
    if further < 1:
        return None
    captures = "capture" if further == 1 else "captures"
    return f"{path}: {further} further {captures} in this file not read; save each as a file of its own"
