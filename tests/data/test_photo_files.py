"""Photos are opened at their full picture, and HEIC and AVIF are read or named."""

import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from nas_isp.data import photo_files
from nas_isp.data.left_out import left_out
from nas_isp.data.photos import is_photo_candidate, list_photos, read_photo
from nas_isp.data.unpaired import load_unpaired
from nas_isp.errors import InputError
from tests.data.color_cases import assert_patches, patches, srgb_encode

FULL = np.random.default_rng(0).integers(0, 256, (64, 128, 3), np.uint8)
SMALL = FULL[:8, :8]


@pytest.mark.parametrize(("bigtiff", "order"), [(False, "<"), (False, ">"), (True, "<")])
def test_the_full_picture_of_a_tiff_wherever_the_thumbnail_lies(tmp_path, bigtiff, order):
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=bigtiff, byteorder=order) as tiff:
        tiff.write(SMALL, photometric="rgb", metadata=None)
        tiff.write(FULL, photometric="rgb", metadata=None, compression="zlib")
        tiff.write(SMALL, photometric="rgb", metadata=None)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), FULL)


def test_the_full_picture_of_a_tiff_within_its_first_page(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(SMALL, photometric="rgb", metadata=None, subifds=1, subfiletype=1)
        tiff.write(FULL, photometric="rgb", metadata=None, subfiletype=0)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), FULL)


def test_a_page_that_is_a_version_of_another_is_not_the_full_picture(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(np.kron(FULL, np.ones((2, 2, 1), np.uint8)), photometric="rgb", metadata=None, subfiletype=1)
        tiff.write(FULL, photometric="rgb", metadata=None)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), FULL)


def test_a_turned_page_is_upright(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(SMALL, photometric="rgb", metadata=None)
        tiff.write(FULL, photometric="rgb", metadata=None, extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), np.rot90(FULL, -1))


def test_a_jpeg_with_a_gain_map_is_its_sdr_picture(tmp_path):
    base, gains = Image.fromarray(patches("sRGB", srgb_encode)), Image.new("L", (128, 128), 200)
    base.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[gains], quality=100, subsampling=0)
    assert_patches(read_photo(tmp_path / "a.jpg"))


def _heif(path, pixels, **options):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(path, quality=-1, chroma=444, **options)
    return path


LARGE = np.kron(patches("Display P3", srgb_encode), np.ones((8, 8, 1), np.uint8))


def test_heic_is_read_in_the_colors_that_it_says(tmp_path):
    codes = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 0}
    photo = read_photo(_heif(tmp_path / "a.heic", LARGE, **codes))
    assert_patches(photo[4::8, 4::8], 3)


def test_avif_is_read_in_the_colors_that_it_says(tmp_path):
    Image.fromarray(LARGE).save(tmp_path / "a.avif", quality=100, subsampling="4:4:4")
    content = (tmp_path / "a.avif").read_bytes()
    place = content.index(b"nclx") + 4
    assert content[place : place + 4] == bytes((0, 1, 0, 13))
    (tmp_path / "a.avif").write_bytes(content[:place] + bytes((0, 12)) + content[place + 2 :])
    assert_patches(read_photo(tmp_path / "a.avif")[4::8, 4::8], 6)  # its luma and chroma have 8 bits


def test_heic_without_the_library_says_what_is_missing(tmp_path, monkeypatch):
    path = _heif(tmp_path / "a.heic", LARGE)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    photo_files._heif_is_read.cache_clear()
    try:
        with pytest.raises(InputError, match=r"needs pillow-heif; pip install 'nas_isp\[heic\]'"):
            read_photo(path)
    finally:
        photo_files._heif_is_read.cache_clear()


def test_heic_and_avif_of_a_phone(shared_data):
    pytest.importorskip("pillow_heif")
    for name in ("IMG_0000.avif", "IMG_0001.HEIC"):
        assert read_photo(shared_data / "cases/11_heic_unsaid" / name).shape == (256, 256, 3)
    assert len(list_photos(shared_data / "cases/11_heic_unsaid")) == 3


def test_the_files_that_are_not_read_are_counted_with_reasons(tmp_path, write_photo, write_mosaic, noise):
    write_photo(tmp_path / "rgb/a.png", noise(16, 16, 3, low=0, high=256))
    write_photo(tmp_path / "rgb/small.png", noise(8, 8, 3, low=0, high=256))
    (tmp_path / "rgb/b.heic").write_bytes(b"\0\0\0\x18ftypheic")
    for name in ("c.mov", "d.jxl", "e.jxl"):
        (tmp_path / "rgb" / name).touch()
    write_mosaic(tmp_path / "raw/a.png", noise(16, 16))
    (tmp_path / "raw/notes.txt").touch()
    notes = load_unpaired(tmp_path / "raw", tmp_path / "rgb", tmp_path / "cache", 16).notes
    assert f"{tmp_path / 'rgb'}: 2 of 3 photos not used, for these reasons" in notes
    assert sum(note.startswith("skipped: ") and ("small.png" in note or "b.heic" in note) for note in notes) == 2
    assert f"{tmp_path / 'rgb'}: 3 of 6 files not read, no photos by their names (2 .jxl, 1 .mov)" in notes
    assert f"{tmp_path / 'raw'}: 1 of 3 files not read, no RAW files by their names (1 .txt)" in notes


def test_further_captures_of_a_tiff_are_said(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for _ in range(3):
            tiff.write(FULL, photometric="rgb", metadata=None)
        tiff.write(SMALL, photometric="rgb", metadata=None)
    (line,) = left_out(tmp_path, "photos", is_photo_candidate, [], 1)
    assert line.endswith("a.tif: 2 further captures in this file not read; save each as a file of its own")
