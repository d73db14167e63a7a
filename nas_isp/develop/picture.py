"""Saving a developed picture."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_isp import __version__
from nas_isp.errors import InputError
from nas_isp.files import whole_file
from nas_isp.raw.capture import Capture

JPEG_QUALITY = 95
NO_CHROMA_SUBSAMPLING = 0
LONGEST_JPEG_SIDE = 65500
"""libjpeg writes no longer one."""

PNG_COMPRESSION = 1
"""Higher levels take many times as long and save a few per cent of a photo."""

SOFTWARE = f"nas-isp {__version__}"

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
"""Suffix -> format."""

Picture = NDArray[np.unsignedinteger[Any]]


def check_picture_name(path: Path) -> None:
    """Refuse a name that `save_picture` cannot write, before any work is done.

    Raises:
        InputError: another suffix, or no such folder.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: pictures are written as {', '.join(FORMATS)}; give such a name")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder; make it or give another", "output")


def level_of(path: Path) -> type[np.unsignedinteger[Any]]:
    """The values that a picture of that name is written with: uint16 for TIFF, else uint8."""
    return np.uint16 if FORMATS.get(path.suffix.lower()) == "TIFF" else np.uint8


def save_picture(path: Path, rgb: Picture, capture: Capture | None = None, software: str = SOFTWARE) -> None:
    """Write an upright sRGB picture `(H, W, 3)` with its color profile and the EXIF of its capture.

    The file appears whole or not at all.
    PNG (8 bit) and TIFF (8 or 16 bit, not compressed) are lossless; JPEG has quality 95 and full chroma resolution.

    Args:
        path: its suffix decides the format.
        rgb: uint8, or for TIFF uint16.
        capture: facts to repeat; None for a picture that nobody took.
        software: what developed it.

    Raises:
        InputError: another suffix, a picture too large for JPEG, or a folder that cannot be written.
    """
    check_picture_name(path)
    kind = FORMATS[path.suffix.lower()]
    if kind == "JPEG" and max(rgb.shape) > LONGEST_JPEG_SIDE:
        size = f"{rgb.shape[1]}x{rgb.shape[0]}"
        raise InputError(f"{path}: {size} pixels; JPEG takes at most {LONGEST_JPEG_SIDE} a side, give .png or .tiff")
    with whole_file(path) as part:
        _write(part, kind, rgb, capture or Capture(), software)


def _write(path: Path, kind: str, rgb: Picture, capture: Capture, software: str) -> None:
    if kind == "TIFF":
        from nas_isp.develop.tiff import write_tiff

        write_tiff(path, rgb, _srgb_profile(), capture, software)
        return
    from PIL import Image

    from nas_isp.develop.exif import exif_of

    options = (
        {"quality": JPEG_QUALITY, "subsampling": NO_CHROMA_SUBSAMPLING}
        if kind == "JPEG"
        else {"compress_level": PNG_COMPRESSION}
    )
    exif = exif_of(capture, software, width=rgb.shape[1], height=rgb.shape[0])
    Image.fromarray(rgb).save(path, kind, icc_profile=_srgb_profile(), exif=exif, **options)


@cache
def _srgb_profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
