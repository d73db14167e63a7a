import os
import random
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from nas_isp.errors import InputError
from nas_isp.raw.classical import render_image
from nas_isp.raw.image import RawImage
from nas_isp.raw.libraw_rendering import render_by_libraw
from nas_isp.raw.packing import pack, pack_values
from nas_isp.raw.readers import SENSOR_FILE, list_raw_files, load_sensor, read_raw, sensor_beside
from nas_isp.raw.sensor import CFA_ORDERS, Cfa, SensorDescription
from tests.dng_files import write_dng

TEN_BIT = SensorDescription(cfa="GRBG", bits=10, black=25, white=1023)
SIXTEEN_BIT = SensorDescription(cfa="RGGB", bits=16, black=0, white=65535)


def values(height: int = 10, width: int = 12, below: int = 1024) -> np.ndarray:
    return np.random.default_rng(0).integers(0, below, (height, width), dtype=np.uint16)


def test_every_16_bit_value_of_a_png_arrives(tmp_path: Path) -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(every).save(tmp_path / "a.png")
    assert np.array_equal(read_raw(tmp_path / "a.png", SIXTEEN_BIT).mosaic, every)


def test_a_png_takes_the_facts_of_its_sensor_and_drops_the_stored_shift(tmp_path: Path) -> None:
    Image.fromarray(values() << 2).save(tmp_path / "a.PNG")
    raw = read_raw(tmp_path / "a.PNG", TEN_BIT.model_copy(update={"shift": 2}))
    assert np.array_equal(raw.mosaic, values())
    assert (raw.cfa, raw.black, raw.white) == ("GRBG", (25, 25, 25, 25), 1023)
    assert (raw.white_balance, raw.color_matrix, raw.flip) == (None, None, 0)


def test_the_sensor_file_beside_a_mosaic_is_found_and_a_given_one_wins(tmp_path: Path) -> None:
    Image.fromarray(values()).save(tmp_path / "a.png")
    (tmp_path / "sensor.json").write_text(TEN_BIT.model_dump_json())
    assert read_raw(tmp_path / "a.png").cfa == "GRBG"
    assert read_raw(tmp_path / "a.png", SIXTEEN_BIT).cfa == "RGGB"


def test_tiff_npy_and_headerless_files_hold_the_same_mosaic(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", values())
    np.save(tmp_path / "a.npy", values().astype(np.float32))
    values().astype("<u2").tofile(tmp_path / "a.raw")
    sensor = TEN_BIT.model_copy(update={"width": 12, "height": 10})
    for name in ("a.tif", "a.npy", "a.raw"):
        assert np.array_equal(read_raw(tmp_path / name, sensor).mosaic, values())


@pytest.mark.parametrize("cfa", CFA_ORDERS)
def test_packed_planes_are_laid_out_as_the_mosaic_they_came_from(tmp_path: Path, cfa: Cfa) -> None:
    np.save(tmp_path / "a.npy", pack_values(values(), cfa).transpose(1, 2, 0))
    sensor = TEN_BIT.model_copy(update={"cfa": cfa, "layout": "packed-rggb"})
    assert np.array_equal(read_raw(tmp_path / "a.npy", sensor).mosaic, values())


def test_an_odd_last_row_and_column_are_left_out(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values(11, 13))
    assert np.array_equal(read_raw(tmp_path / "a.npy", TEN_BIT).mosaic, values(11, 13)[:10, :12])


def test_single_values_beyond_the_bits_are_kept(tmp_path: Path) -> None:
    overshooting = values(20, 20)
    overshooting[3, 4] = 1053
    np.save(tmp_path / "a.npy", overshooting)
    assert read_raw(tmp_path / "a.npy", TEN_BIT).mosaic[3, 4] == 1053


BAD_ARRAYS = {
    "NaN": (np.full((8, 8), np.nan), "NaN"),
    "fractions": (np.full((8, 8), 0.5), "fractions"),
    "negative": (np.full((8, 8), -1), "0..65535"),
    "complex": (np.ones((8, 8), complex), "complex128"),
    "too_large": (np.full((8, 8), 70000), "0..65535"),
    "wrong_shift": (values() << 2, "exceed 10 bits"),
    "color": (np.zeros((8, 8, 3), np.uint16), "one plane"),
    "packed": (np.zeros((8, 8, 4), np.uint16), "packed-rggb"),
    "tiny": (np.zeros((2, 2), np.uint16), "at least 4x4"),
    "one_dimension": (np.zeros(64, np.uint16), "one plane"),
    "empty": (np.zeros((0, 8), np.uint16), "at least 4x4"),
    "scalar": (np.uint16(3), "one plane"),
}


@pytest.mark.parametrize("case", sorted(BAD_ARRAYS))
def test_arrays_that_are_no_mosaic_are_refused_with_the_reason(tmp_path: Path, case: str) -> None:
    array, reason = BAD_ARRAYS[case]
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match=reason):
        read_raw(tmp_path / "a.npy", TEN_BIT)


