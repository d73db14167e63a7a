"""Saved pictures hold the right pixels and the sRGB profile, and appear whole."""

import io
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from PIL.ExifTags import IFD, Base
from PIL.TiffImagePlugin import IFDRational

from nas_isp.develop.picture import level_of, save_picture
from nas_isp.errors import InputError
from nas_isp.raw.capture import Capture

SMOOTH = np.stack(np.broadcast_arrays(np.arange(64)[:, None] * 4, np.arange(48)[None] * 5, 128), -1).astype(np.uint8)


def test_png_is_lossless_and_carries_srgb(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", SMOOTH)
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), SMOOTH)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


@pytest.mark.parametrize("name", ["a.jpg", "b.JPEG"])
def test_jpeg_is_close_and_keeps_full_chroma(tmp_path: Path, name: str) -> None:
    save_picture(tmp_path / name, SMOOTH)
    with Image.open(tmp_path / name) as image:
        assert image.format == "JPEG"
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}
        assert np.abs(np.asarray(image).astype(int) - SMOOTH).max() <= 8


CAPTURE = Capture(
    make="Canon",
    model="PowerShot S40",
    lens="7-21 mm",
    taken=datetime(2021, 4, 8, 14, 51, 12),
    exposure_s=0.01,
    f_number=2.8,
    iso=50,
    focal_length_mm=7.1,
    gps={1: "N", 2: (48.0, 30.0, 12.5), 3: "E", 4: (9.0, 1.0, 2.25), 6: 311.5},
)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_what_the_raw_file_said_is_said_again(tmp_path: Path, name: str) -> None:
    save_picture(tmp_path / name, SMOOTH, CAPTURE)
    with Image.open(tmp_path / name) as image:
        exif = image.getexif()
        shot, place = exif.get_ifd(IFD.Exif), exif.get_ifd(IFD.GPSInfo)
        assert "sRGB" in ImageCms.getProfileDescription(io.BytesIO(image.info["icc_profile"]))
    assert (exif[Base.Make], exif[Base.Model], exif[Base.Orientation]) == ("Canon", "PowerShot S40", 1)
    assert exif[Base.Software].startswith("nas-isp")
    assert shot[Base.ExposureTime] == IFDRational(1, 100)
    assert (shot[Base.FNumber], shot[Base.FocalLength], shot[Base.ISOSpeedRatings]) == (2.8, 7.1, 50)
    assert shot[Base.DateTimeOriginal] == "2021:04:08 14:51:12"
    assert (shot[Base.LensModel], shot[Base.ColorSpace]) == ("7-21 mm", 1)
    assert (place[1], place[2], place[4], place[6]) == ("N", (48, 30, 12.5), (9, 1, 2.25), 311.5)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_nothing_is_made_up_for_a_picture_that_nobody_took(tmp_path: Path, name: str) -> None:
    save_picture(tmp_path / name, SMOOTH)
    with Image.open(tmp_path / name) as image:
        exif = image.getexif()
        assert not {Base.Make, Base.Model, Base.DateTime, IFD.GPSInfo} & set(exif)
        assert set(exif.get_ifd(IFD.Exif)) <= {Base.ColorSpace, Base.ExifImageWidth, Base.ExifImageHeight}


@pytest.mark.parametrize("level", [np.uint8, np.uint16])
def test_tiff_keeps_every_bit(tmp_path: Path, level: type[np.uint16]) -> None:
    rgb = np.random.default_rng(0).integers(0, np.iinfo(level).max, (9, 7, 3), dtype=level)
    save_picture(tmp_path / "a.tiff", rgb, CAPTURE)
    with tifffile.TiffFile(tmp_path / "a.tiff") as tiff:
        assert np.array_equal(tiff.asarray(), rgb)
        assert tiff.pages.first.tags["ExifTag"].value["ExposureTime"] == (1, 100)


def test_only_tiff_is_written_with_sixteen_bits() -> None:
    assert [level_of(Path(name)) for name in ("a.tif", "a.TIFF", "a.png", "a.jpg")] == [np.uint16] * 2 + [np.uint8] * 2


def test_an_older_picture_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    save_picture(tmp_path / "a.png", SMOOTH)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_another_suffix_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.png, \.jpg"):
        save_picture(tmp_path / "a.bmp", SMOOTH)
    with pytest.raises(InputError, match="no such folder"):
        save_picture(tmp_path / "missing" / "a.png", SMOOTH)


def test_a_picture_that_jpeg_cannot_hold_is_refused_with_what_can(tmp_path: Path) -> None:
    long = np.zeros((1, 65501, 3), np.uint8)
    with pytest.raises(InputError, match=r"65501x1 pixels; .* give \.png or \.tiff"):
        save_picture(tmp_path / "a.jpg", long)
    assert list(tmp_path.iterdir()) == []
    save_picture(tmp_path / "a.png", long)
    save_picture(tmp_path / "b.jpg", long[:, 1:])
