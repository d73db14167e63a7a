"""What an int8 file is calibrated on and what it is compared on are different files, and both are named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_isp.data.raw_patches import cut_raw_patches
from nas_isp.errors import InputError
from nas_isp.export.calibration_set import DEMO, RawSource, calibration_pictures, training_raw
from nas_isp.export.check_set import RealPictures
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.bundle import RAW_FOLDER, Bundle, BundleRecord
from nas_isp.raw.sensor import SensorDescription
from tests.dng_files import write_dng

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
    assert training_raw(told) == RawSource(tmp_path / "raw", "the training RAW", SENSOR, None, SENSOR)


def test_the_training_raw_lies_within_the_data_set_that_was_trained_on(tmp_path: Path) -> None:
    mosaics = tmp_path / "UltraISP/train/mediatek_raw"
    mosaics.mkdir(parents=True)
    (mosaics / "1.png").touch()
    found = training_raw(_trained_on({RAW_FOLDER: str(tmp_path / "UltraISP")}))
    assert found is not None
    assert found.folder == mosaics


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Three captures of one sensor, and four of another."""
    for number in range(7):
        facts: dict[str, Any] = {"black": (64,) * 4, "white": 1023} if number < 3 else {"cfa": "GRBG", "white": 4095}
        write_dng(tmp_path / f"{number}.dng", np.full((32, 32), 500, np.uint16), **facts)
    return tmp_path


def _names(found: RealPictures) -> set[str]:
    return {file.name for file in found.files}


def test_captures_of_another_sensor_than_the_model_s_calibrate_nothing(mixed: Path) -> None:
    model = cut_raw_patches(mixed, mixed / "cache", 16, group="64..1023").sensor
    source = RawSource(mixed, "a folder", model=model)
    calibrated = source.to_calibrate_on()
    assert _names(calibrated) | _names(source.to_compare_on(4, 4, calibrated)) == {"0.dng", "1.dng", "2.dng"}
    [line] = calibrated.left_out
    assert "captures of 2 sensors or lenses; those of the model's are taken: Test camera, 32x32 RGGB" in line


def test_a_model_of_several_sensors_or_of_none_of_them_is_calibrated_on_all(mixed: Path) -> None:
    for model in (cut_raw_patches(mixed, mixed / "cache", 16).sensor, SENSOR.model_copy(update={"name": "other"})):
        source = RawSource(mixed, "a folder", model=model)
        calibrated = source.to_calibrate_on()
        assert calibrated.left_out == []
        assert len(_names(calibrated) | _names(source.to_compare_on(4, 4, calibrated))) == 7


def test_a_group_is_chosen_as_for_training(mixed: Path) -> None:
    calibrated = RawSource(mixed, "a folder", group="1").to_calibrate_on()
    assert _names(calibrated) <= {"3.dng", "4.dng", "5.dng", "6.dng"}
    with pytest.raises(InputError, match="group 'tele': 0 of the groups"):
        RawSource(mixed, "a folder", group="tele").to_calibrate_on()


def test_a_table_s_group_and_the_lens_tell_the_model_s_captures(tmp_path: Path) -> None:
    for number in range(6):
        np.save(tmp_path / f"{number}.npy", np.full((16, 16), 100 * number, np.uint16))
    rows = [f"{number}.npy\t{'main' if number < 2 else 'wide'}" for number in range(6)]
    (tmp_path / "captures.tsv").write_text("file\tgroup\n" + "\n".join(rows))
    model = cut_raw_patches(tmp_path, tmp_path / "cache", 16, SENSOR, group="main").sensor
    assert (model.group, model.shading_left) == ("main", False)
    assert _names(RawSource(tmp_path, "a folder", SENSOR, model=model).to_calibrate_on()) == {"0.npy"}