def test_values_that_cannot_have_been_shifted_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values())
    with pytest.raises(InputError, match="not multiples of 4"):
        read_raw(tmp_path / "a.npy", TEN_BIT.model_copy(update={"shift": 2}))


def test_pickled_arrays_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="not a readable"):
        read_raw(tmp_path / "a.npy", TEN_BIT)


def test_a_mosaic_without_a_description_says_how_to_give_one(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values())
    with pytest.raises(InputError, match=r"give its sensor .*sensor\.json"):
        read_raw(tmp_path / "a.npy")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_a_color_image_is_no_mosaic(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (16, 16)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="not a mosaic"):
        read_raw(tmp_path / "a.png", TEN_BIT)


@pytest.mark.parametrize("name", ["a.jpg", "a.dng", "a.CR2", "a.png", "a.tif", "a.npy", "a.raw"])
def test_a_jpeg_is_no_raw_whatever_its_name(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (64, 48), "red").save(tmp_path / name, format="JPEG")
    with pytest.raises(InputError, match=name):
        read_raw(tmp_path / name, TEN_BIT.model_copy(update={"width": 64, "height": 48}))


def test_a_headerless_file_of_another_size_or_without_a_size_is_refused(tmp_path: Path) -> None:
    values().tofile(tmp_path / "a.raw")
    with pytest.raises(InputError, match="240 bytes, but 12x11 values of 16 bits are 264"):
        read_raw(tmp_path / "a.raw", TEN_BIT.model_copy(update={"width": 12, "height": 11}))
    with pytest.raises(InputError, match="`width` and `height`"):
        read_raw(tmp_path / "a.raw", TEN_BIT)


def test_a_file_that_claims_a_monstrous_size_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = str({"descr": "<u2", "fortran_order": False, "shape": (10**6, 10**6)}).encode().ljust(117) + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    with pytest.raises(InputError, match=r"a\.npy"):
        read_raw(tmp_path / "a.npy", TEN_BIT)


@pytest.mark.parametrize("cfa", CFA_ORDERS)
def test_a_dng_keeps_its_pixels_order_and_black_levels(tmp_path: Path, cfa: Cfa) -> None:
    black = (60, 61, 62, 63)
    path = write_dng(tmp_path / "a.dng", values(48, 64), cfa, black, active_area=(2, 4, 47, 64))
    raw = read_raw(path)
    assert np.array_equal(raw.mosaic, values(48, 64)[2:46, 4:64])
    assert (raw.cfa, raw.black, raw.white) == (cfa, black, 1023)


@pytest.mark.parametrize("cfa", CFA_ORDERS)
@pytest.mark.parametrize("corner", [(2, 3), (1, 1), (1, 2)])
def test_colors_are_right_where_the_visible_area_starts_at_an_odd_pixel(
    tmp_path: Path, cfa: Cfa, corner: tuple[int, int]
) -> None:
    """The pattern of a DNG starts at the corner of its active area, wherever that is."""
    cell = np.array([{"R": 100, "G": 200, "B": 300}[letter] for letter in cfa], np.uint16).reshape(2, 2)
    mosaic = np.roll(np.tile(cell, (24, 32)), corner, axis=(0, 1))
    path = write_dng(tmp_path / "a.dng", mosaic, cfa, (60, 60, 60, 60), active_area=(*corner, 48, 64))
    raw = read_raw(path)
    planes = pack_values(raw.mosaic, raw.cfa)
    assert [set(plane.ravel()) for plane in planes] == [{100}, {200}, {200}, {300}]


@pytest.mark.parametrize("cfa", CFA_ORDERS)
@pytest.mark.parametrize("corner", [(2, 4), (2, 3), (1, 1), (1, 2)])
def test_every_site_keeps_its_black_level_wherever_the_visible_area_starts(
    tmp_path: Path, cfa: Cfa, corner: tuple[int, int]
) -> None:
    """Black levels of a DNG are counted from the corner of its active area: black comes out as 0 at every site."""
    black = (60, 75, 90, 105)
    mosaic = np.roll(np.tile(np.array(black, np.uint16).reshape(2, 2), (24, 32)), corner, axis=(0, 1))
    path = write_dng(tmp_path / "a.dng", mosaic, cfa, black, active_area=(*corner, 48, 64))
    assert not pack(read_raw(path)).any()


