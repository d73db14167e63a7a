"""The camera's own picture of a capture, which it stores as a JPEG in its RAW file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nas_isp.quiet import without_native_lines
from nas_isp.raw.camera_files import CAMERA_SUFFIXES, libraw_source
from nas_isp.raw.tiff_directory import Directory, directories_of, silent_tifffile

if TYPE_CHECKING:
    from tifffile import TiffPage

PreviewSpace = Literal["srgb", "adobe-rgb", "prophoto"]

PREVIEW_COLOR_SPACE = 50970
PREVIEW_SPACES: dict[int, PreviewSpace] = {2: "srgb", 3: "adobe-rgb", 4: "prophoto"}
"""Values of the tag PreviewColorSpace (DNG 1.7, chapter 4) that name a color space."""

JPEG_START = b"\xff\xd8"
JPEG_COMPRESSIONS = (6, 7)
COLOR_PHOTOMETRICS = (2, 6)
"""RGB and YCbCr: what is a picture, not a mosaic."""

MOST_BYTES = 1 << 27
"""A JPEG of a whole 200-megapixel capture is smaller."""


@dataclass(frozen=True)
class StoredPreview:
    """A JPEG as it lies in a RAW file.

    Attributes:
        jpeg: its bytes.
        color_space: what the directory says in which it lies (DNG); None where it does not say.
    """

    jpeg: bytes
    color_space: PreviewSpace | None = None


def stored_previews(path: Path) -> list[StoredPreview]:
    """The JPEG pictures of a camera file: LibRaw's choice, and those of the directories of a TIFF file (a DNG).

    Bare mosaics have none. A file that cannot be read gives none either: its reader says what is wrong with it.
    """
    if path.suffix.lower() not in CAMERA_SUFFIXES:
        return []
    of_directories, chosen = _of_directories(path), _of_libraw(path)
    return [*of_directories, StoredPreview(chosen)] if chosen is not None else of_directories


def _of_libraw(path: Path) -> bytes | None:
    import rawpy

    try:
        with without_native_lines(), rawpy.imread(libraw_source(path)) as raw:
            found = raw.extract_thumb()
    except (rawpy.LibRawError, OSError, ValueError, MemoryError):
        return None
    data = found.data
    return data if found.format == rawpy.ThumbFormat.JPEG and isinstance(data, bytes) and _is_jpeg(data) else None


def _of_directories(path: Path) -> list[StoredPreview]:
    """The previews of a TIFF file."""
    import tifffile

    try:
        with silent_tifffile(), tifffile.TiffFile(path) as tiff:
            return [
                StoredPreview(jpeg, PREVIEW_SPACES.get(Directory(page).whole(PREVIEW_COLOR_SPACE) or 0))
                for page in directories_of(tiff)
                for jpeg in _jpegs_of(page, tiff.filehandle.size)
            ]
    except Exception:
        return []  # no TIFF file, or a damaged one


def _jpegs_of(page: "TiffPage", file_bytes: int) -> Iterator[bytes]:
    """The JPEG that a directory stores in one piece."""
    if page.compression not in JPEG_COMPRESSIONS or page.photometric not in COLOR_PHOTOMETRICS:
        return
    if len(page.dataoffsets) != 1 or not 0 < page.databytecounts[0] <= min(MOST_BYTES, file_bytes):
        return
    handle = page.parent.filehandle
    handle.seek(page.dataoffsets[0])
    data = handle.read(page.databytecounts[0])
    if _is_jpeg(data):
        yield data


def _is_jpeg(data: bytes) -> bool:
    return data[:2] == JPEG_START and len(data) <= MOST_BYTES
