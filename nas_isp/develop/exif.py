"""The EXIF record of a finished picture: what its RAW file says about the capture, and who developed it."""

from datetime import datetime
from typing import Any

from PIL.ExifTags import IFD, Base
from PIL.Image import Exif
from PIL.TiffImagePlugin import IFDRational

from nas_isp.raw.capture import Capture

UPRIGHT = 1
SRGB = 1
GPS_PARTS = 1_000_000

Directory = dict[int, Any]


def exif_of(capture: Capture, software: str, width: int, height: int) -> Exif:
    """The record for a JPEG or PNG file.

    Args:
        capture: what is known of it; nothing is made up for what is not.
        software: what developed the picture.
        width: of the finished picture.
        height: likewise.
    """
    exif = Exif()
    exif.update({**main_directory(capture, software), Base.Orientation: UPRIGHT})
    exif.get_ifd(IFD.Exif).update(capture_directory(capture, width, height))
    if capture.gps:
        exif.get_ifd(IFD.GPSInfo).update(gps_directory(capture))
    return exif


def main_directory(capture: Capture, software: str) -> Directory:
    """Make, model, date and software by tag number, without what is unknown."""
    return _known(
        {
            Base.Make: capture.make,
            Base.Model: capture.model,
            Base.Software: software,
            Base.DateTime: _written(capture.taken),
        }
    )


def capture_directory(capture: Capture, width: int, height: int) -> Directory:
    """Exposure, lens and color space by tag number, without what is unknown."""
    return _known(
        {
            Base.ExposureTime: _fraction(capture.exposure_s),
            Base.FNumber: _fraction(capture.f_number),
            Base.ISOSpeedRatings: None if capture.iso is None else min(round(capture.iso), 65535),
            Base.DateTimeOriginal: _written(capture.taken),
            Base.FocalLength: _fraction(capture.focal_length_mm),
            Base.LensModel: capture.lens,
            Base.ColorSpace: SRGB,
            Base.ExifImageWidth: width,
            Base.ExifImageHeight: height,
        }
    )


def gps_directory(capture: Capture) -> Directory:
    """The place by tag number; empty where the file gives none."""
    return {code: _rational(value) for code, value in capture.gps.items()}


def _known(tags: Directory) -> Directory:
    return {int(code): value for code, value in tags.items() if value not in (None, "")}


def _rational(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_rational(part) for part in value)
    return IFDRational(round(value * GPS_PARTS), GPS_PARTS) if isinstance(value, float) else value


def _fraction(value: float | None) -> IFDRational | None:
    """1/100 stays 1/100: cameras write the inverse of whole numbers."""
    if value is None:
        return None
    if 0 < value < 1:
        inverse = round(1 / value)
        if abs(1 / value - inverse) < 0.02 * inverse and inverse >= 3:
            return IFDRational(1, inverse)
    return IFDRational(round(value * 1000), 1000)


def _written(taken: datetime | None) -> str | None:
    return None if taken is None else taken.strftime("%Y:%m:%d %H:%M:%S")
