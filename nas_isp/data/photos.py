"""Reads finished photos as 8-bit sRGB: upright, in color, whatever the file says about profile, alpha or depth."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base

from nas_isp.data.deep_pixels import as_levels, deep_strips, is_deep
from nas_isp.data.photo_color import ToSrgb, color_of, deep_color_of
from nas_isp.data.photo_files import PHOTO_SUFFIXES, opened
from nas_isp.errors import InputError
from nas_isp.files import none_in, visible_files
from nas_isp.raw.whole_files import ends_early

MAX_PIXELS = 110_000_000
"""As many as phones have that keep all pixels of their sensors; a small file may claim thousands of millions."""

TURNED = (5, 6, 7, 8)
"""EXIF orientations that exchange rows and columns."""


class PhotoTooLargeError(InputError):
    """A photo of more pixels than are read."""


def list_photos(folder: Path) -> list[Path]:
    """The photos of a folder by their suffix, sorted by name; hidden files and subfolders are left out.

    Raises:
        InputError: not a folder, or no photo in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give a folder of photos")
    photos = [path for path in visible_files(folder) if is_photo_candidate(path)]
    if not photos:
        raise none_in(folder, "photo", is_photo_candidate, "JPEG, PNG, WebP, TIFF, HEIC or AVIF photos")
    return photos


def is_photo_candidate(path: Path) -> bool:
    """Whether the suffix is that of a photo."""
    return path.suffix.lower() in PHOTO_SUFFIXES


def read_photo(path: Path, max_side: int | None = None) -> NDArray[np.uint8]:
    """A photo as sRGB, uint8 `(H, W, 3)`.

    The EXIF orientation is applied; values of another color space, as `photo_color` finds it, are converted;
    grayscale becomes three equal channels; transparency is laid over white. Of a TIFF file of several pages the full
    picture is read, of a JPEG with a gain map its SDR picture.

    Args:
        path: the file; its content, not its suffix, decides how it is read.
        max_side: photos with a longer side are reduced to it (Lanczos), so that a patch shows as much of the scene as
            the photo does at viewing size. None keeps every pixel.

    Raises:
        PhotoTooLargeError: more than `MAX_PIXELS`.
        InputError: missing, damaged, not a photo, or more than 8 bits a channel (likely a mosaic).
    """
    with _read_as_photo(path) as image:
        return np.asarray(_finished(image, path, max_side))


def photo_size(path: Path) -> tuple[int, int]:
    """Rows and columns of a photo as `read_photo` gives it, from its header.

    Raises:
        PhotoTooLargeError: as `read_photo` does.
        InputError: likewise, as far as the header shows it.
    """
    with _read_as_photo(path) as image:
        _check(image, path)
        if ends_early(path):
            raise ValueError("it ends early")
        # Of a TIFF file Pillow gives the upright size from the start.
        turned = image.format != "TIFF" and image.getexif().get(Base.Orientation) in TURNED
        return (image.width, image.height) if turned else (image.height, image.width)


@contextmanager
def _read_as_photo(path: Path) -> Iterator[Image.Image]:
    """An open photo; whatever fails while it is read becomes an `InputError`."""
    try:
        with warnings.catch_warnings():
            # Pillow remarks on sizes and palettes that are read all the same.
            warnings.simplefilter("ignore")
            with opened(path) as image:
                yield image
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise PhotoTooLargeError(f"{path}: more than {MAX_PIXELS} pixels, the most that are read; reduce it") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; give a JPEG, PNG, WebP, TIFF, HEIC or AVIF photo") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: not a photo; give a JPEG, PNG, WebP, TIFF, HEIC or AVIF photo") from error
    except Exception as error:
        # The parsers of foreign formats fail on damaged files in too many ways to list.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as a photo ({reason}); give a whole JPEG or PNG") from error


def _finished(image: Image.Image, path: Path, max_side: int | None) -> Image.Image:
    _check(image, path)
    if is_deep(image, path):
        photo = _of_deep(image, path)
        # Asked now: Pillow has turned a TIFF file when it has read it, and then says no orientation any more.
        photo.getexif()[Base.Orientation] = image.getexif().get(Base.Orientation, 1)
        ImageOps.exif_transpose(photo, in_place=True)
    else:
        to_srgb = color_of(image, path)
        ImageOps.exif_transpose(image, in_place=True)
        photo = _without_transparency(image, to_srgb)
    if max_side is not None and max(photo.size) > max_side:
        photo.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return photo


def _of_deep(image: Image.Image, path: Path) -> Image.Image:
    """A photo of 16 bits in sRGB, laid over white where it is transparent."""
    to_srgb = deep_color_of(image, path)
    image.load()  # which turns a TIFF file
    photo = Image.new("RGB", image.size, "white")
    for top, values in deep_strips(image, path):
        alpha = Image.fromarray(as_levels(values[..., 3])) if values.shape[2] == 4 else None
        photo.paste(Image.fromarray(to_srgb(values[..., :3])), (0, top), alpha)
    return photo


def _check(image: Image.Image, path: Path) -> None:
    if image.mode.startswith(("I", "F")):
        raise InputError(f"{path}: {image.mode} values of more than 8 bits, likely a mosaic; give an 8-bit photo")
    if image.width * image.height > MAX_PIXELS:
        raise PhotoTooLargeError(
            f"{path}: {image.width}x{image.height} pixels; at most {MAX_PIXELS} are read, so reduce it"
        )


def _without_transparency(image: Image.Image, to_srgb: ToSrgb) -> Image.Image:
    """The photo in sRGB, laid over white: a profile says nothing about transparency."""
    if not image.has_transparency_data:
        return to_srgb(image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB"))
    layer = image if image.mode in ("RGBA", "LA") else image.convert("RGBA")
    colors = to_srgb(layer.convert("L" if layer.mode == "LA" else "RGB"))
    photo = Image.new("RGB", layer.size, "white")
    photo.paste(colors, mask=layer.getchannel("A"))
    return photo
