"""The pictures that exports are checked on span what sensors give."""

from pathlib import Path

import numpy as np
import pytest

from nas_isp.errors import InputError
from nas_isp.export.check_set import real_pictures, synthetic_pictures
from nas_isp.raw.glance import glance
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.readers import list_raw_files
from nas_isp.raw.sensor import SensorDescription


def test_synthetic_pictures_hold_noise_clipped_and_below_black_values() -> None:
    pictures = synthetic_pictures(48, 64)
    together = np.stack(pictures)
    assert together.shape == (3, 4, 48, 64)
    assert together.dtype == np.float32
    assert (together < 0).any()
    assert (together == 1).mean() > 0.01
    assert all(np.unique(picture).size > 100 for picture in pictures)


def test_synthetic_pictures_are_reproducible() -> None:
    assert np.array_equal(synthetic_pictures(16, 16, seed=3), synthetic_pictures(16, 16, seed=3))


def test_real_pictures_are_cut_from_the_middle_or_mirrored_up(tmp_path: Path) -> None:
    mosaic = np.arange(12 * 16, dtype=np.uint16).reshape(12, 16)
    np.save(tmp_path / "a.npy", mosaic)
    sensor = SensorDescription(cfa="RGGB", bits=10, black=0, white=1000)
    [cut], _, _, _ = real_pictures(list_raw_files(tmp_path), 2, 4, sensor)
    assert np.allclose(cut[0] * 1000, mosaic[4:8:2, 4:12:2])
    [mirrored], _, _, _ = real_pictures(list_raw_files(tmp_path), 8, 8, sensor)
    assert mirrored.shape == (4, 8, 8)
    assert np.array_equal(mirrored[:, 6], mirrored[:, 5])


def test_files_are_spread_over_the_folder(tmp_path: Path) -> None:
    for level in range(6):
        np.save(tmp_path / f"{level}.npy", np.full((4, 4), level, np.uint16))
    sensor = SensorDescription(cfa="RGGB", bits=10, black=0, white=1)
    pictures, _, left_out, _ = real_pictures(list_raw_files(tmp_path), 2, 2, sensor, limit=3)
    assert [int(picture.max()) for picture in pictures] == [0, 2, 4]
    assert left_out == []


def test_a_damaged_file_is_named_and_another_takes_its_place(tmp_path: Path) -> None:
    for level in range(6):
        np.save(tmp_path / f"{level}.npy", np.full((4, 4), level, np.uint16))
    (tmp_path / "2.npy").write_bytes(b"no array")
    sensor = SensorDescription(cfa="RGGB", bits=10, black=0, white=1)
    pictures, _, [line], _ = real_pictures(list_raw_files(tmp_path), 2, 2, sensor, limit=3)
    assert [int(picture.max()) for picture in pictures] == [0, 4, 1]
    assert "2.npy" in line
    for file in tmp_path.iterdir():
        file.write_bytes(b"no array")
    with pytest.raises(InputError, match=r"0\.npy"):
        real_pictures(list_raw_files(tmp_path), 2, 2, sensor, limit=3)


def test_factors_are_those_of_the_whole_capture_in_its_own_light(tmp_path: Path) -> None:
    mosaic = np.full((24, 24), 100, np.uint16)
    mosaic[10:14, 10:14] = 400
    np.save(tmp_path / "a.npy", mosaic)
    sensor = SensorDescription(cfa="RGGB", bits=10, black=0, white=1000, white_balance=(2.0, 1.0, 1.5))
    takes = NetworkInput(kind="balanced", slope=-0.5)
    found = real_pictures(list_raw_files(tmp_path), 2, 2, sensor, network_input=takes)
    packed = np.stack([mosaic[i::2, j::2] for i in (0, 1) for j in (0, 1)]).astype(np.float32) / 1000
    expected = takes.factors(glance(packed), (2.0, 1.0, 1.5))
    assert found.factors[0] is not None
    assert np.allclose(found.factors[0], expected)
    assert np.allclose(found.given[0], 0.4 * expected[[0, 1, 1, 2], None, None])
    assert not np.allclose(expected, takes.factors(glance(found.pictures[0]), (2.0, 1.0, 1.5)))
