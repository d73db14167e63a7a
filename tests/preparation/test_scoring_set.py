"""What a training is scored on stays the same, and decides which scores there can be."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_unpaired
from nas_isp.errors import InputError
from nas_isp.perceptual.features import load_features
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.scoring_set import TEST_PATCHES, ScoringSet
from nas_isp.recipe import TrainSettings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def scoring(tmp_path_factory: pytest.TempPathFactory) -> ScoringSet:
    raw, rgb, pairs = demo_folders(tmp_path_factory.mktemp("demo"))
    data = load_unpaired(raw, rgb, tmp_path_factory.mktemp("cache"), 64, val_dir=pairs, limit=120)
    return prepare(data, TrainSettings(patch=64), seed=0, score_with_pairs=False).scoring


def test_what_auto_stands_for_and_what_needs_pairs(scoring: ScoringSet) -> None:
    with_pairs, without = replace(scoring, score_with_pairs=True), replace(scoring, pairs=[])
    assert scoring.chosen_score("auto") == "reference-free"
    assert with_pairs.chosen_score("auto") == "psnr"
    assert with_pairs.chosen_score("reference-free") == "reference-free"
    assert scoring.chosen_score("psnr") == "psnr"
    with pytest.raises(InputError, match="score 'psnr' needs true pairs: give some, or another score"):
        without.chosen_score("psnr")


def test_a_score_that_needs_pairs_is_refused_before_any_training(tmp_path: Path) -> None:
    raw, rgb, _ = demo_folders(tmp_path / "demo")
    data = load_unpaired(raw, rgb, tmp_path / "cache", 64, limit=8)
    with pytest.raises(InputError, match="score 'psnr' needs true pairs"):
        prepare(data, TrainSettings(patch=64, score="psnr"), seed=0)


def test_test_patches_are_spread_over_the_set_with_their_references(scoring: ScoringSet) -> None:
    packed, references = scoring.test_batch(CPU)
    assert len(packed) == TEST_PATCHES < len(scoring.inputs.raw)
    torch.testing.assert_close(packed[[0, -1]], scoring.inputs.tensor([0, len(scoring.inputs.raw) - 1], CPU))
    last = torch.from_numpy(scoring.references[-1].copy()) / 255
    torch.testing.assert_close(references[-1], last)


def test_statistics_of_the_photos_are_computed_once(scoring: ScoringSet) -> None:
    features = load_features("lite")
    assert scoring.target_statistics(features, CPU) is scoring.target_statistics(features, CPU)
