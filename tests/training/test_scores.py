"""The reference-free score sees what eyes see: a spoilt network ranks below the same network without the fault."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_unpaired
from nas_isp.evaluation.appearance import appearance_of_scores, appearance_words
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.perceptual.features import load_features
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.preparation.content_reference import to_bytes
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.recipe import SCORES, TrainSettings, WarmStartSettings
from nas_isp.training.scoring import score, score_classical
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=12),))
QUICK = TrainSettings(patch=64, batch=4, warm_start=WarmStartSettings(steps=100), steps=0, selections=0)
CPU = torch.device("cpu")

Fault = Callable[[Tensor], Tensor]


def _shifted(*levels: float) -> Fault:
    return lambda rgb: rgb + torch.tensor(levels).view(1, 3, 1, 1) / 255


def _noisy(rgb: Tensor) -> Tensor:
    return rgb + 0.05 * torch.randn(rgb.shape, generator=torch.Generator().manual_seed(0))


FAULTS: dict[str, Fault] = {
    "magenta": _shifted(10, -16, 10),
    "green": _shifted(-10, 16, -10),
    "blue": _shifted(-8, -8, 24),
    "yellow": _shifted(8, 8, -24),
    "lilac lights": lambda rgb: torch.where(
        rgb.mean(1, keepdim=True) > 0.5, rgb + torch.tensor([0.05, -0.1, 0.1]).view(1, 3, 1, 1), rgb
    ),
    "dull": lambda rgb: rgb.mean(1, keepdim=True).lerp(rgb, 0.5),
    "gray": lambda rgb: rgb.mean(1, keepdim=True).expand_as(rgb),
    "dark": lambda rgb: 0.65 * rgb,
    "bright": lambda rgb: rgb.clamp_min(0) ** 0.6,
    "blown": lambda rgb: 1.5 * rgb,
    "crushed": lambda rgb: 1.2 * (rgb - 0.2),
    "noisy": _noisy,
}


class _Spoilt(nn.Module):
    def __init__(self, network: nn.Module, fault: Fault) -> None:
        super().__init__()
        self.network, self.fault = network, fault

    def forward(self, packed: Tensor) -> Tensor:
        return self.fault(self.network(packed)).clamp(0, 1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    raw, rgb, pairs = demo_folders(tmp_path_factory.mktemp("demo"))
    data = load_unpaired(raw, rgb, tmp_path_factory.mktemp("cache"), QUICK.patch, val_dir=pairs, limit=64)
    return prepare(data, QUICK, seed=0, score_with_pairs=False)


@pytest.fixture(scope="module")
def trained(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    trainer = Trainer(SMALL, prepared, QUICK, TrainingRun(tmp_path_factory.mktemp("run")))
    trainer.train()
    return trainer.chosen()


@pytest.fixture(scope="module")
def features() -> FeatureNetwork:
    return load_features("lite")


def _quality(network: nn.Module, scoring: ScoringSet, features: FeatureNetwork) -> float:
    with torch.no_grad():
        return SCORES["reference-free"].measure(network, scoring, features, CPU).quality


@pytest.mark.parametrize("name", FAULTS)
def test_a_spoilt_network_scores_below_the_same_network_without(
    name: str, prepared: Prepared, trained: nn.Module, features: FeatureNetwork
) -> None:
    scoring = prepared.scoring
    sound = _quality(trained, scoring, features)
    assert _quality(_Spoilt(trained, FAULTS[name]), scoring, features) < sound - 0.05


@pytest.mark.parametrize("name", FAULTS)
def test_it_does_so_even_where_the_references_share_the_fault(
    name: str, prepared: Prepared, trained: nn.Module, features: FeatureNetwork
) -> None:
    spoilt = FAULTS[name](torch.from_numpy(np.array(prepared.scoring.references)) / 255)
    scoring = replace(prepared.scoring, references=to_bytes(spoilt))
    sound = _quality(trained, scoring, features)
    assert _quality(_Spoilt(trained, FAULTS[name]), scoring, features) < sound


def test_the_classical_rendering_is_scored_on_the_same_material(prepared: Prepared, features: FeatureNetwork) -> None:
    scoring = prepared.scoring
    found = score_classical(scoring, features, CPU, "reference-free")
    assert found is not None
    assert found.quality == found.scores["reference_free"]
    assert found.scores["psnr"] == scoring.anchors.on_pairs["psnr"]
    assert found.scores["delta_e00"] > 0
    assert found.scores["anchor"] == pytest.approx(20, abs=1e-3)
    assert "cast: none" in appearance_words(appearance_of_scores(found.scores))
    by_pairs = score_classical(scoring, features, CPU, "psnr")
    assert by_pairs is not None
    assert (by_pairs.quality, by_pairs.score_kind) == (found.scores["psnr"], "psnr")


def test_a_score_of_another_package_leaves_the_rendering_its_reference_free_score(
    prepared: Prepared, features: FeatureNetwork
) -> None:
    found = score_classical(prepared.scoring, features, CPU, "of-another-package")
    assert found is not None
    assert found.score_kind == "reference-free"


def test_without_renderings_there_is_no_look_and_no_row(
    prepared: Prepared, trained: nn.Module, features: FeatureNetwork
) -> None:
    scoring = replace(prepared.scoring, anchors=None)
    assert score_classical(scoring, features, CPU, "psnr") is None
    outcome = score(trained, scoring, features, 0, CPU, "reference-free")
    assert appearance_of_scores(outcome.scores) is None
    assert "anchor" not in outcome.scores
    assert outcome.scores["delta_e00"] > 0


def test_a_bundle_records_the_look_and_what_the_rendering_scores(
    prepared: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> None:
    trainer = Trainer(SMALL, prepared, QUICK, TrainingRun(tmp_path_factory.mktemp("record")))
    recorded = trainer.recorded(trainer.score())
    assert appearance_of_scores(recorded) is not None
    assert recorded["classical"]["psnr"] == prepared.scoring.anchors.on_pairs["psnr"]
    assert recorded["classical"]["quality"] == recorded["classical"]["reference_free"]
