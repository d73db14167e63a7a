"""What the quality of a training can be: members of `SCORES`, one of which its recipe chooses."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nas_isp.evaluation.metrics import psnr, to_8_bit
from nas_isp.evaluation.reference_free import reference_free_score
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.preparation.scoring_set import ScoringSet

CHUNK = 16


@dataclass(frozen=True)
class Scored:
    """What a score says of a generator.

    Attributes:
        quality: higher is better; comparable within one score only.
        parts: what the quality is made of, or else worth recording, by name; `quality`, `score_kind` and `step` are
            not names of parts.
    """

    quality: float
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """A way to tell how good a generator is; a member of `SCORES`, so that recipes can choose it by name.

    Attributes:
        measure: scores a generator, packed RAW `(B, 4, h, w)` to sRGB `(B, 3, 2h, 2w)`, on the fixed material of a
            scoring set, with the frozen network that the recipe names for scores; generator, material and network are
            on the device, and no gradients are recorded. The same generator always gets the same quality.
        pairs: whether it needs true pairs.
    """

    measure: Callable[[nn.Module, ScoringSet, FeatureNetwork, torch.device], Scored]
    pairs: bool = False


def in_chunks(generator: nn.Module, packed: Tensor) -> Tensor:
    """The generator's pictures of many patches, a few at a time."""
    return torch.cat([generator(part) for part in packed.split(CHUNK)])


def _psnr(generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, device: torch.device) -> Scored:
    return Scored(float(np.mean([_psnr_of(generator, raw, photo, device) for raw, photo in scoring.pairs])))


def _psnr_of(generator: nn.Module, packed: Tensor, photo: NDArray[np.uint8], device: torch.device) -> float:
    return psnr(to_8_bit(generator(packed[None].to(device)))[0], photo)


def _reference_free(
    generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, device: torch.device
) -> Scored:
    packed, references = scoring.test_batch(device)
    outputs = in_chunks(generator, packed)
    target = scoring.target_statistics(features, device)
    synthetic = None
    if scoring.synthetic is not None:
        raw, photos = scoring.synthetic.test_batch(device)
        synthetic = in_chunks(generator, raw), photos
    parts = reference_free_score(outputs, references, target, features, synthetic=synthetic)
    return Scored(parts.pop("quality"), parts)


PSNR = Score(_psnr, pairs=True)
"""Mean PSNR on the true pairs, in dB."""

REFERENCE_FREE = Score(_reference_free)
"""Mean PSNR towards references and photos of synthetic RAW, less distances to photos; see `reference_free_score`."""
