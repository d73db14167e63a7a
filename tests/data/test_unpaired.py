"""What can be said about scenes on both sides."""

import pytest

from nas_isp.data.patches import load_unpaired
from nas_isp.data.unpaired import scene_notes, scenes
from nas_isp.errors import InputError


def test_trailing_numbers_are_patches_of_one_scene():
    assert scenes(["dog_1", "dog_2", "city_1"]) == {"dog", "city"}


def test_counters_of_a_camera_are_scenes_of_their_own():
    assert scenes(["IMG_0001", "IMG_0002"]) == {"IMG_0001", "IMG_0002"}


def test_shared_scene_is_refused_when_enforced_and_noted_otherwise():
    sides = ["dog_1", "city_1"], ["dog_7", "sea_1"]
    with pytest.raises(InputError, match="'dog'"):
        scene_notes(*sides, enforce=True)
    (note,) = scene_notes(*sides)
    assert "1 scenes" in note


def test_disjoint_named_scenes_need_no_note():
    assert scene_notes(["dog_1", "city_2"], ["sea_1", "tree_1"], enforce=True) == []


def test_numbered_files_are_said_to_tell_nothing():
    (note,) = scene_notes(["0001", "0002"], ["IMG_7", "IMG_9"])
    assert "RAW and photo files are only numbered" in note
    (note,) = scene_notes(["dog", "city"], ["IMG_7", "IMG_9"])
    assert "the photo files" in note


def test_equal_counters_on_both_sides_are_shared_scenes():
    with pytest.raises(InputError, match="'0001'"):
        scene_notes(["0001", "0002"], ["0001", "0003"], enforce=True)


def test_folders_are_loaded_with_pairs_and_notes(tmp_path, write_mosaic, write_photo, noise):
    write_mosaic(tmp_path / "raw/dog_1.png", noise(16, 16))
    write_photo(tmp_path / "rgb/sea_1.png", noise(32, 32, 3, low=0, high=256))
    (tmp_path / "rgb/broken.jpg").write_bytes(b"x")
    write_mosaic(tmp_path / "val/raw/dog_2.png", noise(16, 16, seed=1))
    write_photo(tmp_path / "val/rgb/dog_2.png", noise(16, 16, 3, low=0, high=256))
    data = load_unpaired(
        tmp_path / "raw", tmp_path / "rgb", tmp_path / "cache", 16, val_dir=tmp_path / "val", scene_disjoint=True
    )
    assert len(data.raw) == 1
    assert len(data.photos) == 9
    assert data.pairs is not None
    assert [pair.stem for pair in data.pairs] == ["dog_2"]
    assert any("validation scenes (e.g. dog)" in note for note in data.notes)
    assert any("broken.jpg" in note for note in data.notes)


def test_shared_scenes_are_refused_before_anything_is_cut(tmp_path, write_mosaic, write_photo, noise):
    write_mosaic(tmp_path / "raw/dog_1.png", noise(16, 16))
    write_photo(tmp_path / "rgb/dog_2.png", noise(16, 16, 3, low=0, high=256))
    with pytest.raises(InputError, match="1 scenes are both in the RAW and in the photo folder"):
        load_unpaired(tmp_path / "raw", tmp_path / "rgb", tmp_path / "cache", 16, scene_disjoint=True)
    assert not (tmp_path / "cache").exists()
