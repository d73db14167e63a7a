"""Scores a generator in training by the score that its recipe chose, and by those of this package beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from nas_isp.evaluation.metrics import to_8_bit
from nas_isp.files import whole_file
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.recipe import SCORES
from nas_isp.training.scores import Scored, classical_scores

SAMPLE_PICTURES = 4


@dataclass(frozen=True)
class TrainOutcome:
    """How good a generator is; `quality` is higher for better ones and comparable only within one `score_kind`.

    Attributes:
        score_kind: the member of `SCORES` that `quality` is from.
        step: steps after which the generator was scored.
    """

    quality: float
    score_kind: str
    scores: dict[str, float]
    step: int

    def to_dict(self) -> dict[str, Any]:
        """What a bundle records of it."""
        return {"quality": self.quality, "score_kind": self.score_kind, **self.scores}

    @staticmethod
    def of_dict(row: dict[str, Any]) -> "TrainOutcome":
        """The outcome whose `to_dict`, with its `step` added, gave a row."""
        scores = {name: value for name, value in row.items() if name not in ("quality", "score_kind", "step")}
        return TrainOutcome(row["quality"], row["score_kind"], scores, row["step"])


@torch.no_grad()
def score(
    generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, step: int, device: torch.device, kind: str
) -> TrainOutcome:
    """Score a generator by a member of `SCORES`, and for the record by those of this package that can be had."""
    kinds = dict.fromkeys([*(["psnr"] if scoring.pairs else []), kind])
    measured = {name: SCORES[name].measure(generator, scoring, features, device) for name in ("reference-free", *kinds)}
    return TrainOutcome(measured[kind].quality, kind, _merged(measured), step)


@torch.no_grad()
def score_classical(
    scoring: ScoringSet, features: FeatureNetwork, device: torch.device, kind: str
) -> TrainOutcome | None:
    """The classical rendering scored likewise, as after no step; None where there is no rendering.

    A score of another package takes no pictures, so that `quality` is then the reference-free score.
    """
    measured = classical_scores(scoring, features, device)
    if not measured:
        return None
    known = kind if kind in measured else "reference-free"
    return TrainOutcome(measured[known].quality, known, _merged(measured), 0)


def _merged(measured: dict[str, Scored]) -> dict[str, float]:
    """Qualities and parts of several scores, by name."""
    scores: dict[str, float] = {}
    for name, scored in measured.items():
        scores |= {name.replace("-", "_"): scored.quality, **scored.parts}
    return scores


def write_sample(generator: nn.Module, scoring: ScoringSet, path: Path, device: torch.device) -> None:
    """A strip of test patches: the generator's pictures above, the content references below."""
    packed, references = scoring.test_batch(device)
    at = torch.linspace(0, len(packed) - 1, min(SAMPLE_PICTURES, len(packed))).round().long()
    with torch.no_grad():
        rows = [to_8_bit(generator(packed[at])), to_8_bit(references[at])]
    strip = np.concatenate([np.concatenate(list(row), 1) for row in rows], 0)
    with whole_file(path) as part:
        Image.fromarray(strip).save(part, format="PNG")
