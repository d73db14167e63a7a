"""Which photos go into which pictures is settled before the first one is developed."""

from pathlib import Path

import pytest

from nas_isp.develop.plan import PlannedPicture, plan_pictures
from nas_isp.errors import InputError


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.dng", "b.dng"):
        (folder / name).touch()
    return folder


def test_a_folder_of_photos_goes_into_a_folder_of_pictures(photos: Path, tmp_path: Path) -> None:
    plan = plan_pictures([photos], tmp_path / "out", "jpg")
    assert plan.pictures == [
        PlannedPicture(photos / "a.dng", tmp_path / "out/a.jpg"),
        PlannedPicture(photos / "b.dng", tmp_path / "out/b.jpg"),
    ]
    assert not (tmp_path / "out").exists()
    plan.make_room()
    assert (tmp_path / "out").is_dir()


def test_the_classical_rendering_lies_beside_each_picture(photos: Path, tmp_path: Path) -> None:
    plan = plan_pictures([photos / "a.dng"], tmp_path / "p.tiff", compare=True)
    assert plan.pictures[0].files == [tmp_path / "p.tiff", tmp_path / "p_classical.tiff"]


def test_what_is_no_photo_is_told_and_descriptions_of_sensors_are_left_out(photos: Path, tmp_path: Path) -> None:
    (photos / "sensor.json").touch()
    (photos / "notes.txt").touch()
    given = sorted(photos.iterdir())
    plan = plan_pictures(given, tmp_path / "out")
    assert [picture.photo.name for picture in plan.pictures] == ["a.dng", "b.dng"]
    assert plan.left_out == [photos / "sensor.json"]
    assert len(plan.refused) == 1
    assert "notes.txt" in str(plan.refused[0])


def test_two_photos_of_one_stem_would_be_one_picture(photos: Path, tmp_path: Path) -> None:
    (photos / "a.nef").touch()
    with pytest.raises(InputError, match=r"two pictures would be named 'a\.png'"):
        plan_pictures([photos], tmp_path / "out")
