"""Writing a TIFF picture of 8 or 16 bits with its profile and EXIF."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from nas_isp.develop.exif import UPRIGHT, capture_directory, gps_directory, main_directory
from nas_isp.raw.capture import Capture

HEADER = struct.pack("<2sHI", b"II", 42, 8)
"""Little-endian TIFF whose directory follows at once."""

NOT_COMPRESSED, RGB, PIXEL_BY_PIXEL = 1, 2, 1
AFTER_THE_DIRECTORY = 0
"""Pillow counts the pixels' place from the end of the directory."""


def write_tiff(
    path: Path, rgb: NDArray[np.unsignedinteger[Any]], profile: bytes, capture: Capture, software: str
) -> None:
    """Write `(H, W, 3)` as one strip without compression (TIFF 6.0, baseline RGB).

    Pillow writes no 16-bit color and tifffile no EXIF directory, so the few tags are put together here: header,
    directory with those for EXIF and place in it, pixels.
    """
    height, width, channels = rgb.shape
    pixels = np.ascontiguousarray(rgb, rgb.dtype.newbyteorder("<"))
    directory = ImageFileDirectory_v2(prefix=b"II")
    directory.update(main_directory(capture, software))
    directory.update(
        {
            Base.ImageWidth: width,
            Base.ImageLength: height,
            Base.BitsPerSample: (8 * rgb.itemsize,) * channels,
            Base.Compression: NOT_COMPRESSED,
            Base.PhotometricInterpretation: RGB,
            Base.StripOffsets: AFTER_THE_DIRECTORY,
            Base.Orientation: UPRIGHT,
            Base.SamplesPerPixel: channels,
            Base.RowsPerStrip: height,
            Base.StripByteCounts: pixels.nbytes,
            Base.PlanarConfiguration: PIXEL_BY_PIXEL,
            Base.InterColorProfile: profile,
            IFD.Exif: capture_directory(capture, width, height),
        }
    )
    if capture.gps:
        directory[IFD.GPSInfo] = gps_directory(capture)
    with path.open("wb") as file:
        file.write(HEADER + directory.tobytes(len(HEADER)))
        file.write(pixels.data)
