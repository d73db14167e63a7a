"""The color space of a photo, told from values in the order of the formats' specifications, and its pixels as sRGB.

PNG: cICP, iCCP, sRGB, gAMA with cHRM (PNG specification, third edition, 4.3). Others: an ICC profile, then the code
points of HEIC and AVIF, then EXIF (ColorSpace, InteropIndex, PrimaryChromaticities, WhitePoint, TransferFunction,
Gamma). Without any, and where all are damaged, values are sRGB. No name and no description counts.
"""

import io
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base, Interop

from nas_isp.data import code_points
from nas_isp.data.color_spaces import (
    ADOBE_RGB,
    BT709,
    PROBE,
    SRGB,
    Curve,
    Primaries,
    RgbSpace,
    as_srgb,
    deep_as_srgb,
    gamma_curve,
    h273_space,
    is_srgb,
    is_unchanged,
    srgb_curve,
)
from nas_isp.data.deep_pixels import as_levels
from nas_isp.data.icc_matrix import matrix_space

ToSrgb = Callable[[Image.Image], Image.Image]
"""Makes sRGB of a picture without transparency (mode RGB, L or CMYK); it may be changed itself."""

DeepToSrgb = Callable[[NDArray[np.uint16]], NDArray[np.uint8]]
"""Makes sRGB of values `(H, W, 3)` of 16 bits."""

Said = RgbSpace | bytes
"""A space, or an ICC profile."""

Conversion = Callable[[Image.Image], Image.Image | None]
"""The same, None where it does not fit the picture."""

TRANSFER_LEVELS = (256, 65536)
TRANSFER_COUNTS = (*TRANSFER_LEVELS, 3 * 256, 3 * 65536)
EXIF_SRGB, EXIF_ADOBE_RGB = 1, 2
STRIP_PIXELS = 1 << 20
"""Converted at a time, so that memory does not grow with the photo."""

LEAST_GAMMA, MOST_GAMMA = 0.1, 10.0


def color_of(image: Image.Image, path: Path, otherwise: RgbSpace | None = None) -> ToSrgb:
    """How the pixels of a photo become sRGB. Ask before anything is done to the picture: it reads what the file says.

    Args:
        image: as it was opened.
        path: its file.
        otherwise: the color space where the photo does not say any; None takes sRGB.
    """
    says = [*_said_by(image, path), *([] if otherwise is None else [otherwise])]

    def to_srgb(picture: Image.Image) -> Image.Image:
        for said in says:
            converted = (_by_space(said) if isinstance(said, RgbSpace) else _by_profile(said))(picture)
            if converted is not None:
                return converted
        return picture.convert("RGB")

    return to_srgb


