"""A quality score that needs no true picture: does the output look like the photos, and does it show the RAW?"""

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from nas_isp.evaluation.color import luma_picture, srgb_to_lab
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.settings import Settings

DIRECTIONS = 64
QUANTILES = 256


class ReferenceFreeWeights(Settings):
    """How the distances are weighed."""

    color: Annotated[float, Field(ge=0, description="Per unit of Lab sliced Wasserstein distance.")] = 0.1
    texture: Annotated[float, Field(ge=0, description="Per unit of feature moment distance.")] = 1.0
    content: Annotated[float, Field(ge=0, description="Per unit of content distance.")] = 1.0
    fidelity: Annotated[float, Field(ge=0, description="Per unit of Lab distance to the reference.")] = 0.05
    synthetic: Annotated[float, Field(ge=0, description="Per unit of Lab distance to photos on synthetic RAW.")] = 0.2


@dataclass(frozen=True)
class TargetStatistics:
    """What the photos look like, in numbers.

    Attributes:
        color_quantiles: `(QUANTILES, DIRECTIONS)` of Lab colours along fixed directions.
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
    """Score generated pictures; `quality` is 0 at best and negative otherwise.

    Args:
        outputs: generated sRGB pictures `(N, 3, H, W)`.
        references: content references of the same RAW, `(N, 3, H, W)`.
        target: statistics of the photos.
        synthetic: pictures generated from synthetic RAW of photos, and those photos, both `(M, 3, H, W)`.

    Returns:
        `quality`, and the distances it is the negative weighted sum of: `color` (sliced Wasserstein distance of 4x4
        means in Lab), `texture` (feature moments, relative to the photos' spread), `content` (1 - correlation of deep
        luma features with the reference's, averaged over pictures), `fidelity` (mean Lab distance of 4x4 means to the
        reference's: a network too small to keep colours apart loses here, whatever its colour distribution), and
        `synthetic`, where such pairs are given (mean Lab distance pixel by pixel).
    """
    weights = weights or ReferenceFreeWeights()
    outputs = outputs.clamp(0, 1)
    color = float((_color_quantiles(outputs) - target.color_quantiles).abs().mean())
    seen, deepest = features(luma_picture(outputs)), features.layers[-1]
    texture = _moment_distance(_moments(seen), target.moments)
    content = 1 - _correlation(seen[deepest], features(luma_picture(references), (deepest,))[deepest])
    fidelity = float(torch.linalg.vector_norm(_block_lab(outputs) - _block_lab(references), dim=1).mean())
    distances = {"color": color, "texture": texture, "content": content, "fidelity": fidelity}
    if synthetic is not None:
        lab = [srgb_to_lab(pictures.clamp(0, 1)) for pictures in synthetic]
        distances["synthetic"] = float(torch.linalg.vector_norm(lab[0] - lab[1], dim=1).mean())
    return {"quality": -sum(getattr(weights, name) * value for name, value in distances.items()), **distances}


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
