"""A folder of several sensors is said before training, and a group of it can be chosen."""

import numpy as np
import pytest

from nas_isp.data.capture_groups import of_group
from nas_isp.data.pairs import load_pairs
from nas_isp.data.raw_patches import RawPatches, cut_raw_patches
from nas_isp.data.unpaired import load_unpaired
from nas_isp.errors import InputError
from nas_isp.preparation.folders import TrainingFolders, prepared_in_scratch
from nas_isp.raw import camera_files
from nas_isp.recipe import load_recipe
from tests.dng_files import write_dng

MAIN = {"black": (64,) * 4, "white": 1023}
WIDE = {"black": (1024,) * 4, "white": 16383, "cfa": "GRBG"}


@pytest.fixture
def folder(tmp_path, write_photo, noise):
    """Three captures of one sensor, one of another that comes first by its name."""
    (tmp_path / "raw").mkdir()
    for name, facts in (("a", WIDE), ("b", MAIN), ("c", MAIN), ("d", MAIN)):
        mosaic = noise(36, 36, low=facts["black"][0], high=facts["white"]).astype(np.uint16)
        write_dng(tmp_path / f"raw/{name}.dng", mosaic, **facts)
        write_photo(tmp_path / f"rgb/{name}.png", noise(36, 36, 3, low=0, high=256))
    return tmp_path


def test_several_groups_are_said_with_their_counts(folder):
    notes = load_unpaired(folder / "raw", folder / "rgb", folder / "cache", 16).notes
    (line,) = [note for note in notes if "sensors or lenses" in note]
    assert line.startswith(f"{folder / 'raw'}: captures of 2 sensors or lenses")
    assert "1: Test camera, 36x36 RGGB 64..1023 (3); 2: Test camera, 36x36 GRBG 1024..16383 (1)" in line


def test_a_chosen_group_is_cut_alone_and_nothing_more_is_said(folder):
    data = load_unpaired(folder / "raw", folder / "rgb", folder / "cache", 16, group="2")
    assert set(data.raw.stems) == {"a"}
    assert data.raw.sensor.white == 16383
    assert not data.raw.sensor.other_levels
    assert not [note for note in data.notes if "sensors or lenses" in note]
    named = cut_raw_patches(folder / "raw", folder / "cache", 16, group="64..1023")
    assert set(named.stems) == {"b", "c", "d"}


def test_files_of_no_group_because_they_cannot_be_read_are_still_said(folder):
    (folder / "raw/broken.dng").write_bytes(b"II*\0")
    notes = load_unpaired(folder / "raw", folder / "rgb", folder / "cache", 16, group="1").notes
    assert f"{folder / 'raw'}: 1 of 5 RAW files not used, for these reasons" in notes
    assert any(note.startswith("skipped: ") and "broken.dng" in note for note in notes)


def test_the_description_is_that_of_most_captures_and_says_that_there_are_others(folder):
    raw = cut_raw_patches(folder / "raw", folder / "cache", 16)
    assert raw.sensor.white == 1023
    assert raw.sensor.other_levels
    assert [group.captures for group in RawPatches.open(raw.folder).groups] == [3, 1]


def test_a_group_that_there_is_not_is_refused_with_those_there_are(folder):
    with pytest.raises(InputError, match=r"group 'tele': 0 of the groups .* 1: Test camera, 36x36 RGGB .* \(3\); 2:"):
        cut_raw_patches(folder / "raw", folder / "cache", 16, group="tele")


def test_pairs_of_several_groups_are_said_and_chosen_among(folder):
    settings = load_recipe("default").train.overridden("paired", None, None, None, 32, None, None)
    for group, stems, said in ((None, "abcd", 1), ("2", "a", 0)):
        notes: list[str] = []
        with prepared_in_scratch(TrainingFolders(pairs=folder, group=group), settings, 0, notes.append) as data:
            assert set(data.training.inputs.raw.stems) == set(stems)
        assert sum("sensors or lenses" in note for note in notes) == said
    assert load_pairs(folder).of_group("1").stems == ["b", "c", "d"]


def test_the_table_of_captures_may_name_groups(tmp_path, write_mosaic, noise):
    for name in "abc":
        write_mosaic(tmp_path / f"{name}.png", noise(16, 16))
    (tmp_path / "captures.tsv").write_text("file\tgroup\na.png\tmain\nb.png\twide\nc.png\tmain\n")
    raw = cut_raw_patches(tmp_path, tmp_path / "cache", 16)
    assert [(group.name, group.captures) for group in raw.groups] == [
        ("main, RGGB 64..1023", 2),
        ("wide, RGGB 64..1023", 1),
    ]
    assert set(cut_raw_patches(tmp_path, tmp_path / "cache", 16, group="wide").stems) == {"b"}


def test_groups_of_dng_files_are_told_by_their_headers(folder, monkeypatch):
    monkeypatch.setattr(camera_files, "_convert", lambda *given: pytest.fail("decoded"))
    files = sorted((folder / "raw").glob("*.dng"))
    assert of_group(files, "2", folder)[0] == files[:1]
