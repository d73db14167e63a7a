"""Photos of 16 bits a channel keep them until they are sRGB of 8 bits."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from nas_isp.data.color_spaces import ADOBE_RGB, SRGB, deep_as_srgb
from nas_isp.data.deep_pixels import as_levels
from nas_isp.data.icc_matrix import matrix_space
from nas_isp.data.photos import photo_size, read_photo
from nas_isp.errors import InputError
from tests.data.color_cases import XYZ_TO, chrm, gama, iccp, png16, srgb_encode
from tests.icc_files import SRGB_TO_XYZ, rgb_profile

VALUES = np.random.default_rng(0).integers(0, 65536, (40, 30, 3)).astype(np.uint16)
ROUNDED = np.rint(VALUES / 257).astype(np.uint8)
RAMP = np.repeat(np.arange(0, 65536, 13, dtype=np.uint16)[:5040, None], 3, axis=1).reshape(70, 72, 3)
LINEAR = np.rint(srgb_encode(RAMP / 65535) * 255)
"""Shadows among them that 8 bits of light do not tell apart."""


def test_a_png_is_rounded_not_cut(tmp_path):
    photo = read_photo(png16(tmp_path / "a.png", VALUES))
    np.testing.assert_array_equal(photo, ROUNDED)
    assert (photo != VALUES >> 8).any()


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"byteorder": ">"},
        {"compression": "zlib", "predictor": True},
        {"compression": "zlib", "byteorder": ">"},
        {"rowsperstrip": 7},
        {"tile": (16, 16)},
        {"tile": (16, 16), "compression": "zlib"},
    ],
)
def test_tiff_files_of_any_layout_are_rounded(tmp_path, form):
    tifffile.imwrite(tmp_path / "a.tif", VALUES, photometric="rgb", **form)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), ROUNDED)


def test_the_full_page_of_a_tiff_file_is_read_deep_too(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(np.zeros((4, 4, 3), np.uint8), photometric="rgb", subfiletype=1)
        tiff.write(VALUES, photometric="rgb")
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), ROUNDED)


def test_a_plane_for_each_color_is_refused_rather_than_read_as_bytes(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(VALUES, -1, 0), photometric="rgb", planarconfig="separate")
    with pytest.raises(InputError, match="a plane for each color"):
        read_photo(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", np.moveaxis(ROUNDED, -1, 0), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_photo(tmp_path / "b.tif"), ROUNDED)


@pytest.mark.parametrize(
    "chunks",
    [
        {"gAMA": gama(1.0)},
        {"gAMA": gama(1.0), "cHRM": chrm(0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)},
        {"cICP": bytes((1, 8, 0, 1))},
        {"iCCP": iccp(rgb_profile(1.0, "linear"))},
        {"iCCP": iccp(rgb_profile([0, 65535], "a straight line"))},
    ],
)
def test_shadows_of_linear_photos_keep_their_steps(tmp_path, chunks):
    photo = read_photo(png16(tmp_path / "a.png", RAMP, **chunks)).astype(int)
    assert np.abs(photo - LINEAR).max() <= 1
    assert len(np.unique(photo[:10])) > 25  # in 8 bits of light there are eight steps here


def test_a_linear_tiff_file_by_its_profile(tmp_path):
    profile = rgb_profile(1.0, "sRGB")
    tifffile.imwrite(tmp_path / "a.tif", RAMP, photometric="rgb", iccprofile=profile)
    assert np.abs(read_photo(tmp_path / "a.tif").astype(int) - LINEAR).max() <= 1


@pytest.mark.parametrize("space", ["Display P3", "Adobe RGB", "BT.2020"])
@pytest.mark.parametrize("curve", [2.19921875, 1.0, 1.8])
def test_matrix_profiles_give_what_the_color_engine_gives_of_8_bits(tmp_path, space, curve):
    """LittleCMS, which Pillow brings, is the independent reader."""
    levels = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    profile = rgb_profile(curve, "x", np.linalg.inv(XYZ_TO[space]))
    deep = read_photo(png16(tmp_path / "deep.png", levels.astype(np.uint16) * 257, iCCP=iccp(profile)))
    Image.fromarray(levels).save(tmp_path / "a.png", icc_profile=profile)
    assert np.abs(read_photo(tmp_path / "a.png").astype(int) - deep).max() <= 2


def test_parametric_curves_are_those_of_the_specification():
    """That of sRGB, type 3, and the same with offsets, type 4; and plain powers."""
    plain = rgb_profile(1.0, "x")
    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    coded = np.linspace(0, 1, 101)
    wanted = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    for function, given, light in (
        (0, (1.8,), coded**1.8),
        (1, (2.0, 1.25, -0.25), np.clip(1.25 * coded - 0.25, 0, None) ** 2),
        (2, (2.0, 1.25, -0.25, 0.1), np.clip(1.25 * coded - 0.25, 0, None) ** 2 + 0.1),
        (3, numbers, wanted),
        (4, (*numbers, 0.0, 0.0), wanted),
    ):
        fixed = [round(number * 65536) for number in given]
        content = b"para" + bytes(4) + struct.pack(f">HH{len(fixed)}i", function, 0, *fixed)
        space = matrix_space(_with_curves(plain, content))
        assert space is not None
        np.testing.assert_allclose(space.curve(coded), np.repeat(light[:, None], 3, axis=1), atol=1e-4)


def test_profiles_of_tables_and_damaged_ones_are_left_to_the_color_engine():
    plain = rgb_profile(2.2, "x")
    assert matrix_space(plain) is not None
    assert matrix_space(plain.replace(b"desc", b"A2B0", 1)) is None
    assert matrix_space(plain[:200]) is None
    assert matrix_space(b"") is None
    assert matrix_space(rgb_profile(2.2, "x", np.zeros((3, 3)) + SRGB_TO_XYZ[0])) is None


def test_turned_and_transparent_photos(tmp_path):
    alpha = np.full((40, 30, 1), 32768, np.uint16)
    photo = read_photo(png16(tmp_path / "a.png", np.dstack([VALUES, alpha])))
    assert np.abs(photo - (VALUES / 257 + 255) / 2).max() <= 1.01
    tifffile.imwrite(tmp_path / "a.tif", VALUES, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), np.rot90(ROUNDED, -1))
    exif = Image.Exif()
    exif[274] = 6
    path = png16(tmp_path / "b.png", VALUES, eXIf=exif.tobytes()[6:])
    np.testing.assert_array_equal(read_photo(path), np.rot90(ROUNDED, -1))
    for name in ("a.tif", "b.png"):
        assert photo_size(tmp_path / name) == (30, 40)


def test_rounding_is_that_of_numbers():
    values = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(as_levels(values), np.rint(values / 257))


def test_narrow_and_known_spaces_of_16_bits():
    values = np.arange(0, 65536, 97, dtype=np.uint16)[:, None, None].repeat(3, axis=2)
    assert np.abs(deep_as_srgb(values, SRGB).astype(int) - as_levels(values)).max() <= 1
    levels = (values // 257).astype(np.uint8)
    from nas_isp.data.color_spaces import as_srgb

    assert (
        np.abs(deep_as_srgb(levels.astype(np.uint16) * 257, ADOBE_RGB).astype(int) - as_srgb(levels, ADOBE_RGB)).max()
        <= 1
    )


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("columns", [1, 3])
def test_the_transfer_function_of_a_tiff_file_is_its_curve(tmp_path, bits, columns):
    levels = 1 << bits
    exponents = (1.0,) if columns == 1 else (1.0, 2.0, 1.8)
    tables = [np.rint(np.linspace(0, 1, levels) ** one * 65535).astype(np.uint16) for one in exponents]
    table = tuple(np.concatenate(tables).tolist())
    values = RAMP if bits == 16 else (RAMP >> 8).astype(np.uint8)
    tag = (301, "H", len(table), table, True)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extratags=[tag])
    share = values / (levels - 1)
    light = np.stack([share[..., color] ** exponents[color % columns] for color in range(3)], axis=-1)
    assert np.abs(read_photo(tmp_path / "a.tif").astype(int) - np.rint(srgb_encode(light) * 255)).max() <= 1


def test_a_transfer_function_that_is_none_is_ignored(tmp_path):
    values = (RAMP >> 8).astype(np.uint8)
    for table in (tuple(range(100)), (0,) * 256, tuple(range(65280, 0, -255))[:256]):
        tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb", extratags=[(301, "H", len(table), table, True)])
        np.testing.assert_array_equal(read_photo(tmp_path / "a.tif"), values)


def _with_curves(profile: bytes, content: bytes) -> bytes:
    """The profile with another content of its three curves, put at its end."""
    (count,) = struct.unpack_from(">I", profile, 128)
    changed = bytearray(profile)
    for at in range(132, 132 + 12 * count, 12):
        if profile[at : at + 4] in (b"rTRC", b"gTRC", b"bTRC"):
            struct.pack_into(">II", changed, at + 4, len(profile), len(content))
    return bytes(changed) + content
