"""Prepared data comes back from its files as it was, and damaged files are refused."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_pairs, load_unpaired
from nas_isp.errors import InputError
from nas_isp.preparation.paired import prepare_paired
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import load_prepared, save_prepared
from nas_isp.preparation.validation_pairs import MAX_PAIRS_BYTES
from nas_isp.recipe import TrainSettings

SETTINGS = TrainSettings(patch=64)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return demo_folders(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def data(demo: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    unpaired = load_unpaired(*demo[:2], tmp_path_factory.mktemp("cache"), 64, val_dir=demo[2], limit=16)
    return prepare(unpaired, SETTINGS, seed=0)


def test_prepared_data_survives_saving(data: Prepared, tmp_path: Path) -> None:
    save_prepared(data, tmp_path)
    loaded = load_prepared(tmp_path)
    assert loaded.digest == data.digest
    np.testing.assert_array_equal(loaded.training.references, data.training.references)
    assert loaded.baseline == data.baseline
    for first, second in zip(loaded.training.batch(5, 4, CPU), data.training.batch(5, 4, CPU), strict=True):
        torch.testing.assert_close(first, second)
    for first, second in zip(loaded.scoring.test_batch(CPU), data.scoring.test_batch(CPU), strict=True):
        torch.testing.assert_close(first, second)
    assert len(loaded.scoring.pairs) == len(data.scoring.pairs) > 0
    assert loaded.scoring.score_with_pairs
    assert loaded.training.synthetic is not None
    assert data.training.synthetic is not None
    made = (pairs.batch(5, 4, CPU) for pairs in (loaded.training.synthetic, data.training.synthetic))
    for first, second in zip(*made, strict=True):
        torch.testing.assert_close(first, second)


def test_what_is_made_in_a_folder_is_saved_there_without_a_copy(demo: tuple[Path, Path, Path], tmp_path: Path) -> None:
    unpaired = load_unpaired(*demo[:2], tmp_path / "cache", 64, limit=8)
    made = prepare(unpaired, SETTINGS, seed=0, folder=tmp_path / "prepared")
    before = {path.name: path.stat().st_ino for path in (tmp_path / "prepared").glob("*.npy")}
    save_prepared(made, tmp_path / "prepared")
    save_prepared(made, tmp_path / "copy")
    assert before.keys() == {"references.npy", "synthetic.npy", "synthetic_factors.npy", "synthetic_gains.npy"}
    after = {path.name: path.stat().st_ino for path in (tmp_path / "prepared").glob("*.npy")}
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"factors.npy", "anchors.npy", "synthetic_anchors.npy"}
    for folder in ("prepared", "copy"):
        loaded = load_prepared(tmp_path / folder)
        assert loaded.digest == made.digest
        np.testing.assert_array_equal(loaded.training.synthetic.packed, made.training.synthetic.packed)


def test_data_without_pairs_is_not_scored_with_them(demo: tuple[Path, Path, Path], tmp_path: Path) -> None:
    made = prepare(load_unpaired(*demo[:2], tmp_path / "cache", 64, limit=8), SETTINGS, seed=0, score_with_pairs=True)
    assert made.scoring.pairs == []
    assert not made.scoring.score_with_pairs


def test_paired_data_cannot_be_saved(demo: tuple[Path, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in memory"):
        save_prepared(prepare_paired(load_pairs(demo[2]), 64, seed=0, input_kind="balanced"), tmp_path)


def test_a_preparation_whose_pairs_unpack_to_gigabytes_is_refused(data: Prepared, tmp_path: Path) -> None:
    save_prepared(data, tmp_path / "prepared")
    with zipfile.ZipFile(tmp_path / "prepared/pairs.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("raw_0.npy", "rgb_0.npy"):
            archive.writestr(name, bytes(MAX_PAIRS_BYTES))
    with pytest.raises(InputError, match=r"damaged preparation .*unpacks to 268435456 bytes"):
        load_prepared(tmp_path / "prepared")
