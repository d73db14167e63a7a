"""The folders of a training: what belongs together, and how much of them is read."""

from pathlib import Path
from typing import Any

import pytest

from nas_isp.data.demo import demo_folders
from nas_isp.errors import InputError
from nas_isp.preparation.folders import DEMO, TrainingFolders, prepared_in_scratch
from nas_isp.recipe import TrainSettings, WarmStartSettings

SETTINGS = TrainSettings(patch=64, patches=16, warm_start=WarmStartSettings(synthetic_share=0.0), steps=0)


def test_no_more_patches_are_cut_than_asked_for() -> None:
    with prepared_in_scratch(DEMO, SETTINGS, 0) as data:
        assert 0 < len(data.training.inputs.raw) <= 16
        assert 0 < len(data.training.photos) <= 16


@pytest.mark.parametrize(
    ("folders", "mode", "message", "parameters"),
    [
        ({"val": Path("p")}, "unpaired", "val, sensor and group need raw", ("val", "sensor", "group", "raw", "rgb")),
        (
            {"sensor": "ultraisp"},
            "unpaired",
            "val, sensor and group need raw",
            ("val", "sensor", "group", "raw", "rgb"),
        ),
        ({"group": "1"}, "unpaired", "val, sensor and group need raw", ("val", "sensor", "group", "raw", "rgb")),
        ({"raw": Path("r")}, "unpaired", "raw and rgb go together", ("raw", "rgb")),
        ({"rgb": Path("r")}, "unpaired", "raw and rgb go together", ("raw", "rgb")),
        ({"pairs": Path("p")}, "unpaired", "pairs are for the paired modes", ("pairs", "mode")),
        ({}, "paired", "mode 'paired' trains on true pairs: give a folder", ("pairs",)),
        (
            {"pairs": Path("p"), "raw": Path("r")},
            "paired",
            "takes pairs, not raw, rgb or scene_disjoint",
            ("pairs", "raw", "rgb", "scene_disjoint"),
        ),
        (
            {"pairs": Path("p"), "scene_disjoint": True},
            "paired-no-adv",
            "takes pairs, not raw",
            ("pairs", "raw", "rgb", "scene_disjoint"),
        ),
    ],
)
def test_folders_that_do_not_belong_together_are_refused(
    folders: dict[str, Any], mode: str, message: str, parameters: tuple[str, ...]
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        TrainingFolders(**folders).check(mode)
    assert caught.value.parameters == parameters


def test_pairs_beyond_the_patches_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    _, _, pairs = demo_folders(tmp_path)
    settings = SETTINGS.model_copy(update={"mode": "paired", "patches": 2})
    notes: list[str] = []
    with prepared_in_scratch(TrainingFolders(pairs=pairs), settings, 0, notes.append) as data:
        assert len(data.training.inputs.raw) == len(data.training.photos) == 2
    assert any(line.startswith("2 of 8 pairs are used, one patch each") for line in notes)
