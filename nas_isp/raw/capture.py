"""Who took a picture, when and how: what a finished picture repeats of its RAW file."""

import io
import logging
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rawpy import RawPy

MAKE, MODEL, UNIQUE_MODEL = 271, 272, 50708
OLDEST_YEAR = 1980
"""Cameras without a clock set write the epoch, which is no date."""

GpsValue = int | float | str | bytes | tuple[float, ...]


@dataclass(frozen=True)
class Capture:
    """Facts of a capture as the file says them; what it does not say is None or empty.

    Attributes:
        make: manufacturer.
        model: name of the camera.
        lens: name of the lens.
        taken: local time of the camera's clock.
        exposure_s: exposure time in seconds.
        f_number: aperture.
        iso: sensitivity.
        focal_length_mm: of the lens, not converted to any format.
        gps: tags of the EXIF GPS directory by number.
    """

    make: str = ""
    model: str = ""
    lens: str = ""
    taken: datetime | None = None
    exposure_s: float | None = None
    f_number: float | None = None
    iso: float | None = None
    focal_length_mm: float | None = None
    gps: Mapping[int, GpsValue] = field(default_factory=dict)

    @property
    def camera(self) -> str:
        """Make and model in one, the make not twice; empty where the file names none."""
        if self.model.casefold().startswith(self.make.casefold()):
            return self.model
        return f"{self.make} {self.model}".strip()


def capture_of(raw: "RawPy", path: Path) -> Capture:
    """The facts of an open camera file.

    Names and place come from the TIFF tags of the file, or where it is no TIFF from the EXIF of its preview; numbers
    from LibRaw. Nothing that is missing or damaged is an error.
    """
    other, named = raw.other, _from_tags(path)
    if not named.model:
        named = _from_preview(raw) or named
    return replace(
        named,
        lens=_text(raw.lens.model),
        taken=other.timestamp if other.timestamp is not None and other.timestamp.year >= OLDEST_YEAR else None,
        exposure_s=_positive(other.shutter_speed),
        f_number=_positive(other.aperture),
        iso=_positive(other.iso_speed),
        focal_length_mm=_positive(other.focal_length),
    )


def _from_tags(path: Path) -> Capture:
    import tifffile

    log = logging.getLogger("tifffile")
    level, log.level = log.level, logging.CRITICAL
    try:
        with tifffile.TiffFile(path) as tiff:
            tags = tiff.pages.first.tags
            texts = [_text(tags[code].value) if code in tags else "" for code in (MAKE, MODEL, UNIQUE_MODEL)]
            gps = tags.get("GPSTag")
            return Capture(texts[0], texts[1] or texts[2], gps=_numbered(gps.value) if gps is not None else {})
    except Exception:
        # A foreign parser on a foreign format: LibRaw has read the picture, so its names are all that is lost.
        return Capture()
    finally:
        log.level = level


def _from_preview(raw: "RawPy") -> Capture | None:
    import rawpy
    from PIL import Image

    try:
        preview = raw.extract_thumb()
        if preview.format != rawpy.ThumbFormat.JPEG:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(bytes(preview.data))) as image:
                exif = image.getexif()
                return Capture(_text(exif.get(MAKE)), _text(exif.get(MODEL)))
    except Exception:
        # As above: a preview that is missing or cannot be read costs two names.
        return None


def _numbered(gps: object) -> dict[int, GpsValue]:
    """GPS tags by number, fractions as numbers."""
    from PIL.ExifTags import GPS

    if not isinstance(gps, Mapping):
        return {}
    codes = {tag.name: tag.value for tag in GPS}
    found: dict[int, GpsValue] = {}
    for name, value in gps.items():
        known = _gps_value(value)
        if name in codes and known is not None:
            found[codes[name]] = known
    return found


def _gps_value(value: Any) -> GpsValue | None:
    if isinstance(value, int | float | str | bytes):
        return value
    numbers = [float(number) for number in value] if isinstance(value, tuple | list) else []
    if not numbers or len(numbers) % 2:
        return None
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    if any(below == 0 for _, below in pairs):
        return None
    fractions = tuple(above / below for above, below in pairs)
    return fractions if len(fractions) > 1 else fractions[0]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(value.replace("\0", " ").split()) if isinstance(value, str) else ""


def _positive(value: float) -> float | None:
    return float(value) if math.isfinite(value) and value > 0 else None
