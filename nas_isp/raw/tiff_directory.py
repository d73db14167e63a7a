"""Values of TIFF directories, each checked for type, count and range before it is read.

tifffile walks the directories and reads no value before it is asked for one.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffTag

MOST_DIRECTORIES = 64
"""Directories of a file that are looked at: a camera writes its RAW, a few previews and masks."""

MOST_SIDE = 65535
MOST_TEXT = 200
RATIONALS = (5, 10)
LARGEST = 1e9

Matrix = NDArray[np.floating[Any]]
Area = tuple[int, int, int, int]


class Directory:
    """Values of one directory, or of the first of several that has them.

    Each is checked for type, count and range before it is read.
    """

    def __init__(self, page: "TiffPage", *others: "TiffPage") -> None:
        self.page = page
        self._pages = (page, *others)

    def _tag(self, code: int) -> "TiffTag | None":
        return next((page.tags[code] for page in self._pages if code in page.tags), None)

    def numbers(self, code: int, least: int, most: int | None = None) -> list[float] | None:
        """Between `least` and `most` finite numbers (`most` None: exactly `least`), fractions as quotients."""
        tag = self._tag(code)
        if tag is None or not least <= tag.count <= (least if most is None else most):
            return None
        try:
            value = _plain(tag.value)
            values = np.atleast_1d(np.array(list(value) if isinstance(value, bytes) else value, np.float64))
        except (TypeError, ValueError, OverflowError):
            return None
        if int(tag.dtype) in RATIONALS:
            below = values[1::2]
            if len(values) != 2 * tag.count or (below == 0).any():
                return None
            values = values[::2] / below
        if len(values) != tag.count or not np.isfinite(values).all() or np.abs(values).max(initial=0) > LARGEST:
            return None
        found: list[float] = values.tolist()
        return found

    def whole(self, code: int) -> int | None:
        found = self.numbers(code, 1)
        return None if found is None else int(found[0])

    def area(self, code: int) -> Area | None:
        found = self.numbers(code, 4)
        if found is None:
            return None
        top, left, bottom, right = (int(value) for value in found)
        inside = 0 <= top < bottom <= MOST_SIDE and 0 <= left < right <= MOST_SIDE
        return (top, left, bottom, right) if inside else None

    def matrix(self, code: int) -> Matrix | None:
        """Three by three that can be inverted."""
        found = self.numbers(code, 9)
        if found is None:
            return None
        matrix = np.array(found).reshape(3, 3)
        return matrix if abs(np.linalg.det(matrix)) > 1e-6 else None

    def positive(self, code: int) -> tuple[float, float, float] | None:
        found = self.numbers(code, 3)
        return (found[0], found[1], found[2]) if found is not None and min(found) > 0 else None

    def raw_bytes(self, code: int, most: int) -> bytes:
        tag = self._tag(code)
        if tag is None or tag.count > most:
            return b""
        value = _plain(tag.value)
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if isinstance(value, tuple | list):
            value = bytes(value) if all(isinstance(part, int) and 0 <= part <= 255 for part in value) else b""
        return bytes([value]) if isinstance(value, int) and 0 <= value <= 255 else value if _is_bytes(value) else b""

    def text(self, code: int) -> str:
        tag = self._tag(code)
        if tag is None or tag.count > 64 * MOST_TEXT:
            return ""
        value = tag.value
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return " ".join(value.replace("\0", " ").split())[:MOST_TEXT] if isinstance(value, str) else ""


@contextmanager
def silent_tifffile() -> Iterator[None]:
    """Keeps tifffile from logging what it does not like about a file."""
    log = logging.getLogger("tifffile")
    level, log.level = log.level, logging.CRITICAL
    try:
        yield
    finally:
        log.level = level


def directories_of(tiff: "TiffFile") -> "list[TiffPage]":
    """The directories of the chain and those below them, as many as are looked at."""
    import tifffile

    found: list[TiffPage] = []
    for index in range(MOST_DIRECTORIES):
        try:
            page = tiff.pages[index]
        except IndexError:
            break
        found.append(page)  # type: ignore[arg-type]
        for below in page.pages or ():
            if len(found) >= MOST_DIRECTORIES:
                return found
            if isinstance(below, tifffile.TiffPage):
                found.append(below)
    return found


def end_of_data(page: "TiffPage") -> int:
    """The place in the file where the strips or tiles of a page end; 0 where there are none."""
    places = zip(page.dataoffsets, page.databytecounts, strict=False)
    return max((int(offset) + int(count) for offset, count in places), default=0)


def _plain(value: Any) -> Any:
    """Enumerations of tifffile as numbers."""
    return int(value) if isinstance(value, int) else value


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes)