def deep_color_of(image: Image.Image, path: Path) -> DeepToSrgb:
    """The same for values of 16 bits, which are rounded to 8 as sRGB. Only where the profile is one of tables they are
    rounded before: Pillow's color engine takes no more.
    """
    says = list(_said_by(image, path))

    def to_srgb(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
        for said in says:
            space = said if isinstance(said, RgbSpace) else matrix_space(said)
            if space is not None:
                return as_levels(values) if is_srgb(space) else deep_as_srgb(values, space)
            converted = _by_profile(said)(Image.fromarray(as_levels(values))) if isinstance(said, bytes) else None
            if converted is not None:
                return np.asarray(converted)
        return as_levels(values)

    return to_srgb


def _said_by(image: Image.Image, path: Path) -> Iterator[Said]:
    """What the file says of its values, what counts most first."""
    if image.format == "PNG":
        yield from _said_by_png(image, path)
    elif image.info.get("icc_profile"):
        yield image.info["icc_profile"]
    if image.format in ("HEIF", "AVIF"):
        with path.open("rb") as file:
            points = code_points.of_heif(file)
        space = None if points is None else h273_space(points.primaries, points.transfer)
        if space is not None:
            yield space
    try:
        space = space_of_exif(image.getexif())
    except Exception:
        return  # damaged tags, in too many ways to list
    if space is not None:
        yield space


def _said_by_png(image: Image.Image, path: Path) -> Iterator[Said]:
    with path.open("rb") as file:
        points = code_points.of_png(file)
    if points is not None and points.matrix == 0:
        space = h273_space(points.primaries, points.transfer, narrow=not points.full_range)
        if space is not None:
            yield space
    if image.info.get("icc_profile"):
        yield image.info["icc_profile"]
    if "srgb" in image.info:
        yield SRGB
    gamma, primaries = image.info.get("gamma"), _primaries(image.info.get("chromaticity"))
    curve = gamma_curve(1 / gamma) if gamma and LEAST_GAMMA <= gamma <= MOST_GAMMA else None
    if curve is not None or primaries is not None:
        yield RgbSpace(primaries or BT709, curve or srgb_curve)


def _by_space(space: RgbSpace) -> Conversion:
    def convert(picture: Image.Image) -> Image.Image | None:
        if picture.mode == "CMYK":
            return None
        rgb = picture if picture.mode == "RGB" else picture.convert("RGB")
        rows = max(1, STRIP_PIXELS // rgb.width)
        for top in range(0, rgb.height, rows):
            box = (0, top, rgb.width, min(top + rows, rgb.height))
            pixels = np.asarray(rgb.crop(box))
            converted = as_srgb(pixels, space)
            if converted is pixels:
                return rgb
            rgb.paste(Image.fromarray(converted), box)
        return rgb

    return convert


def _by_profile(profile: bytes) -> Conversion:
    def convert(picture: Image.Image) -> Image.Image | None:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = _mode_for(source.profile.xcolor_space.strip(), picture.mode)
            if mode is None:
                return None
            target = ImageCms.createProfile("sRGB")
            intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
            transform = ImageCms.buildTransform(source, target, mode, "RGB", intent, flags)
            if mode == "RGB" and is_unchanged(PROBE, np.asarray(transform.apply(Image.fromarray(PROBE)))):
                return picture.convert("RGB")
            return transform.apply(picture if picture.mode == mode else picture.convert(mode))
        except (ImageCms.PyCMSError, OSError, ValueError):
            return None  # damaged or unsuitable: ignored, as viewers do

    return convert


def _mode_for(profile_space: str, mode: str) -> str | None:
    """The mode in which a profile's values are, where a picture of `mode` has such."""
    if profile_space == "RGB" and mode != "CMYK":
        return "RGB"
    if profile_space == "GRAY" and mode == "L":
        return "L"
    return "CMYK" if profile_space == mode == "CMYK" else None


def space_of_exif(exif: Image.Exif) -> RgbSpace | None:
    """Of the tags of EXIF 3.0 and DCF 2.0; None where they say nothing."""
    try:
        details = exif.get_ifd(IFD.Exif)
        index = exif.get_ifd(IFD.Interop).get(Interop.InteropIndex)
    except Exception:
        return None  # of damaged tags, in too many ways to list
    given = details.get(Base.ColorSpace)
    name = (index.decode("latin-1") if isinstance(index, bytes) else str(index or "")).strip("\0 ").upper()
    if given == EXIF_SRGB or (given != EXIF_ADOBE_RGB and name == "R98"):
        return SRGB
    if given == EXIF_ADOBE_RGB or name == "R03":
        return ADOBE_RGB
    white, corners = exif.get(Base.WhitePoint), exif.get(Base.PrimaryChromaticities)
    points = white + corners if isinstance(white, tuple) and isinstance(corners, tuple) else None
    primaries, curve = _primaries(points), _transfer_curve(exif)
    gamma = _number(details.get(Base.Gamma))
    if primaries is None and curve is None:
        return None
    if curve is None:
        curve = gamma_curve(gamma) if LEAST_GAMMA <= gamma <= MOST_GAMMA else srgb_curve
    return RgbSpace(primaries or BT709, curve)


def _transfer_curve(exif: Image.Exif) -> Curve | None:
    """TransferFunction of TIFF 6.0 and EXIF: the light of each coded value, for all colors or one after the other."""
    table = exif.get(Base.TransferFunction)
    if not isinstance(table, tuple) or len(table) not in TRANSFER_COUNTS:
        return None
    columns = 1 if len(table) in TRANSFER_LEVELS else 3
    light = np.array(table, np.float64).reshape(columns, -1) / 65535
    if not (np.diff(light) >= 0).all() or (light.max(axis=1) <= light.min(axis=1)).any():
        return None
    places = np.linspace(0, 1, light.shape[1])
    if columns == 1:
        return lambda coded: np.interp(coded, places, light[0])
    return lambda coded: np.stack([np.interp(coded, places, one) for one in light], axis=-1)


def _primaries(values: Any) -> Primaries | None:
    """Of x and y of white, red, green and blue; None where there are none that span colors."""
    if not isinstance(values, tuple) or len(values) != 8:
        return None
    white, red, green, blue = ((_number(values[at]), _number(values[at + 1])) for at in range(0, 8, 2))
    primaries = Primaries(red, green, blue, white)
    return primaries if primaries.usable else None


def _number(value: Any) -> float:
    """NaN where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return math.nan
