"""Scores a generator in training: PSNR on true pairs where the user gave some, else the reference-free score."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from nas_isp.evaluation.metrics import psnr, to_8_bit
from nas_isp.evaluation.reference_free import reference_free_score
from nas_isp.files import whole_file
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.preparation.prepare import Prepared

ScoreKind = Literal["psnr", "reference-free"]

CHUNK = 16
SAMPLE_PICTURES = 4


@dataclass(frozen=True)
class TrainOutcome:
    """How good a generator is; `quality` is higher for better ones and comparable only within one `score_kind`.

    Attributes:
        step: steps after which the generator was scored.
    """

    quality: float
    score_kind: ScoreKind
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


def score(
    generator: nn.Module, prepared: Prepared, features: FeatureNetwork, step: int, device: torch.device
) -> TrainOutcome:
    """Score a generator on the fixed test patches of `prepared`."""
    packed, references = prepared.test_batch(device)
    with torch.no_grad():
        outputs = _in_chunks(generator, packed)
        target = prepared.target_statistics(features, device)
        synthetic = None
        if prepared.synthetic is not None:
            raw, photos = prepared.synthetic.test_batch(device)
            synthetic = _in_chunks(generator, raw), photos
        free = reference_free_score(outputs, references, target, features, synthetic=synthetic)
    quality = free.pop("quality")
    scores = {"reference_free": quality, **free}
    if prepared.pairs:
        scores["psnr"] = float(np.mean([_pair_psnr(generator, raw, photo, device) for raw, photo in prepared.pairs]))
    if prepared.score_with_pairs:
        return TrainOutcome(scores["psnr"], "psnr", scores, step)
    return TrainOutcome(scores["reference_free"], "reference-free", scores, step)


def write_sample(generator: nn.Module, prepared: Prepared, path: Path, device: torch.device) -> None:
    """A strip of test patches: the generator's pictures above, the content references below."""
    packed, references = prepared.test_batch(device)
    at = torch.linspace(0, len(packed) - 1, min(SAMPLE_PICTURES, len(packed))).round().long()
    with torch.no_grad():
        rows = [to_8_bit(generator(packed[at])), to_8_bit(references[at])]
    strip = np.concatenate([np.concatenate(list(row), 1) for row in rows], 0)
    with whole_file(path) as part:
        Image.fromarray(strip).save(part, format="PNG")


def _pair_psnr(generator: nn.Module, packed: Tensor, photo: NDArray[np.uint8], device: torch.device) -> float:
    with torch.no_grad():
        return psnr(to_8_bit(generator(packed[None].to(device)))[0], photo)


def _in_chunks(generator: nn.Module, packed: Tensor) -> Tensor:
    return torch.cat([generator(part) for part in packed.split(CHUNK)])
