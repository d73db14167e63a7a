"""What an int8 file is calibrated on and what it is compared on are different files, and both are named."""

from pathlib import Path

import numpy as np
import pytest

from nas_isp.export.calibration_set import DEMO, RawSource, calibration_pictures, training_raw
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.bundle import RAW_FOLDER, Bundle, BundleRecord
from nas_isp.raw.sensor import SensorDescription

SENSOR = SensorDescription(cfa="RGGB", bits=10, black=0, white=1000)


@pytest.fixture
def source(tmp_path: Path) -> RawSource:
    for level in range(8):
        np.save(tmp_path / f"{level}.npy", np.full((8, 8), 100 * level, np.uint16))
    return RawSource(tmp_path, "a folder", SENSOR)


def test_a_quarter_of_the_files_is_left_to_compare_on(source: RawSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nas_isp.export.calibration_set.CALIBRATION_FILES", 24)
    calibrated = source.to_calibrate_on()
    compared = source.to_compare_on(4, 4, calibrated)
    assert len(calibrated.files) == 6
    assert {file.name for file in calibrated.files} | {file.name for file in compared.files} == {
        f"{level}.npy" for level in range(8)
    }
    assert not set(calibrated.files) & set(compared.files)


def test_one_file_has_to_do_for_both(tmp_path: Path) -> None:
    np.save(tmp_path / "only.npy", np.full((8, 8), 300, np.uint16))
    source = RawSource(tmp_path, "one file", SENSOR)
    calibrated = source.to_calibrate_on()
    assert source.to_compare_on(4, 4, calibrated).files == calibrated.files


def test_the_folder_may_be_a_data_set_that_holds_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "set/train/raw"
    folder.mkdir(parents=True)
    np.save(folder / "0.npy", np.full((8, 8), 300, np.uint16))
    found = RawSource(tmp_path / "set", "a data set", SENSOR).to_calibrate_on()
    assert found.files == [folder / "0.npy"]


def test_each_picture_is_also_seen_four_times_as_bright_but_not_above_white(source: RawSource) -> None:
    found = source.to_calibrate_on()
    pictures = calibration_pictures(found)
    assert len(pictures) == 2 * len(found.pictures)
    for picture, brighter in zip(found.pictures, pictures[len(found.pictures) :], strict=True):
        assert np.allclose(brighter, np.minimum(4 * picture, 1))


def test_the_demo_set_serves_where_there_is_nothing_else() -> None:
    calibrated = DEMO.to_calibrate_on()
    compared = DEMO.to_compare_on(16, 16, calibrated)
    assert not {file.name for file in calibrated.files} & {file.name for file in compared.files}


def _trained_on(origin: dict[str, str]) -> Bundle:
    architecture = PlainArchitecture(blocks=(Block(kind="conv3", channels=6),))
    return Bundle(BundleRecord(architecture=architecture, sensor=SENSOR, origin=origin), {})


def test_the_training_raw_of_a_bundle_is_found_while_it_is_there(tmp_path: Path) -> None:
    assert training_raw(_trained_on({})) is None
    told = _trained_on({RAW_FOLDER: str(tmp_path / "raw")})
    assert training_raw(told) is None
    (tmp_path / "raw").mkdir()
    assert training_raw(told) is None
    (tmp_path / "raw/a.dng").touch()
    assert training_raw(told) == RawSource(tmp_path / "raw", "the training RAW", SENSOR)


def test_the_training_raw_lies_within_the_data_set_that_was_trained_on(tmp_path: Path) -> None:
    mosaics = tmp_path / "UltraISP/train/mediatek_raw"
    mosaics.mkdir(parents=True)
    (mosaics / "1.png").touch()
    found = training_raw(_trained_on({RAW_FOLDER: str(tmp_path / "UltraISP")}))
    assert found is not None
    assert found.folder == mosaics
