"""Every built-in score conforms, and faulty ones do not."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import nn

from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.recipe.score_registry import SCORES
from nas_isp.testing.scores import ScoreConformance
from nas_isp.training.scores import PSNR, Score, Scored

COUNT = itertools.count()


class TestBuiltInScores(ScoreConformance):
    @pytest.fixture(params=list(SCORES), autouse=True)
    def each(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


def _lower_is_better(
    generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, device: torch.device
) -> Scored:
    return Scored(-PSNR.measure(generator, scoring, features, device).quality)


def _ever_other(generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, device: torch.device) -> Scored:
    return Scored(float(next(COUNT)))


def _taking_a_name(generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, device: torch.device) -> Scored:
    return Scored(1.0, {"step": 3.0})


@pytest.mark.parametrize(
    ("measure", "test", "message"),
    [
        (_lower_is_better, "test_better_pictures_score_higher", "with a tint"),
        (_ever_other, "test_the_same_generator_gets_the_same_score", "then"),
        (_taking_a_name, "test_it_is_finite", "names that are taken: step"),
    ],
)
def test_a_faulty_one_is_found(
    measure: Callable[..., Scored], test: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCORES._registered, "faulty", Score(measure))
    conformance = ScoreConformance()
    conformance.name = "faulty"
    with pytest.raises(AssertionError, match=message):
        getattr(conformance, test)()