def test_a_dng_says_its_white_balance_matrix_and_orientation(tmp_path: Path) -> None:
    raw = read_raw(write_dng(tmp_path / "a.dng", values(48, 64), neutral=(50, 100, 80), orientation=6))
    assert raw.white_balance == pytest.approx((2.0, 1.0, 1.25), abs=1e-6)
    assert raw.flip == 6
    assert raw.color_matrix is not None
    np.testing.assert_allclose(raw.color_matrix.sum(axis=1), 1, atol=1e-5)
    assert (np.diag(raw.color_matrix) > 1).all()
    assert render_image(raw).shape == (64, 48, 3)


def test_a_dng_without_as_shot_gains_says_so(tmp_path: Path) -> None:
    assert read_raw(write_dng(tmp_path / "a.dng", values(48, 64), neutral=None)).white_balance is None


def test_pixels_outlive_the_decoder(tmp_path: Path) -> None:
    """LibRaw frees its buffer on closing; a view of it would be garbage or a crash."""
    raws = [read_raw(write_dng(tmp_path / "a.dng", values(480, 640))) for _ in range(5)]
    assert all(np.array_equal(raw.mosaic, values(480, 640)) for raw in raws)
    assert all(raw.mosaic.flags.owndata for raw in raws)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9, 0.999])
def test_a_truncated_dng_is_refused_with_one_line_and_nothing_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], share: float
) -> None:
    whole = write_dng(tmp_path / "whole.dng", values(128, 128)).read_bytes()
    (tmp_path / "a.dng").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"a\.dng") as caught:
        read_raw(tmp_path / "a.dng")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_an_xtrans_pattern_and_a_demosaiced_dng_are_refused(tmp_path: Path) -> None:
    xtrans = (
        1,
        1,
        0,
        1,
        1,
        2,
        1,
        1,
        2,
        1,
        1,
        0,
        2,
        0,
        1,
        0,
        2,
        1,
        1,
        1,
        2,
        1,
        1,
        0,
        1,
        1,
        0,
        1,
        1,
        2,
        0,
        2,
        1,
        2,
        0,
        1,
    )
    with pytest.raises(InputError, match="X-Trans"):
        read_raw(write_dng(tmp_path / "x.dng", values(48, 60), pattern=xtrans))
    linear = np.random.default_rng(0).integers(0, 1023, (48, 64, 3), dtype=np.uint16)
    with pytest.raises(InputError, match="demosaiced"):
        read_raw(write_dng(tmp_path / "l.dng", linear, photometric=34892))


