"""Who took a picture, when and how: what a finished picture repeats of its RAW file."""

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nas_isp.raw.tiff_directory import silent_tifffile

if TYPE_CHECKING:
    from rawpy import RawPy
    from tifffile.tifffile import TiffTags

MAKE, MODEL, UNIQUE_MODEL = 271, 272, 50708
DNG_VERSION, FOCAL_LENGTH, LENS_MODEL, PRIVATE_DATA = 50706, 37386, 42036, 50740
GPS_DIRECTORY = 34853
OLDEST_YEAR = 1980
"""Cameras without a clock set write the epoch, which is no date."""

LONGEST_TEXT = 200
"""Letters or bytes kept of a text: no camera has a longer name, and the EXIF of a JPEG file is short of room."""

LEAST, MOST = 1e-6, 1e7
"""Seconds, millimetres, f-numbers and ISO values lie in between; what does not is damaged."""

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
        unique_model: UniqueCameraModel of a DNG file, which may tell the cameras of one phone apart.
        calibration: both color matrices of a DNG file as it writes them, which tell its sensor in any light.
        group: what a table beside bare mosaics says it belongs to.
        has_maker_note: whether a DNG file holds data in a maker's own form, of which LibRaw reads more than its tags.
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
    unique_model: str = ""
    calibration: tuple[float, ...] = ()
    group: str = ""
    has_maker_note: bool = False

    @property
    def camera(self) -> str:
        """Make and model in one, the make not twice; empty where the file names none."""
        if self.model.casefold().startswith(self.make.casefold()):
            return self.model
        return f"{self.make} {self.model}".strip()


def capture_of(raw: "RawPy", path: Path) -> Capture:
    """The facts of an open camera file.

    Names and place come from the TIFF tags of the file, or where it is no TIFF from the EXIF of its preview; numbers
    from LibRaw, but of a DNG file lens and focal length from its tags, so that `capture_of_tags` says the same.
    Nothing that is missing or damaged is an error.
    """
    named = capture_of_tags(path)
    if not named.model:
        named = _from_preview(raw) or named
    named = replace(named, lens=named.lens or _text(raw.lens.model))
    try:
        other = raw.other
    except (ValueError, OverflowError, OSError):
        # rawpy gives the numbers together with the date, and none of them for a date that there is not.
        return named
    return replace(
        named,
        taken=other.timestamp if other.timestamp is not None and other.timestamp.year >= OLDEST_YEAR else None,
        exposure_s=_plausible(other.shutter_speed),
        f_number=_plausible(other.aperture),
        iso=_plausible(other.iso_speed),
        focal_length_mm=named.focal_length_mm or _plausible(other.focal_length),
    )


def capture_of_tags(path: Path) -> Capture:
    """Names and place that the TIFF tags of a camera file say, and of a DNG file lens and focal length."""
    import tifffile

    try:
        with silent_tifffile(), tifffile.TiffFile(path) as tiff:
            return _from_tags(tiff.pages.first.tags)
    except Exception:
        # A foreign parser on a foreign format: LibRaw has read the picture, so its names are all that is lost.
        return Capture()


def numbered_gps(named: object) -> dict[int, GpsValue]:
    """GPS tags by number: those of tags by name that hold what EXIF wants of them.

    Args:
        named: values by tag name, fractions as numerators and denominators in turns; anything else holds no tags.
    """
    from PIL.ExifTags import GPS

    if not isinstance(named, Mapping):
        return {}
    found = {tag.value: _gps_value(tag.value, named[tag.name]) for tag in GPS if tag.name in named}
    return {code: value for code, value in found.items() if value is not None}


def _from_tags(tags: "TiffTags") -> Capture:
    texts = [_text(tags[code].value) if code in tags else "" for code in (MAKE, MODEL, UNIQUE_MODEL)]
    gps, exif = tags.get("GPSTag"), tags.get("ExifTag")
    found = Capture(texts[0], texts[1] or texts[2], gps=numbered_gps(gps.value) if gps is not None else {})
    if DNG_VERSION not in tags:
        return found
    details = exif.value if exif is not None and isinstance(exif.value, Mapping) else {}
    lens, focal = (
        tags[code].value if code in tags else details.get(name)
        for code, name in ((LENS_MODEL, "LensModel"), (FOCAL_LENGTH, "FocalLength"))
    )
    length = _fractions(focal, 1)
    return replace(
        found,
        lens=_text(lens),
        focal_length_mm=_plausible(length) if isinstance(length, float) else None,
        has_maker_note=PRIVATE_DATA in tags or "MakerNote" in details,
    )


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


def _gps_value(code: int, value: object) -> GpsValue | None:
    """The value as a picture can repeat it, fractions as numbers; None for one of another kind than the tag's."""
    from PIL import TiffTags

    wanted = TiffTags.lookup(code, GPS_DIRECTORY)
    if wanted.type == TiffTags.ASCII:
        return _text(value) or None
    if wanted.type == TiffTags.RATIONAL:
        return _fractions(value, wanted.length or 1)
    if isinstance(value, bytes) and wanted.type in (TiffTags.BYTE, TiffTags.UNDEFINED):
        return value if len(value) <= (wanted.length or LONGEST_TEXT) else None
    return value if isinstance(value, int) and wanted.length == 1 and 0 <= value <= 255 else None


def _fractions(value: object, count: int) -> GpsValue | None:
    """So many numbers from 0 on of twice as many integers, numerators and denominators in turns."""
    numbers = list(value) if isinstance(value, tuple | list) else []
    if len(numbers) != 2 * count or not all(isinstance(number, int) for number in numbers):
        return None
    if min(numbers) < 0 or min(numbers[1::2]) == 0:
        return None
    quotients = tuple(above / below for above, below in zip(numbers[::2], numbers[1::2], strict=True))
    return quotients if count > 1 else quotients[0]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return " ".join(value.replace("\0", " ").split())[:LONGEST_TEXT] if isinstance(value, str) else ""


def _plausible(value: float) -> float | None:
    return float(value) if LEAST < value < MOST else None
