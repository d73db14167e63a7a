"""The camera's own picture of a capture as sRGB pixels: the largest JPEG in its RAW file."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import Base

from nas_isp.data.color_spaces import ADOBE_RGB, PROPHOTO, SRGB, RgbSpace
from nas_isp.data.photo_color import color_of, space_of_exif
from nas_isp.data.photos import MAX_PIXELS
from nas_isp.raw.previews import PreviewSpace, StoredPreview, stored_previews

LEAST_SIDE = 120
"""Of the shorter side in pixels: what is smaller says little (EXIF thumbnails have 160x120)."""

SPACES: dict[PreviewSpace, RgbSpace] = {"srgb": SRGB, "adobe-rgb": ADOBE_RGB, "prophoto": PROPHOTO}

FLIP_OF_ORIENTATION = {1: 0, 2: 1, 3: 3, 4: 2, 5: 4, 6: 6, 7: 7, 8: 5}
"""LibRaw's code of EXIF's Orientation; see `raw.orientation`."""


@dataclass(frozen=True)
class Preview:
    """The camera's own picture.

    Attributes:
        pixels: sRGB, uint8 `(H, W, 3)`, as stored: turned upright by the camera or not.
        flip: how the JPEG itself says that it is turned upright, in LibRaw's code; 0 where it does not say.
    """

    pixels: NDArray[np.uint8]
    flip: int = 0


def read_preview(path: Path) -> Preview | None:
    """The largest JPEG of a RAW file, with its colors as the JPEG says them, else as the RAW file does.

    Returns:
        None where there is none of at least `LEAST_SIDE` pixels a side that can be read.
    """
    found = [(_pixels(preview), preview) for preview in stored_previews(path)]
    for _, preview in sorted((item for item in found if item[0]), key=lambda item: -item[0]):
        read = _read(preview, path)
        if read is not None:
            return read
    return None


def _pixels(preview: StoredPreview) -> int:
    """How many; 0 of what is no JPEG of a size that is read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(preview.jpeg), formats=("JPEG",)) as image:
                pixels = image.width * image.height
                return pixels if min(image.size) >= LEAST_SIDE and pixels <= MAX_PIXELS else 0
    except Exception:
        return 0  # damaged, in too many ways to list


def _read(preview: StoredPreview, path: Path) -> Preview | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(preview.jpeg), formats=("JPEG",)) as image:
                said = SPACES[preview.color_space] if preview.color_space else _space_of_camera(path)
                to_srgb = color_of(image, path, said)
                flip = FLIP_OF_ORIENTATION.get(image.getexif().get(Base.Orientation, 1), 0)
                return Preview(np.asarray(to_srgb(image)), flip)
    except Exception:
        return None  # damaged, in too many ways to list


def _space_of_camera(path: Path) -> RgbSpace | None:
    """In which the camera was set to write pictures, as the EXIF of a RAW file of TIFF's form says it."""
    exif = Image.Exif()
    try:
        with path.open("rb") as file:
            exif.load_from_fp(file)
            return space_of_exif(exif)
    except Exception:
        return None  # another form, or damaged
