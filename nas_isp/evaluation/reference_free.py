"""A quality score that needs no true picture: does the output look like the photos, and does it show the RAW?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from nas_isp.evaluation.color import luma_picture, srgb_to_lab
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.settings import Settings

SCORE_VERSION = 2
"""Counts definitions of the score: 1 was a negated sum of Lab distances, 2 is in dB."""

DIRECTIONS = 64
QUANTILES = 256
LEAST_ERROR = 1e-6
"""Mean squared error that counts as none: 60 dB."""


class ReferenceFreeWeights(Settings):
    """How the parts of the score are weighed; chosen on short trainings of ten networks, see docs/quality.md."""

    synthetic: Annotated[float, Field(ge=0, le=1, description="Share of synthetic pairs in the mean of both PSNR.")] = (
        0.5
    )
    color: Annotated[float, Field(ge=0, description="dB per unit of Lab sliced Wasserstein distance.")] = 0.1
    texture: Annotated[float, Field(ge=0, description="dB per unit of feature moment distance.")] = 3.0
    content: Annotated[float, Field(ge=0, description="dB per unit of content distance.")] = 10.0


@dataclass(frozen=True)
class TargetStatistics:
    """What the photos look like, in numbers.

    Attributes:
        color_quantiles: `(QUANTILES, DIRECTIONS)` of Lab colors along fixed directions.
        moments: layer -> `(2, C)` mean and standard deviation of the luma features.
    """

    color_quantiles: Tensor
    moments: dict[str, Tensor]


def target_statistics(photos: Tensor, features: FeatureNetwork) -> TargetStatistics:
    """Statistics of sRGB photos `(M, 3, H, W)`."""
    return TargetStatistics(_color_quantiles(photos), _moments(features(luma_picture(photos))))


def reference_free_score(
    outputs: Tensor,
    references: Tensor,
    target: TargetStatistics,
    features: FeatureNetwork,
    weights: ReferenceFreeWeights | None = None,
    synthetic: tuple[Tensor, Tensor] | None = None,
) -> dict[str, float]:
    """Score generated pictures; `quality` is in dB, higher is better, and means something only beside other ones.

    Where the true picture is unknown, two others stand in for it, whose errors have different causes: the content
    reference of a real capture, and the photo that a synthetic RAW was made of. The score is the mean PSNR towards
    them, less what makes the pictures of real captures differ from photos in general, and from what the RAW shows.

    Args:
        outputs: generated sRGB pictures `(N, 3, H, W)`.
        references: content references of the same RAW, `(N, 3, H, W)`.
        target: statistics of the photos.
        synthetic: pictures generated from synthetic RAW of photos, and those photos, both `(M, 3, H, W)`.

    Returns:
        `quality` (see `reference_free_quality`) and its parts: `fidelity` and, where such pairs are given, `synthetic`
        (mean PSNR of pictures in dB towards the references and the photos), `color` (sliced Wasserstein distance of
        4x4 means in Lab), `texture` (feature moments, relative to the photos' spread) and `content` (1 - correlation
        of deep luma features with the reference's, averaged over pictures).
    """
    outputs = outputs.clamp(0, 1)
    seen, deepest = features(luma_picture(outputs)), features.layers[-1]
    wanted = features(luma_picture(references), (deepest,))[deepest]
    parts = {
        "fidelity": _mean_psnr(outputs, references),
        "color": float((_color_quantiles(outputs) - target.color_quantiles).abs().mean()),
        "texture": _moment_distance(_moments(seen), target.moments),
        "content": 1 - _correlation(seen[deepest], wanted),
    }
    if synthetic is not None:
        parts["synthetic"] = _mean_psnr(synthetic[0].clamp(0, 1), synthetic[1])
    return {"quality": reference_free_quality(parts, weights), **parts}


def reference_free_quality(parts: Mapping[str, float], weights: ReferenceFreeWeights | None = None) -> float:
    """The score of parts that `reference_free_score` gave; without `synthetic`, `fidelity` stands alone."""
    weights = weights or ReferenceFreeWeights()
    likeness = parts["fidelity"]
    if "synthetic" in parts:
        likeness = (1 - weights.synthetic) * likeness + weights.synthetic * parts["synthetic"]
    return likeness - sum(getattr(weights, name) * parts[name] for name in ("color", "texture", "content"))


def _mean_psnr(pictures: Tensor, wanted: Tensor) -> float:
    """Mean over pictures in 0..1 of the PSNR of each, in dB; at most 60."""
    errors = (pictures - wanted).square().mean((1, 2, 3)).clamp_min(LEAST_ERROR)
    return float(-10 * errors.log10().mean())


def _color_quantiles(images: Tensor) -> Tensor:
    lab = _block_lab(images).permute(0, 2, 3, 1).reshape(-1, 3)
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(3, DIRECTIONS, generator=generator).to(lab)
    projected = (lab @ (directions / directions.norm(dim=0))).sort(0).values
    at = torch.linspace(0, len(projected) - 1, QUANTILES, device=lab.device).round().long()
    return projected[at]


def _block_lab(images: Tensor) -> Tensor:
    """Lab of 4x4 means."""
    return functional.avg_pool2d(srgb_to_lab(images), 4)


def _moments(seen: dict[str, Tensor]) -> dict[str, Tensor]:
    return {layer: torch.stack((maps.mean((0, 2, 3)), maps.std((0, 2, 3)))).float() for layer, maps in seen.items()}


def _moment_distance(first: dict[str, Tensor], target: dict[str, Tensor]) -> float:
    distances = [((first[layer] - target[layer]) / (target[layer][1] + 1e-3)).abs().mean() for layer in target]
    return float(torch.stack(distances).mean())


def _correlation(maps: Tensor, wanted: Tensor) -> float:
    first, second = maps.flatten(1), wanted.flatten(1)
    return float(functional.cosine_similarity(first - first.mean(1, True), second - second.mean(1, True)).mean())
