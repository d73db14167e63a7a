"""Reads finished photos as 8-bit sRGB: upright, in color, whatever the file says about profile, alpha or depth."""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from nas_isp.errors import InputError
from nas_isp.files import none_in, visible_files

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
"""What Pillow may take a file for. Some of its other formats are programs that it hands to others to run."""

MAX_PIXELS = 110_000_000
"""As many as phones have that keep all pixels of their sensors; a small file may claim thousands of millions."""


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
        raise none_in(folder, "photo", is_photo_candidate, "JPEG, PNG, WebP or TIFF photos")
    return photos


def is_photo_candidate(path: Path) -> bool:
    """Whether the suffix is that of a photo."""
    return path.suffix.lower() in PHOTO_SUFFIXES


def read_photo(path: Path, max_side: int | None = None) -> NDArray[np.uint8]:
    """A photo as sRGB, uint8 `(H, W, 3)`.

    The EXIF orientation is applied; an embedded profile other than sRGB is converted, and without one the values are
    taken as sRGB; grayscale becomes three equal channels; transparency is laid over white.

    Args:
        path: the file; its content, not its suffix, decides how it is read.
        max_side: photos with a longer side are reduced to it (Lanczos), so that a patch shows as much of the scene as
            the photo does at viewing size. None keeps every pixel.

    Raises:
        PhotoTooLargeError: more than `MAX_PIXELS`.
        InputError: missing, damaged, not a photo, or more than 8 bits a channel (likely a mosaic).
    """
    try:
        with warnings.catch_warnings():
            # Pillow remarks on sizes and palettes that are read all the same.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                return np.asarray(_finished(image, path, max_side))
    except InputError:
        raise
    except Image.DecompressionBombError as error:
        raise PhotoTooLargeError(f"{path}: more than {MAX_PIXELS} pixels, the most that are read; reduce it") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; give a JPEG, PNG, WebP or TIFF photo") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path}: not a photo; give a JPEG, PNG, WebP or TIFF photo") from error
    except Exception as error:
        # The parsers of foreign formats fail on damaged files in too many ways to list.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as a photo ({reason}); give a whole JPEG or PNG") from error


def _finished(image: Image.Image, path: Path, max_side: int | None) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        raise InputError(f"{path}: {image.mode} values of more than 8 bits, likely a mosaic; give an 8-bit photo")
    if image.width * image.height > MAX_PIXELS:
        raise PhotoTooLargeError(
            f"{path}: {image.width}x{image.height} pixels; at most {MAX_PIXELS} are read, so reduce it"
        )
    ImageOps.exif_transpose(image, in_place=True)
    photo = _in_srgb(image)
    if max_side is not None and max(photo.size) > max_side:
        photo.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return photo


def _in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer)
    elif image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    if profile:
        image = _converted(image, profile)
    return image if image.mode == "RGB" else image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    """Values of an embedded profile as sRGB; a damaged or unsuitable profile is ignored, as viewers do."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image.convert("RGB")
        target = ImageCms.createProfile("sRGB")
        intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
        converted = ImageCms.profileToProfile(image, source, target, intent, "RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image.convert("RGB")
    return converted if converted is not None else image.convert("RGB")
