"""Photos come out as upright 8-bit sRGB."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from nas_isp.data.photos import list_photos, read_photo
from nas_isp.errors import InputError

ORIENTATION = 0x0112


def test_png_pixels_are_untouched(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png"), pixels)


def test_exif_orientation_is_applied(tmp_path):
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 8:] = 255  # the right half is bright
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[ORIENTATION] = 6  # turn clockwise to see it upright: right becomes bottom
    image.save(tmp_path / "a.png", exif=exif)
    upright = read_photo(tmp_path / "a.png")
    assert upright.shape == (16, 8, 3)
    assert upright[:8].max() == 0
    assert upright[8:].min() == 255


def test_gray_becomes_three_equal_channels(tmp_path):
    Image.fromarray(np.full((4, 4), 77, np.uint8)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png"), np.full((4, 4, 3), 77))


def test_transparency_is_laid_over_white(tmp_path):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    assert photo[0].max() == 0
    assert photo[1].min() == 255


def test_embedded_profile_is_converted_to_srgb(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # sRGB under another name with the primaries of red and blue exchanged: conversion exchanges the channels.
    other = srgb.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    other = other.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
    image = Image.new("RGB", (4, 4), (200, 100, 50))
    image.save(tmp_path / "other.png", icc_profile=other)
    image.save(tmp_path / "srgb.png", icc_profile=srgb)
    np.testing.assert_allclose(read_photo(tmp_path / "other.png")[0, 0].astype(int), (50, 100, 200), atol=2)
    np.testing.assert_array_equal(read_photo(tmp_path / "srgb.png")[0, 0], (200, 100, 50))


def test_damaged_profile_is_ignored(tmp_path):
    Image.fromarray(np.full((4, 4, 3), 128, np.uint8)).save(tmp_path / "a.png", icc_profile=b"not a profile")
    assert (read_photo(tmp_path / "a.png") == 128).all()


def test_large_photo_is_reduced_on_request_only(tmp_path):
    Image.fromarray(np.zeros((40, 100, 3), np.uint8)).save(tmp_path / "a.png")
    assert read_photo(tmp_path / "a.png", max_side=50).shape == (20, 50, 3)
    assert read_photo(tmp_path / "a.png", max_side=200).shape == (40, 100, 3)


def test_mosaic_is_not_taken_for_a_photo(tmp_path):
    Image.fromarray(np.full((4, 4), 700, np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="mosaic"):
        read_photo(tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"", b"text", b"\xff\xd8\xff\xe0 cut"])
def test_damaged_photo_is_one_clear_line(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jpg") as error:
        read_photo(tmp_path / "a.jpg")
    assert "\n" not in str(error.value)


def test_truncated_jpeg_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="truncated"):
        read_photo(tmp_path / "a.jpg")


def test_folder_without_photos_says_what_it_holds(tmp_path):
    with pytest.raises(InputError, match="holds nothing"):
        list_photos(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(InputError, match=r"a\.txt"):
        list_photos(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        list_photos(tmp_path / "missing")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.jpg").touch()
    with pytest.raises(InputError, match="no photo in it itself, but in its folders below; give one of those"):
        list_photos(tmp_path)


def test_pictures_that_would_be_handed_to_another_program_are_no_photos(tmp_path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(InputError, match="not a photo"):
        read_photo(tmp_path / "a.png")


def test_a_photo_that_claims_thousands_of_millions_of_pixels_is_refused_before_it_is_unpacked(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a.bmp")
    content = bytearray((tmp_path / "a.bmp").read_bytes())
    struct.pack_into("<ii", content, 18, 11_000, 11_000)
    (tmp_path / "a.bmp").write_bytes(content)
    with pytest.raises(InputError, match="11000x11000 pixels; at most"):
        read_photo(tmp_path / "a.bmp")
