"""Byte arrays and packed values are unpacked as a description says, or refused; its size binds every format."""

import json
import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from nas_isp.errors import InputError
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription

HEIGHT, WIDTH = 6, 10
SENSOR = {"cfa": "GRBG", "black": 16, "width": WIDTH, "height": HEIGHT}
TEN = np.random.default_rng(0).integers(0, 1024, (HEIGHT, WIDTH), np.uint16)
TWELVE = np.random.default_rng(1).integers(0, 4096, (HEIGHT, WIDTH), np.uint16)


def packed10(values: np.ndarray) -> np.ndarray:
    """MIPI CSI-2 RAW10, pixel by pixel as the specification's figure has it."""
    rows = []
    for row in values:
        padded = [*row.tolist(), *[0] * (-len(row) % 4)]
        out: list[int] = []
        for at in range(0, len(padded), 4):
            p1, p2, p3, p4 = padded[at : at + 4]
            out += [p1 >> 2, p2 >> 2, p3 >> 2, p4 >> 2, (p4 & 3) << 6 | (p3 & 3) << 4 | (p2 & 3) << 2 | p1 & 3]
        rows.append(out)
    return np.array(rows, np.uint8)


def packed12(values: np.ndarray) -> np.ndarray:
    """RAW12 likewise."""
    rows = []
    for row in values:
        out: list[int] = []
        for p1, p2 in row.reshape(-1, 2).tolist():
            out += [p1 >> 4, p2 >> 4, (p2 & 15) << 4 | p1 & 15]
        rows.append(out)
    return np.array(rows, np.uint8)


def padded(rows: np.ndarray, multiple: int = 32) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % multiple)), constant_values=7)


@pytest.fixture
def store(tmp_path):
    def stored(array: np.ndarray, name: str = "a.npy", **fields: object):
        (tmp_path / "sensor.json").write_text(json.dumps({**SENSOR, "white": 1023, **fields}))
        path = tmp_path / name
        if path.suffix == ".npy":
            np.save(path, array)
        elif path.suffix == ".raw":
            path.write_bytes(array.tobytes())
        elif path.suffix == ".tif":
            tifffile.imwrite(path, array)
        else:
            Image.fromarray(array).save(path)
        return path

    return stored


@pytest.mark.parametrize("name", ["a.npy", "a.raw", "a.tif", "a.png"])
@pytest.mark.parametrize("fill", [1, 32, 256])
def test_packed_values_are_unpacked(store, name, fill):
    ten = store(padded(packed10(TEN), fill), name, type="mipi10")
    np.testing.assert_array_equal(read_raw(ten).mosaic, TEN)
    twelve = store(padded(packed12(TWELVE), fill), name, type="mipi12", white=4095)
    np.testing.assert_array_equal(read_raw(twelve).mosaic, TWELVE)


@pytest.mark.parametrize(
    ("kind", "array", "white", "values"),
    [
        ("SGRBG10_CSI2P", padded(packed10(TEN)), 1023, TEN),
        ("SGRBG12_CSI2P", padded(packed12(TWELVE)), 4095, TWELVE),
        ("SGRBG10", padded(TEN.view(np.uint8)), 1023, TEN),
        ("SGRBG12", TWELVE.view(np.uint8), 4095, TWELVE),
        ("SGRBG8", (TEN >> 2).astype(np.uint8), 255, TEN >> 2),
    ],
)
def test_formats_by_the_names_of_picamera2(store, kind, array, white, values):
    raw = read_raw(store(array, type=kind, white=white))
    np.testing.assert_array_equal(raw.mosaic, values)
    assert raw.cfa == "GRBG"


def test_values_seen_as_bytes(store):
    flat = padded(TEN.view(np.uint8)).reshape(-1)
    for array in (TEN.view(np.uint8), padded(TEN.view(np.uint8)), flat, TEN):
        np.testing.assert_array_equal(read_raw(store(array, type="uint16")).mosaic, TEN)
    np.testing.assert_array_equal(read_raw(store(flat, "a.raw", type="uint16")).mosaic, TEN)
    np.testing.assert_array_equal(read_raw(store(TEN.view(np.uint8))).mosaic, TEN)


@pytest.mark.parametrize(
    ("array", "fields", "reason"),
    [
        (packed10(TEN), {}, "say so there by `width`, `height` and `type`"),
        (TEN.view(np.uint8), {"width": None, "height": None}, "say so there by"),
        (packed10(TEN)[:, :-1], {"type": "mipi10"}, "6x14 bytes, but 10x6 values of type 'mipi10' have 6 rows of 15"),
        (packed10(TEN)[:-1], {"type": "mipi10"}, "rows of 15 bytes"),
        (packed10(TEN), {"type": "mipi10", "width": None}, "need `width` and `height`"),
        (np.pad(packed10(TEN), ((0, 0), (0, 256))), {"type": "mipi10"}, "filled up by at most 255"),
        (TEN, {"type": "mipi10"}, "holds uint16, but its sensor description says type 'mipi10'"),
        (TEN.astype(np.float32), {"type": "uint16"}, "holds float32"),
        (TEN, {"type": "uint8", "white": 255, "bits": 8}, "holds uint16"),
        (TEN, {"width": 12}, "10x6 values, but its sensor description says 12x6"),
        (TEN, {"height": 8}, "10x6 values, but its sensor description says 10x8"),
        (TEN.T, {}, "6x10 values, but its sensor description says 10x6"),
    ],
)
@pytest.mark.parametrize("name", ["a.npy", "a.tif"])
def test_what_does_not_fit_is_refused(store, name, array, fields, reason):
    with pytest.raises(InputError, match=re.escape(reason)):
        read_raw(store(np.ascontiguousarray(array), name, **fields))


@pytest.mark.parametrize("name", ["a.npy", "a.tif", "a.png", "a.raw"])
def test_the_size_of_the_description_binds_every_format(store, name):
    assert read_raw(store(TEN, name)).mosaic.shape == TEN.shape
    with pytest.raises(InputError, match="`width` and `height`"):
        read_raw(store(TEN, name, width=8, height=6))


def test_the_size_of_four_planes_is_that_of_their_mosaic(store):
    planes = np.random.default_rng(0).integers(0, 1024, (3, 5, 4), np.uint16)
    assert read_raw(store(planes, layout="packed-rggb")).mosaic.shape == (6, 10)
    with pytest.raises(InputError, match="10x6 values"):
        read_raw(store(planes, layout="packed-rggb", width=12))


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "mipi12", "bits": 10},
        {"type": "mipi10", "shift": 2},
        {"type": "mipi10", "layout": "packed-rggb"},
        {"type": "uint8"},
        {"type": "SBGGR10_CSI2P"},
        {"type": "SGRBG14_CSI2P"},
        {"type": "raw"},
    ],
)
def test_descriptions_that_contradict_themselves_are_refused(fields):
    with pytest.raises(ValueError, match="type"):
        SensorDescription.model_validate({**SENSOR, "white": 1023, **fields})


def test_the_file_of_a_bug_report(shared_data):
    raw = read_raw(shared_data / "cases/09_picamera2_bytes/unpacked.npy")
    assert raw.mosaic.shape == (64, 96)
    assert (raw.mosaic.min(), raw.mosaic.max()) == (64, 1023)
