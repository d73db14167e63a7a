"""Saving a developed picture."""

import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from nas_isp.errors import InputError

JPEG_QUALITY = 95
NO_CHROMA_SUBSAMPLING = 0

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
PICTURE_SUFFIXES = tuple(_FORMATS)


def check_picture_name(path: Path) -> None:
    """Refuse a name that `save_picture` cannot write, before any work is done.

    Raises:
        InputError: another suffix, or no such folder.
    """
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{path}: pictures are written as {', '.join(_FORMATS)}; give such a name")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder; make it or give another -o")


def save_picture(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Write an 8-bit sRGB picture `(H, W, 3)` with its colour profile, atomically.

    PNG is lossless; JPEG has quality 95 and full chroma resolution.

    Raises:
        InputError: another suffix, or a folder that cannot be written.
    """
    check_picture_name(path)
    kind = _FORMATS[path.suffix.lower()]
    options = {"quality": JPEG_QUALITY, "subsampling": NO_CHROMA_SUBSAMPLING} if kind == "JPEG" else {}
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
            pass
        try:
            Image.fromarray(rgb).save(part.name, kind, icc_profile=_srgb_profile(), **options)
            os.chmod(part.name, 0o644)
            os.replace(part.name, path)
        finally:
            Path(part.name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); give a writable folder") from error


@cache
def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