@pytest.mark.parametrize("kind", ["dng", "png", "tif", "npy"])
def test_damaged_files_give_a_picture_or_one_clear_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "dng":
        write_dng(path, values(32, 32))
    elif kind == "npy":
        np.save(path, values(32, 32))
    elif kind == "tif":
        tifffile.imwrite(path, values(32, 32))
    else:
        Image.fromarray(values(32, 32)).save(path)
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(60):
        damaged = bytearray(whole[: rng.randrange(len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.choice((1, 4, 16))):
            if damaged:
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        outcome = read_or_reason(path)
        assert isinstance(outcome, RawImage) or "\n" not in outcome


def read_or_reason(path: Path) -> RawImage | str:
    try:
        return read_raw(path, TEN_BIT)
    except InputError as error:
        return str(error)


def test_a_folder_lists_its_raw_candidates_only(tmp_path: Path) -> None:
    for name in ("b.DNG", "a.png", "sensor.json", "m.mat", "photo.jpg", ".hidden.png"):
        (tmp_path / name).touch()
    (tmp_path / "c.png").mkdir()
    assert [path.name for path in list_raw_files(tmp_path)] == ["a.png", "b.DNG"]


def test_a_folder_without_raw_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds nothing"):
        list_raw_files(tmp_path)
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(InputError, match=r"1 files, e\.g\. photo\.jpg"):
        list_raw_files(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        list_raw_files(tmp_path / "none")
    for name in ("x", "y"):
        (tmp_path / "empty" / name).mkdir(parents=True)
    with pytest.raises(InputError, match="holds 2 folders"):
        list_raw_files(tmp_path / "empty")
    with pytest.raises(InputError, match="no such file"):
        read_raw(tmp_path / "none.dng")


def test_a_folder_of_folders_names_those_that_hold_raw(tmp_path: Path) -> None:
    for name in ("a/1.dng", "b/2.npy", "c/3.png", "d/4.raw", "e/photo.jpg", ".f/5.dng"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="but in its folders a, b, c and 1 more; give one of those"):
        list_raw_files(tmp_path)


def test_sensors_are_found_by_name_and_by_file(tmp_path: Path) -> None:
    assert load_sensor("ultraisp").shift == 2
    (tmp_path / "mine.json").write_text(TEN_BIT.model_dump_json())
    assert load_sensor(str(tmp_path / "mine.json")) == TEN_BIT
    with pytest.raises(InputError, match="known are ultraisp"):
        load_sensor("nonsense")
    (tmp_path / "bad.json").write_text('{"cfa": "RGB", "white": 1023}')
    with pytest.raises(InputError, match=r"bad\.json, line 1, field 'cfa'"):
        load_sensor(str(tmp_path / "bad.json"))


REAL_FACTS = {
    "raw_camera/blackmagic/Blackmagic.dng": ((2176, 4128), "RGGB", 512, 65535, (2.206, 1.887)),
    "raw_camera/canon_s40/CRW_0101.CRW": ((1720, 2312), "RGGB", 32, 1023, (1.620, 1.555)),
    "raw_camera/tinydng/colorchart.dng": ((1156, 1734), "RGGB", 2056, 15000, (2.477, 1.694)),
    "raw_camera/kodak/DC0008L.KDC": ((512, 768), "GRBG", 0, 16383, (1.0, 1.0)),
    "raw_camera/nikon/DSC_1339_768x512_rggb.raw": ((512, 768), "RGGB", 600, 15520, None),
    "raw_camera/infinite_isp/ColorCheckerRAW_1920x1080_12bit_BGGR.raw": ((1080, 1920), "BGGR", 84, 4092, None),
    "raw_camera/openisp/test_1920x1080.RAW": ((1080, 1920), "RGGB", 0, 1020, None),
    "raw_phone/nokia_n900/bayer_small_256x344.png": ((344, 256), "GRBG", 25, 1023, None),
    "raw_phone/pi_ov5647/test_640x480.dng": ((480, 640), "GBRG", 0, 1023, None),
    "raw_phone/vivo_x90/x90_3_4.npy": ((1024, 1024), "RGGB", 0, 4095, None),
    "raw_phone/xkisp/input_640x480.raw": ((480, 640), "BGGR", 0, 255, None),
    "ultraisp/raw/15.png": ((256, 256), "RGGB", 64, 1023, None),
}


@pytest.mark.parametrize("name", sorted(REAL_FACTS))
def test_real_files_are_read_with_the_facts_of_their_sensor(shared_data: Path, name: str) -> None:
    shape, cfa, black, white, gains = REAL_FACTS[name]
    raw = read_raw(shared_data / name)
    assert (raw.mosaic.shape, raw.cfa, raw.black, raw.white) == (shape, cfa, (black,) * 4, white)
    if gains is None:
        assert raw.white_balance is None
    else:
        assert raw.white_balance == pytest.approx((gains[0], 1.0, gains[1]), abs=1e-3)


def test_pixels_that_are_not_square_are_refused(shared_data: Path) -> None:
    with pytest.raises(InputError, match="square"):
        read_raw(shared_data / "raw_camera/kodak/P003911.KDC")


def test_the_color_checker_of_a_real_camera_file_has_its_colors(shared_data: Path) -> None:
    """Third row of the chart: blue, green, red, yellow, magenta, cyan; fourth row: grays."""
    picture = render_image(read_raw(shared_data / "raw_camera/canon_s40/CRW_0101.CRW")).astype(int)
    patches = {"blue": (960, 310), "green": (960, 620), "red": (950, 960), "yellow": (940, 1280)}
    colors = {name: picture[y - 20 : y + 20, x - 20 : x + 20].mean(axis=(0, 1)) for name, (y, x) in patches.items()}
    assert colors["blue"].argmax() == 2
    assert colors["green"].argmax() == 1
    assert colors["red"].argmax() == 0
    assert colors["yellow"].argmin() == 2
    assert min(colors["yellow"][:2]) > 1.5 * colors["yellow"][2]


def test_a_sensor_description_two_folders_above_holds_and_three_above_does_not(tmp_path: Path) -> None:
    (tmp_path / SENSOR_FILE).write_text('{"cfa": "RGGB", "black": 64, "white": 1023}')
    deep = tmp_path / "val" / "raw"
    (deep / "more").mkdir(parents=True)
    assert sensor_beside(deep / "a.png").white == 1023
    with pytest.raises(InputError, match="give its sensor"):
        sensor_beside(deep / "more" / "a.png")


def test_a_name_that_is_no_utf8_is_read_and_rendered_as_any_other(tmp_path: Path) -> None:
    named = write_dng(tmp_path / "a.dng", values(32, 48))
    other = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.dng"))
    try:
        other.write_bytes(named.read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (found,) = [path for path in list_raw_files(tmp_path) if path != named]
    raw = read_raw(found)
    np.testing.assert_array_equal(raw.mosaic, read_raw(named).mosaic)
    np.testing.assert_array_equal(render_by_libraw(np.uint8, raw), render_by_libraw(np.uint8, read_raw(named)))
