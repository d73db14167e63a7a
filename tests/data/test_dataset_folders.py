"""Published data sets are understood as they come: folders, splits, sensors and what must not be guessed."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_isp.data.dataset_folders import described, find_pairs, find_photos, find_raw
from nas_isp.data.pairs import load_pairs
from nas_isp.data.unpaired import load_unpaired
from nas_isp.errors import InputError
from nas_isp.raw.layouts import PUBLISHED_LAYOUTS
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SENSORS

SIDE = 32


def write_data_set(folder: Path, name: str, count: int = 2) -> Path:
    """A small data set as its publishers lay it out; the true values are those of `true_mosaic`."""
    layout = next(layout for layout in PUBLISHED_LAYOUTS if layout.name == name)
    for part in (layout.raw, layout.rgb):
        (folder / part).mkdir(parents=True)
    rng = np.random.default_rng(1)
    for number in range(count):
        if name == "UP-ISP":
            np.save(folder / layout.raw / f"{number}.npy", rng.integers(0, 1024, (256, 256, 4)).astype(np.uint16))
        else:
            stored = true_mosaic(number) << (2 if name == "UltraISP" else 0)
            Image.fromarray(stored).save(folder / layout.raw / f"{number}.png")
        side = 512 if name == "UP-ISP" else SIDE
        photo = Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
        photo.save(folder / layout.rgb / f"{number}.{'png' if name == 'UltraISP' else 'jpg'}")
    return folder


def true_mosaic(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(60, 1024, (SIDE, SIDE)).astype(np.uint16)


@pytest.mark.parametrize(("name", "sensor"), [("UltraISP", "ultraisp"), ("ZRR", "zrr")])
def test_pairs_of_a_data_set_take_its_sensor(tmp_path: Path, name: str, sensor: str) -> None:
    pairs = load_pairs(write_data_set(tmp_path / "test", name))
    assert pairs.stems == ["0", "1"]
    for number, pair in enumerate(pairs):
        assert np.array_equal(pair.raw.mosaic, true_mosaic(number))
        assert (pair.raw.black, pair.raw.white) == (SENSORS[sensor].black_sites, 1023)
    assert name in pairs.notes[0]
    assert sensor in pairs.notes[0]


def test_a_whole_data_set_gives_the_split_that_fits_the_use(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_data_set(tmp_path / split, "ZRR")
    assert find_raw(tmp_path).raw == tmp_path / "train" / "huawei_raw"
    assert find_photos(tmp_path).rgb == tmp_path / "train" / "canon"
    assert find_pairs(tmp_path, "train").raw == tmp_path / "train" / "huawei_raw"
    assert find_pairs(tmp_path, "val").raw == tmp_path / "test" / "huawei_raw"
    assert find_pairs(tmp_path, "test").rgb == tmp_path / "test" / "canon"


def test_pictures_to_test_on_are_never_trained_on_unasked(tmp_path: Path) -> None:
    write_data_set(tmp_path / "test", "ZRR")
    assert find_raw(tmp_path).layout is None
    with pytest.raises(InputError, match=r"huawei_raw/ and canon/ of a published data set.*in train/"):
        load_pairs(tmp_path, use="train")


@pytest.mark.parametrize(("name", "sensor"), [("UltraISP", "ultraisp"), ("UP-ISP", "up-isp")])
@pytest.mark.parametrize("deep", [True, False])
def test_unpaired_patches_of_a_data_set_take_its_sensor(tmp_path: Path, name: str, sensor: str, deep: bool) -> None:
    layout = next(layout for layout in PUBLISHED_LAYOUTS if layout.name == name)
    split = write_data_set(tmp_path / "data" / "train", name)
    raw, rgb = (split / layout.raw, split / layout.rgb) if deep else (tmp_path / "data", tmp_path / "data")
    data = load_unpaired(raw, rgb, tmp_path / "cache", SIDE, limit=4)
    assert len(data.raw) == len(data.photos) == 4 if name == "UP-ISP" else 2
    assert data.raw.sensor == SENSORS[sensor]
    assert any(f"{name} layout" in note and f"sensor {sensor}" in note for note in data.notes)


def test_the_planes_of_up_isp_are_those_of_its_files(tmp_path: Path) -> None:
    file = write_data_set(tmp_path, "UP-ISP") / "raws" / "0.npy"
    stored = np.load(file)
    raw = read_raw(file)
    assert (raw.cfa, raw.black, raw.white) == ("RGGB", (0, 0, 0, 0), 1023)
    for plane, (row, column) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        assert np.array_equal(raw.mosaic[row::2, column::2], stored[..., plane])


def test_equal_numbers_in_up_isp_are_no_pairs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"UP-ISP has no true pairs; give raw .*raws and rgb .*jpegs"):
        load_pairs(write_data_set(tmp_path, "UP-ISP"))


@pytest.mark.parametrize("case", ["shape", "folder", "suffix"])
def test_what_only_resembles_a_data_set_needs_a_sensor(tmp_path: Path, case: str) -> None:
    folder = tmp_path / ("mine" if case == "folder" else "raws")
    folder.mkdir()
    if case == "suffix":
        Image.fromarray(true_mosaic(0)).save(folder / "a.png")
    else:
        shape = (128, 256, 4) if case == "shape" else (256, 256, 4)
        np.save(folder / "a.npy", np.full(shape, 100, np.uint16))
    with pytest.raises(InputError, match="says nothing about its sensor; give its sensor"):
        read_raw(next(folder.iterdir()))


def test_a_sensor_file_goes_before_the_name_of_the_folder(tmp_path: Path) -> None:
    write_data_set(tmp_path, "ZRR")
    (tmp_path / "huawei_raw" / "sensor.json").write_text(json.dumps({"cfa": "BGGR", "black": 10, "white": 1000}))
    assert read_raw(tmp_path / "huawei_raw" / "0.png").cfa == "BGGR"
    assert "sensor zrr" not in str(find_raw(tmp_path).note)


def test_values_at_odds_with_the_name_of_the_folder_are_refused_and_say_how_to_go_on(tmp_path: Path) -> None:
    write_data_set(tmp_path, "UltraISP")
    file = tmp_path / "mediatek_raw" / "0.png"
    Image.fromarray(true_mosaic(0)).save(file)
    with pytest.raises(InputError, match=r"not multiples of 4.*give another one"):
        read_raw(file)
    assert read_raw(file, SENSORS["zrr"]).white == 1023


def test_two_data_sets_in_one_folder_are_not_chosen_between(tmp_path: Path) -> None:
    write_data_set(tmp_path, "ZRR")
    write_data_set(tmp_path, "UltraISP")
    with pytest.raises(InputError, match="mediatek_raw/ and huawei_raw/, folders of several data sets"):
        find_raw(tmp_path)


def test_plain_folders_are_taken_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    assert find_raw(tmp_path).raw == tmp_path / "raw"
    Image.fromarray(true_mosaic(0)).save(tmp_path / "a.png")
    found = find_raw(tmp_path)
    assert (found.raw, found.layout, found.note) == (tmp_path, None, None)
    assert find_raw(tmp_path / "nowhere").raw == tmp_path / "nowhere"


def test_inspection_says_what_was_recognized(tmp_path: Path) -> None:
    write_data_set(tmp_path / "train", "ZRR")
    (tmp_path / "train" / "canon" / "1.jpg").unlink()
    (line,) = described(tmp_path)
    assert line == (
        f"{tmp_path / 'train'}: ZRR layout, 2 files in huawei_raw/ (sensor zrr unless another is given); "
        "1 in canon/; 1 pairs of equal stems"
    )
    assert described(tmp_path / "train" / "huawei_raw")[0].endswith("(sensor zrr unless another is given)")
    assert described(tmp_path / "train" / "canon") == []


def test_the_shared_pair_reads_as_the_data_set_that_it_is_from(shared_data: Path, tmp_path: Path) -> None:
    for ours, theirs in (("raw", "mediatek_raw"), ("rgb", "fujifilm")):
        (tmp_path / "test" / theirs).mkdir(parents=True)
        (tmp_path / "test" / theirs / "15.png").write_bytes((shared_data / "ultraisp" / ours / "15.png").read_bytes())
    (known,), (found,) = load_pairs(shared_data / "ultraisp"), load_pairs(tmp_path)
    assert np.array_equal(found.raw.mosaic, known.raw.mosaic)
    assert (found.raw.cfa, found.raw.black, found.raw.white) == (known.raw.cfa, known.raw.black, known.raw.white)


def test_numbers_that_start_again_in_each_split_are_not_taken_for_the_same_scene(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_data_set(tmp_path / split, "ZRR")
    data = load_unpaired(tmp_path, tmp_path, tmp_path / "cache", SIDE, val_dir=tmp_path)
    assert data.pairs is not None
    assert not any("flatters" in note for note in data.notes)
    seen = load_unpaired(tmp_path, tmp_path, tmp_path / "cache", SIDE, val_dir=tmp_path / "train")
    assert any("2 validation scenes (e.g. 0) also occur in training" in note for note in seen.notes)


def test_equal_numbers_in_up_isp_are_no_shared_scenes(tmp_path: Path) -> None:
    write_data_set(tmp_path / "train", "UP-ISP")
    data = load_unpaired(tmp_path, tmp_path, tmp_path / "cache", SIDE, scene_disjoint=True, limit=2)
    assert any("UP-ISP do not tell whether" in note for note in data.notes)


def test_files_beyond_the_limit_are_mentioned(tmp_path: Path) -> None:
    write_data_set(tmp_path / "train", "ZRR", count=3)
    data = load_unpaired(tmp_path, tmp_path, tmp_path / "cache", SIDE, limit=2)
    assert len(data.raw) == len(data.photos) == 2
    assert [note for note in data.notes if note.startswith("2 of 3")] == [
        "2 of 3 RAW files are used, one patch each; a larger number of patches uses more",
        "2 of 3 photos are used, one patch each; a larger number of patches uses more",
    ]
