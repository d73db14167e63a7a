"""The folders of a training, read as the options say."""

from pathlib import Path

import pytest

from nas_isp.cli.datasets import Folders, prepared
from nas_isp.data.demo import demo_folders
from nas_isp.errors import InputError
from nas_isp.progress import unseen
from nas_isp.recipe import TrainSettings, WarmStartSettings

SETTINGS = TrainSettings(patch=64, patches=16, warm_start=WarmStartSettings(synthetic_share=0.0), steps=0)


def test_no_more_patches_are_cut_than_asked_for() -> None:
    with prepared(Folders(), SETTINGS, 0, unseen) as data:
        assert 0 < len(data.training.raw) <= 16
        assert 0 < len(data.training.photos) <= 16


@pytest.mark.parametrize("option", ["val", "sensor"])
def test_what_belongs_to_folders_is_refused_for_the_demo_set(option: str) -> None:
    given = {"val": Path("pairs"), "sensor": "ultraisp"}
    folders = Folders(**{option: given[option]})
    with (
        pytest.raises(InputError, match="--val and --sensor need --raw and --rgb"),
        prepared(folders, SETTINGS, 0, unseen),
    ):
        pass


def test_pairs_beyond_the_patches_are_left_out_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, pairs = demo_folders(tmp_path)
    settings = SETTINGS.model_copy(update={"mode": "paired", "patches": 2})
    with prepared(Folders(pairs=pairs), settings, 0, unseen) as data:
        assert len(data.training.raw) == len(data.training.photos) == 2
    assert "2 of 8 pairs are used, one patch each; a larger number of patches uses more" in capsys.readouterr().err
