"""What a header tells without pixels is what the whole file says."""

import json
import struct
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from nas_isp.errors import InputError
from nas_isp.raw import camera_files, mosaic_files
from nas_isp.raw.image import RawFacts, header_of
from nas_isp.raw.readers import read_header, read_raw, told_header
from nas_isp.raw.whole_files import ends_early
from tests.dng_files import fractions, gain_map, opcode_list, write_dng

EXIF = ((37386, "2I", 1, (43, 10), True), (42036, "s", 0, "Wide 4.3 mm", True))
SECOND = (50722, "2i", 9, fractions((1.1, -0.2, -0.1, -0.3, 1.1, 0.1, 0, 0.1, 0.7)), True)
LIGHTS = ((50778, "H", 1, 17, True), (50779, "H", 1, 21, True))
GAINS = opcode_list(gain_map(np.full((3, 4), 2, np.float32), (0, 0, 32, 48)))

AREAS = ((2, 4, 30, 46), (1, 0, 31, 48), (0, 1, 32, 47), (3, 5, 31, 45))

FORMS = {
    "plain": {},
    "turned": {"orientation": 6},
    "no light": {"neutral": None},
    "levels": {"black": (64, 65, 66, 67), "white": (1000, 1001, 1002, 1003)},
    "pattern": {"black_pattern": (4, 4, range(60, 76))},
    "deltas": {"extra_tags": [(50715, "2i", 48, fractions(range(48), 10), True)]},
    "crop": {"default_crop": (4, 4, 40, 24)},
    "lens": {"extra_tags": EXIF},
    "two lights": {"extra_tags": (SECOND, *LIGHTS)},
    "noise": {"extra_tags": [(51041, "d", 2, (1e-3, 1e-6), True)]},
    "gain map": {"extra_tags": [(51009, "B", len(GAINS), GAINS, True)]},
    "warp": {"extra_tags": [(51022, "B", 24, opcode_list((1, b"1234")), True)]},
    **{
        f"area {area}": {"active_area": area}
        for area in ((2, 4, 30, 46), (1, 0, 31, 48), (0, 1, 32, 47), (3, 5, 31, 45))
    },
}


def assert_same(path: Path, **given: object) -> None:
    header, whole = told_header(path, **given), header_of(read_raw(path, **given))  # type: ignore[arg-type]
    assert header is not None
    assert header.size == whole.size
    for field in fields(RawFacts):
        told, read = getattr(header, field.name), getattr(whole, field.name)
        if field.name.endswith("matrix"):
            assert (told is None) == (read is None)
            assert told is None or np.allclose(told, read, atol=1e-6)
        else:
            assert told == read, field.name


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cfa", ["RGGB", "GRBG"])
def test_a_dng_header_tells_what_decoding_does(tmp_path, form, cfa):
    mosaic = np.random.default_rng(0).integers(60, 1024, (32, 48)).astype(np.uint16)
    assert_same(write_dng(tmp_path / "a.dng", mosaic, cfa=cfa, **FORMS[form]))


def test_shading_that_is_left_out_is_told(tmp_path):
    path = write_dng(tmp_path / "a.dng", np.full((32, 48), 200, np.uint16), **FORMS["gain map"])
    assert_same(path, shading=False)


def test_no_pixel_of_a_dng_file_is_decoded(tmp_path, monkeypatch):
    path = write_dng(tmp_path / "a.dng", np.full((32, 48), 200, np.uint16))
    monkeypatch.setattr(camera_files, "_convert", lambda *given: pytest.fail("decoded"))
    assert told_header(path) is not None


def test_files_that_do_not_say_all_are_decoded(tmp_path):
    """LibRaw may know the camera's matrix, or read a maker's own data."""
    mosaic = np.full((32, 48), 200, np.uint16)
    singular = write_dng(tmp_path / "a.dng", mosaic, xyz_to_camera=(0.0,) * 9)
    private = write_dng(tmp_path / "b.dng", mosaic, neutral=None, extra_tags=[(50740, "B", 4, b"abcd", True)])
    for path in (singular, private):
        assert told_header(path) is None
        assert read_header(path).size == (32, 48)


def test_bad_pixels_are_named_without_their_number(tmp_path):
    points = opcode_list((5, struct.pack(">5I", 0, 1, 0, 7, 9)))
    path = write_dng(tmp_path / "a.dng", np.full((32, 48), 200, np.uint16), extra_tags=[(51008, "B", 36, points, True)])
    header = told_header(path)
    assert header is not None
    assert header.applied == ("bad pixels that the file names are filled from their neighbors",)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy", "a.raw", "packed.npy", "mipi.raw"])
def test_a_bare_mosaic_tells_its_size_without_its_values(tmp_path, monkeypatch, name):
    import tifffile
    from PIL import Image

    sensor = {"cfa": "GBRG", "black": [60, 61, 62, 63], "white": 1023, "width": 12, "height": 8}
    mosaic = np.full((8, 12), 200, np.uint16)
    path = tmp_path / name
    if name == "a.png":
        Image.fromarray(mosaic).save(path)
    elif name == "a.tif":
        tifffile.imwrite(path, mosaic)
    elif name == "packed.npy":
        sensor["layout"] = "packed-rggb"
        np.save(path, np.full((4, 6, 4), 200, np.uint16))
    elif name == "mipi.raw":
        sensor["type"] = "mipi10"
        path.write_bytes(bytes(8 * 16))
    elif name == "a.npy":
        np.save(path, mosaic)
    else:
        mosaic.tofile(path)
    (tmp_path / "sensor.json").write_text(json.dumps(sensor))
    (tmp_path / "captures.tsv").write_text(f"file\tred\tgreen\tblue\torientation\n{name}\t2\t1\t1.5\t6\n")
    assert_same(path)
    monkeypatch.setattr(mosaic_files, "_true_values", lambda *given: pytest.fail("values read"))
    assert told_header(path) is not None


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.npy", "a.raw"])
def test_mosaics_that_end_early_or_have_another_size_are_refused_by_their_header(tmp_path, name):
    import tifffile
    from PIL import Image

    mosaic = np.random.default_rng(0).integers(0, 1023, (64, 64)).astype(np.uint16)
    path = tmp_path / name
    write = {".png": lambda: Image.fromarray(mosaic).save(path), ".tif": lambda: tifffile.imwrite(path, mosaic)}
    write |= {".npy": lambda: np.save(path, mosaic), ".raw": lambda: mosaic.tofile(path)}
    write[path.suffix]()
    sensor = {"cfa": "RGGB", "white": 1023, "width": 64, "height": 64}
    (tmp_path / "sensor.json").write_text(json.dumps(sensor))
    assert read_header(path).size == (64, 64)
    (tmp_path / "sensor.json").write_text(json.dumps({**sensor, "width": 32}))
    with pytest.raises(InputError):
        read_header(path)
    (tmp_path / "sensor.json").write_text(json.dumps(sensor))
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(InputError):
        read_header(path)


def test_a_dng_file_that_ends_early_is_not_taken_for_whole(tmp_path):
    path = write_dng(tmp_path / "a.dng", np.full((64, 64), 200, np.uint16))
    assert not ends_early(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert ends_early(path)
    assert told_header(path) is None
    with pytest.raises(InputError, match="ends early"):
        read_header(path)
