"""Black is subtracted and samples are scaled alike, bit for bit, whoever asks: arrays, tensors and single numbers."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nas_isp.raw.image import RawImage
from nas_isp.raw.levels import add_black, from_sensor_values, subtract_black, to_sensor_values
from nas_isp.raw.packing import pack, pack_values
from nas_isp.raw.saturation import packed_saturation

BLACK, WHITE = (58.0, 60.0, 61.0, 62.0), 1023.0


@pytest.fixture
def planes() -> NDArray[np.uint16]:
    return np.random.default_rng(0).integers(0, 1024, (4, 8, 8)).astype(np.uint16)


def test_levels_by_hand() -> None:
    assert subtract_black(64.0, 64.0, 1023.0) == 0.0
    assert subtract_black(1023.0, 64.0, 1023.0) == 1.0
    assert subtract_black(0.0, 64.0, 128.0) == -1.0  # below black stays negative
    assert add_black(0.5, 64.0, 128.0) == 96.0


def test_large_arrays_are_overwritten_going_in_and_kept_coming_out() -> None:
    values, packed = np.array([64.0, 96.0], np.float32), torch.tensor([0.0, 0.5])
    assert subtract_black(values, 64.0, 128.0) is values
    assert add_black(packed, 64.0, 128.0).tolist() == [64.0, 96.0]
    assert packed.tolist() == [0.0, 0.5]


def test_every_way_in_gives_the_same_bits(planes: NDArray[np.uint16]) -> None:
    """As the formula written out in float32, the way it stood in five places."""
    levels = np.array(BLACK, np.float32)[:, None, None]
    expected = (planes.astype(np.float32) - levels) / (np.float32(WHITE) - levels)
    assert expected.dtype == np.float32
    as_tensor = subtract_black(torch.from_numpy(planes.astype(np.float32)), torch.from_numpy(levels), WHITE)
    np.testing.assert_array_equal(from_sensor_values(planes, BLACK, WHITE), expected)
    np.testing.assert_array_equal(as_tensor.numpy(), expected)
    with_one_level = subtract_black(torch.from_numpy(planes[0].astype(np.float32)), BLACK[0], WHITE)
    np.testing.assert_array_equal(with_one_level.numpy(), expected[0])


def test_a_packed_picture_and_its_saturation_have_one_scale(planes: NDArray[np.uint16]) -> None:
    mosaic = np.minimum(planes.reshape(16, 16), 959).astype(np.uint16)
    mosaic[:8] = 959  # a sensor that stops below its white
    raw = RawImage(mosaic=mosaic, cfa="RGGB", black=(64.0, 64.0, 64.0, 64.0), white=WHITE)
    assert packed_saturation(raw) == (959 - 64) / (1023 - 64)
    np.testing.assert_array_equal(pack(raw), from_sensor_values(pack_values(mosaic, "RGGB"), raw.black, raw.white))
    assert float(pack(raw).max()) == pytest.approx(packed_saturation(raw), abs=1e-6)


def test_sensor_values_come_back_and_saturate(planes: NDArray[np.uint16]) -> None:
    np.testing.assert_array_equal(to_sensor_values(from_sensor_values(planes, BLACK, WHITE), BLACK, WHITE), planes)
    far = np.array([-10.0, 1e6], np.float32).repeat(2)[:, None, None]
    np.testing.assert_array_equal(to_sensor_values(far, BLACK, WHITE).ravel(), [0, 0, 65535, 65535])
