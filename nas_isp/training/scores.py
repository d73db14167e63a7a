"""What the quality of a training can be: members of `SCORES`, one of which its recipe chooses."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from nas_isp.data.patches import as_pictures
from nas_isp.evaluation.metrics import psnr_and_difference, to_8_bit
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


def classical_scores(scoring: ScoringSet, features: FeatureNetwork, device: torch.device) -> dict[str, Scored]:
    """What this package's scores say of the classical rendering, by name, as far as they can be had.

    Empty where the scoring set has no renderings.
    """
    anchors = scoring.anchors
    if anchors is None:
        return {}
    pictures = as_pictures(anchors.captures, device)
    synthetic = None if anchors.synthetic is None else as_pictures(anchors.synthetic, device)
    found = {"reference-free": _of_pictures(pictures, synthetic, scoring, features, device)}
    return found | ({"psnr": _of_pairs(anchors.on_pairs)} if anchors.on_pairs else {})


def _psnr(generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, device: torch.device) -> Scored:
    pictures = ((to_8_bit(generator(packed[None].to(device)))[0], photo) for packed, photo in scoring.pairs)
    return _of_pairs(psnr_and_difference(pictures))


def _of_pairs(means: dict[str, float]) -> Scored:
    return Scored(means["psnr"], {"delta_e00": means["delta_e00"]})


def _reference_free(
    generator: nn.Module, scoring: ScoringSet, features: FeatureNetwork, device: torch.device
) -> Scored:
    synthetic = None
    if scoring.synthetic is not None:
        synthetic = in_chunks(generator, scoring.synthetic.test_batch(device)[0])
    return _of_pictures(in_chunks(generator, scoring.test_batch(device)[0]), synthetic, scoring, features, device)


def _of_pictures(
    pictures: Tensor, synthetic: Tensor | None, scoring: ScoringSet, features: FeatureNetwork, device: torch.device
) -> Scored:
    """The reference-free score of pictures of the test patches and of the synthetic test pairs."""
    anchors = None if scoring.anchors is None else as_pictures(scoring.anchors.captures, device)
    both = None
    if synthetic is not None and scoring.synthetic is not None:
        both = synthetic, scoring.synthetic.test_batch(device)[1]
    parts = reference_free_score(
        pictures,
        scoring.test_batch(device)[1],
        scoring.target_statistics(features, device),
        features,
        synthetic=both,
        anchors=anchors,
    )
    return Scored(parts.pop("quality"), parts)


PSNR = Score(_psnr, pairs=True)
"""Mean PSNR on the true pairs, in dB; CIEDE2000 is recorded beside it."""

REFERENCE_FREE = Score(_reference_free)
"""Likeness to references, classical renderings and photos of synthetic RAW, less faults; see `reference_free_score`."""
