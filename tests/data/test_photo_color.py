"""The color space of a photo comes from values, in the order of the specifications, and never from a name."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_isp.data.photos import read_photo
from tests.data.color_cases import (
    P3_CHRM,
    WANTED,
    XYZ_TO,
    assert_patches,
    chrm,
    gama,
    iccp,
    linear,
    patches,
    power,
    srgb_encode,
    write_png,
)
from tests.icc_files import gray_profile, rgb_profile

SRGB_TABLE = [
    round(65535 * (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4)) for v in np.linspace(0, 1, 1024)
]
P3_MATRIX = np.linalg.inv(XYZ_TO["Display P3"])
ADOBE = patches("Adobe RGB", power(256 / 563))
PLAIN = patches("sRGB", srgb_encode)
COLOR_SPACE, GAMMA, INTEROP, WHITE, PRIMARIES = 0xA001, 0xA500, 0xA005, 0x13E, 0x13F


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_profile_counts_by_its_curves_and_primaries_and_not_by_its_description(tmp_path, suffix):
    def saved(name: str, pixels: np.ndarray, profile: bytes) -> np.ndarray:
        lossless = {".jpg": {"quality": 100, "subsampling": 0}, ".webp": {"lossless": True}}.get(suffix, {})
        path = tmp_path / f"{name}{suffix}"
        Image.fromarray(pixels).save(path, icc_profile=profile, **lossless)
        return read_photo(path)

    assert_patches(
        saved("linear", patches("sRGB", power(1.0)), rgb_profile(1.0, "GIMP built-in Linear sRGB")),
        5 if suffix == ".jpg" else 3,
    )
    assert_patches(saved("gamma", patches("sRGB", power(1 / 1.8)), rgb_profile(1.8, "sRGB IEC61966-2.1")))
    p3 = patches("Display P3", srgb_encode)
    assert_patches(saved("p3", p3, rgb_profile(SRGB_TABLE, "sRGB", P3_MATRIX)))
    assert_patches(saved("plain", PLAIN, rgb_profile(SRGB_TABLE, "Display P3")))


def test_a_profile_that_is_srgb_by_its_values_changes_no_pixel(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=rgb_profile(SRGB_TABLE, "a name of its own"))
    np.testing.assert_array_equal(read_photo(tmp_path / "a.png"), pixels)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_gray_photo_with_a_gray_profile(tmp_path, mode):
    wanted, coded = 128, round(255 * ((128 / 255 + 0.055) / 1.055) ** 2.4)
    Image.new("L", (8, 8), coded).convert(mode).save(tmp_path / "a.png", icc_profile=gray_profile(1.0, "sRGB"))
    np.testing.assert_allclose(read_photo(tmp_path / "a.png").astype(int), wanted, atol=1)


def test_transparency_is_not_taken_for_a_color(tmp_path):
    pixels = patches("sRGB", power(1.0))
    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    alpha[0] = 0
    Image.fromarray(np.concatenate([pixels, alpha], axis=2)).save(tmp_path / "a.png", icc_profile=rgb_profile(1.0, "x"))
    photo = read_photo(tmp_path / "a.png")
    assert_patches(photo)
    assert photo[0].min() == 255


def test_a_damaged_profile_gives_way_to_what_comes_next(tmp_path):
    path = write_png(tmp_path / "a.png", patches("sRGB", power(1.0)), iCCP=iccp(b"nothing"), gAMA=gama(1.0))
    assert_patches(read_photo(path))


def _exif(tmp_path: Path, pixels: np.ndarray, details: dict, interop: dict, main: dict | None = None) -> np.ndarray:
    exif = Image.Exif()
    exif.update(main or {})
    exif.get_ifd(0x8769).update(details)
    if interop:
        exif.get_ifd(0x8769)[INTEROP] = interop
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=100, subsampling=0)
    return read_photo(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("details", "interop"),
    [
        ({COLOR_SPACE: 0xFFFF}, {1: "R03"}),
        ({COLOR_SPACE: 2}, {}),
        ({COLOR_SPACE: 0xFFFF}, {1: "R03", 2: b"0100"}),
        ({}, {1: "R03"}),
    ],
)
def test_adobe_rgb_as_exif_says_it(tmp_path, details, interop):
    assert_patches(_exif(tmp_path, ADOBE, details, interop))


@pytest.mark.parametrize(
    ("details", "interop"),
    [({COLOR_SPACE: 1}, {1: "R98"}), ({COLOR_SPACE: 0xFFFF}, {1: "R98"}), ({COLOR_SPACE: 0xFFFF}, {}), ({}, {})],
)
def test_srgb_as_exif_says_it(tmp_path, details, interop):
    assert_patches(_exif(tmp_path, PLAIN, details, interop))


def test_primaries_white_and_gamma_of_exif(tmp_path):
    main = {WHITE: (0.3127, 0.3290), PRIMARIES: (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)}
    assert_patches(_exif(tmp_path, ADOBE, {COLOR_SPACE: 0xFFFF, GAMMA: 2.2}, {}, main))
    nothing = {WHITE: (0.3127, 0.3290), PRIMARIES: (0.3, 0.3, 0.3, 0.3, 0.3, 0.3)}
    assert_patches(_exif(tmp_path, PLAIN, {COLOR_SPACE: 0xFFFF}, {}, nothing))


def test_a_profile_counts_more_than_exif(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({COLOR_SPACE: 0xFFFF, INTEROP: {1: "R03"}})
    pixels = patches("Display P3", srgb_encode)
    profile = rgb_profile(SRGB_TABLE, "any", P3_MATRIX)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, icc_profile=profile, quality=100, subsampling=0)
    assert_patches(read_photo(tmp_path / "a.jpg"))


LINEAR = patches("sRGB", power(1.0))
P3 = patches("Display P3", srgb_encode)
SRGB_CHUNK = b"\0"


@pytest.mark.parametrize(
    ("pixels", "chunks"),
    [
        (LINEAR, {"gAMA": gama(1.0)}),
        (patches("sRGB", power(1 / 2.2)), {"gAMA": gama(1 / 2.2)}),
        (P3, {"cHRM": P3_CHRM}),
        (patches("Display P3", power(0.5)), {"gAMA": gama(0.5), "cHRM": P3_CHRM}),
        (PLAIN, {"sRGB": SRGB_CHUNK, "gAMA": gama(1.0), "cHRM": P3_CHRM}),
        (LINEAR, {"iCCP": iccp(rgb_profile(1.0, "sRGB")), "sRGB": SRGB_CHUNK, "gAMA": gama(1 / 2.2)}),
        (P3, {"cICP": bytes((12, 13, 0, 1)), "iCCP": iccp(rgb_profile(1.0, "x")), "gAMA": gama(1.0)}),
        (P3, {"cICP": bytes((12, 13, 0, 1)), "sRGB": SRGB_CHUNK}),
        (PLAIN, {"cICP": bytes((2, 2, 0, 1))}),
        (LINEAR, {"cICP": bytes((9, 16, 9, 1)), "gAMA": gama(1.0)}),
        (patches("BT.2020", power(1.0)), {"cICP": bytes((9, 8, 0, 1))}),
        (PLAIN, {"gAMA": gama(0.0), "cHRM": chrm(0, 0, 0, 0, 0, 0, 0, 0)}),
    ],
)
def test_chunks_of_png_count_in_the_order_of_the_specification(tmp_path, pixels, chunks):
    assert_patches(read_photo(write_png(tmp_path / "a.png", pixels, **chunks)), 3)


def test_narrow_range_of_a_png(tmp_path):
    coded = np.rint(PLAIN / 255 * 219 + 16).astype(np.uint8)
    assert_patches(read_photo(write_png(tmp_path / "a.png", coded, cICP=bytes((1, 13, 0, 0)))))


def test_an_hdr_png_shows_what_is_below_its_white(tmp_path):
    """White is 203 cd/m2: 58 % of the PQ and 75 % of the HLG signal (ITU-R BT.2408, table 1)."""
    for transfer, share in ((16, 0.5807), (18, 0.75)):
        pixels = np.full((8, 8, 3), round(255 * share), np.uint8)
        white = read_photo(write_png(tmp_path / "a.png", pixels, cICP=bytes((9, transfer, 0, 1))))
        assert white.min() >= 252
        gray = read_photo(write_png(tmp_path / "a.png", pixels // 2, cICP=bytes((9, transfer, 0, 1))))
        assert gray.max() < 140

    def pq(light: np.ndarray) -> np.ndarray:
        power_of_light = (light * 203 / 10000) ** (2610 / 16384)
        return ((3424 / 4096 + 2413 / 128 * power_of_light) / (1 + 2392 / 128 * power_of_light)) ** (2523 / 32)

    path = write_png(tmp_path / "a.png", patches("BT.2020", pq), cICP=bytes((9, 16, 0, 1)))
    assert_patches(read_photo(path), 4)  # 8 bits of PQ are coarse


def test_chunks_after_the_pixels_say_nothing(tmp_path):
    Image.fromarray(PLAIN).save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    chunk = struct.pack(">I4s", 4, b"cICP") + bytes((12, 8, 0, 1)) + bytes(4)
    (tmp_path / "a.png").write_bytes(content[:-12] + chunk + content[-12:])
    assert_patches(read_photo(tmp_path / "a.png"))


def test_the_files_of_bug_reports(shared_data):
    names = ("06_dcf_adobergb/dcf_adobergb.jpg", "06_dcf_adobergb/adobe_icc.jpg")
    names += ("07_linear_profile_named_srgb/linear_gimp_25.png", "08_png_colour_chunks/gama1.png")
    for name in names:
        photo = read_photo(shared_data / "cases" / name)
        np.testing.assert_allclose(photo[32, 16::32].astype(int), WANTED, atol=2)


def test_the_light_of_the_patches_is_that_of_the_standard():
    assert linear()[3, 0] == pytest.approx(0.21586, abs=1e-5)
