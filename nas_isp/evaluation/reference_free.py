"""A quality score that needs no true picture: is the output near what the RAW shows, and does it look like a photo?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from nas_isp.evaluation.appearance_beside import appearance_beside
from nas_isp.evaluation.color import ciede2000, luma_picture, srgb_to_lab
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.settings import Settings

SCORE_VERSION = 3
"""Counts definitions of the score: 1 was a negated sum of Lab distances, 2 was in dB, 3 sees casts, tone and chroma."""

DIRECTIONS = 64
QUANTILES = 256
LEAST_ERROR = 1e-6
"""Mean squared error that counts as none: 60 dB."""

STAND_IN_ERROR, STAND_IN_DELTA_E, STAND_IN_CONTENT = 0.01, 10.0, 0.1
"""How far references and classical renderings are themselves from a true picture: mean squared error, CIEDE2000, and
content distance.

It is added to what is measured, as errors of independent causes are, so that being one of them is worth no more than
being as near to the truth as they are. The photos of synthetic pairs are true, and have no such error.
"""

USUAL_CAST_LEVELS, USUAL_STOPS, USUAL_CHROMA = 10.0, 0.5, 2.0
"""What finished photos differ from the classical rendering by; within it, a look costs little."""

Weight = Annotated[float, Field(ge=0)]


class ReferenceFreeWeights(Settings):
    """How the parts of the score are weighed; chosen on short trainings of eight networks, see docs/quality.md."""

    synthetic: Annotated[float, Field(ge=0, le=1, description="Share of synthetic pairs in PSNR and CIEDE2000.")] = 0.5
    difference: Annotated[Weight, Field(description="dB per unit of CIEDE2000.")] = 0.8
    color: Annotated[Weight, Field(description="dB per unit of Lab sliced Wasserstein distance.")] = 0.1
    texture: Annotated[Weight, Field(description="dB per unit of feature moment distance.")] = 3.0
    content: Annotated[Weight, Field(description="dB per unit of content distance.")] = 10.0
    cast: Annotated[Weight, Field(description="dB per 8-bit level of a cast beyond the usual.")] = 0.03
    tinted: Annotated[Weight, Field(description="dB for all bright grays being tinted.")] = 3.0
    chroma: Annotated[Weight, Field(description="dB per halving of chroma, or doubling beyond the usual.")] = 1.0
    exposure: Annotated[Weight, Field(description="dB per stop of brightness beyond the usual.")] = 1.0
    clipped: Annotated[Weight, Field(description="dB for all pixels being blown or crushed.")] = 5.0


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
    anchors: Tensor | None = None,
) -> dict[str, float]:
    """Score generated pictures; `quality` is in dB, higher is better, and means something only beside other ones.

    Where the true picture is unknown, three others stand in for it, whose errors have different causes: the content
    reference of a real capture, its classical rendering, and the photo that a synthetic RAW was made of. The score is
    the mean PSNR towards them, less the mean CIEDE2000, less what makes the pictures of real captures differ from
    photos in general and from what the RAW shows, less what the classical rendering shows of casts, dull or garish
    colors, wrong exposure and clipping. The last are such that a tint, or a loss of color or light, costs more than a
    content reference with the same fault gains.

    Args:
        outputs: generated sRGB pictures `(N, 3, H, W)`.
        references: content references of the same RAW, `(N, 3, H, W)`.
        target: statistics of the photos.
        features: frozen network of texture and content.
        weights: of the parts.
        synthetic: pictures generated from synthetic RAW of photos, and those photos, both `(M, 3, H, W)`.
        anchors: classical renderings of the same RAW in each capture's own light, `(N, 3, H, W)`; without them no look
            is judged.

    Returns:
        `quality` (see `reference_free_quality`) and its parts: `fidelity`, `anchor` and `synthetic` (mean PSNR of
        pictures in dB towards references, classical renderings and photos), `difference`, `anchor_difference` and
        `synthetic_difference` (mean CIEDE2000 likewise), each with the error of the stand-ins themselves added, `color`
        (sliced Wasserstein distance of 4x4 means in Lab), `texture` (feature moments, relative to the photos' spread),
        `content` (1 - correlation of deep luma features with the reference's, averaged over pictures), and the fields
        of `Appearance`. Those of pictures that are not given are left out.
    """
    outputs = outputs.clamp(0, 1)
    seen, deepest = features(luma_picture(outputs)), features.layers[-1]
    wanted = features(luma_picture(references), (deepest,))[deepest]
    parts = {
        "fidelity": _mean_psnr(outputs, references, STAND_IN_ERROR),
        "difference": _mean_difference(outputs, references, STAND_IN_DELTA_E),
        "color": float((_color_quantiles(outputs) - target.color_quantiles).abs().mean()),
        "texture": _moment_distance(_moments(seen), target.moments),
        "content": 1 - _correlation(seen[deepest], wanted),
    }
    if anchors is not None:
        parts["anchor"] = _mean_psnr(outputs, anchors, STAND_IN_ERROR)
        parts["anchor_difference"] = _mean_difference(outputs, anchors, STAND_IN_DELTA_E)
        parts |= appearance_beside(outputs, anchors).to_dict()
    if synthetic is not None:
        made, photos = synthetic[0].clamp(0, 1), synthetic[1]
        parts |= {"synthetic": _mean_psnr(made, photos), "synthetic_difference": _mean_difference(made, photos)}
    return {"quality": reference_free_quality(parts, weights), **parts}


def reference_free_quality(parts: Mapping[str, float], weights: ReferenceFreeWeights | None = None) -> float:
    """The score of parts that `reference_free_score` gave; what is not among them counts nothing."""
    weights = weights or ReferenceFreeWeights()
    likeness = _stand_ins(parts, "fidelity", "anchor", "synthetic", weights.synthetic)
    difference = _stand_ins(parts, "difference", "anchor_difference", "synthetic_difference", weights.synthetic)
    distances = weights.color * parts["color"] + weights.texture * parts["texture"]
    distances += weights.content * _beyond(parts["content"], STAND_IN_CONTENT)
    return likeness - weights.difference * difference - distances - _look_penalty(parts, weights)


def _stand_ins(parts: Mapping[str, float], reference: str, anchor: str, synthetic: str, share: float) -> float:
    """The mean over real captures, each stand-in counting alike, mixed with that over synthetic ones.

    References and classical renderings count alike for a reason: who moves from one to the other gains nothing.
    """
    real = parts[reference] if anchor not in parts else (parts[reference] + parts[anchor]) / 2
    return real if synthetic not in parts else (1 - share) * real + share * parts[synthetic]


def _look_penalty(parts: Mapping[str, float], weights: ReferenceFreeWeights) -> float:
    """dB that a look costs; nothing without one."""
    if "cast_levels" not in parts:
        return 0.0
    octaves = math.log2(max(parts["chroma_ratio"], 0.05))
    chroma = max(-octaves, octaves - math.log2(USUAL_CHROMA), 0.0)
    clipped = max(parts["blown_share"], 0.0) + max(parts["crushed_share"], 0.0)
    return (
        weights.cast * _beyond(parts["cast_levels"], USUAL_CAST_LEVELS)
        + weights.tinted * parts["tinted_share"]
        + weights.chroma * chroma
        + weights.exposure * _beyond(parts["exposure_stops"], USUAL_STOPS)
        + weights.clipped * clipped
    )


def _beyond(value: float, usual: float) -> float:
    """About 0 for what is usual, and as much more for what is far beyond; it rises everywhere."""
    return math.hypot(value, usual) - usual


def _mean_psnr(pictures: Tensor, wanted: Tensor, own: float = 0.0) -> float:
    """Mean over pictures in 0..1 of the PSNR of each, in dB; `own` is the error of what is wanted."""
    errors = ((pictures - wanted).square().mean((1, 2, 3)) + own).clamp_min(LEAST_ERROR)
    return float(-10 * errors.log10().mean())


def _mean_difference(pictures: Tensor, wanted: Tensor, own: float = 0.0) -> float:
    """Mean CIEDE2000 of every second row and column; `own` is that of what is wanted."""
    first, second = (srgb_to_lab(images[..., ::2, ::2]) for images in (pictures, wanted))
    return math.hypot(float(ciede2000(first, second).mean()), own)


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
