"""A loss term and a score from outside are taken by name in a recipe, train, and go on from a checkpoint."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_unpaired
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.recipe import LOSSES, SCORES, TrainSettings
from nas_isp.training.loss_term import LossInputs, LossTerm
from nas_isp.training.scores import Score, Scored
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=8),))
FIELDS = {"patch": 64, "batch": 2, "warm_start": {"steps": 4}, "steps": 8, "selections": 0}


def _charbonnier(inputs: LossInputs) -> Tensor:
    return ((inputs.generated - inputs.references).square() + 1e-6).sqrt().mean()


def _in_two_parts(inputs: LossInputs) -> dict[str, Tensor]:
    judge = inputs.discriminators["color"]
    return {"verdict": -judge(inputs.views["color"]).mean(), "synthetic": inputs.synthetic[0].square().mean()}


def _darkness(generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, device: torch.device) -> Scored:
    mean = float(generator(scoring.test_batch(device)[0]).mean())
    return Scored(-mean, {"brightness": mean})


@pytest.fixture
def _foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members that last as long as a test."""
    for registry in (LOSSES, SCORES):
        monkeypatch.setattr(registry, "_registered", {})
    LOSSES.register("charbonnier", LossTerm(_charbonnier))
    views = ("color",)
    LOSSES.register("two-parts", LossTerm(_in_two_parts, views=views, discriminators=views, synthetic_pairs=True))
    SCORES.register("darkness", Score(_darkness))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    raw, rgb, pairs = demo_folders(tmp_path_factory.mktemp("demo"))
    unpaired = load_unpaired(raw, rgb, tmp_path_factory.mktemp("cache"), 64, val_dir=pairs, limit=16)
    return prepare(unpaired, TrainSettings.model_validate(FIELDS), seed=0, score_with_pairs=False)


def _row(folder: Path) -> dict[str, float]:
    return json.loads((folder / "history.jsonl").read_text().splitlines()[-1])


@pytest.mark.usefixtures("_foreign")
def test_a_foreign_term_trains_and_resumes_exactly(data: Prepared, tmp_path: Path) -> None:
    weights = {"two-parts": 0.2, "charbonnier": 0.5, "content": 0.25}
    settings = TrainSettings.model_validate(FIELDS | {"weights": weights})
    assert list(settings.weights) == ["content", "charbonnier", "two-parts"]
    whole = Trainer(SMALL, data, settings, TrainingRun(tmp_path / "whole"))
    assert whole.viewer.names == ("content", "color")
    assert list(whole.adversarial.judges.discriminators) == ["color"]
    whole.train()
    row = _row(tmp_path / "whole")
    assert {"charbonnier", "norm_charbonnier", "two-parts_verdict", "norm_two-parts_synthetic"} <= row.keys()
    first = Trainer(SMALL, data, settings, TrainingRun(tmp_path / "parts"))
    first.advance(7)
    first.save()
    second = Trainer(SMALL, data, settings, TrainingRun(tmp_path / "parts"))
    assert second.step == 7
    second.train()
    assert _row(tmp_path / "parts") == row
    for name, value in whole.averaged.state_dict().items():
        torch.testing.assert_close(second.averaged.state_dict()[name], value, rtol=1e-5, atol=1e-7)


@pytest.mark.usefixtures("_foreign")
def test_a_foreign_term_steers_the_training(data: Prepared, tmp_path: Path) -> None:
    """Alone, at a rate that leaves the start soon, it brings the pictures nearer to what it asks for."""
    fields = FIELDS | {"weights": {"charbonnier": 1.0}, "steps": 40, "learning_rate": 3e-3}
    trainer = Trainer(SMALL, data, TrainSettings.model_validate(fields), TrainingRun(tmp_path))
    packed, references = data.scoring.test_batch(trainer.device)
    trainer.advance(4)
    before = float((trainer.generator(packed) - references).detach().abs().mean())
    trainer.advance(44)
    assert float((trainer.generator(packed) - references).detach().abs().mean()) < 0.9 * before


@pytest.mark.usefixtures("_foreign")
def test_a_foreign_score_is_the_quality_and_ours_stay_on_record(data: Prepared, tmp_path: Path) -> None:
    settings = TrainSettings.model_validate(FIELDS | {"score": "darkness", "selections": 1})
    outcome = Trainer(SMALL, data, settings, TrainingRun(tmp_path)).train()
    assert outcome.score_kind == "darkness"
    assert outcome.quality == outcome.scores["darkness"] == -outcome.scores["brightness"]
    assert {"psnr", "reference_free", "fidelity"} <= outcome.scores.keys()
    assert Trainer(SMALL, data, settings, TrainingRun(tmp_path)).score() == outcome
