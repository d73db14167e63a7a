"""The generator's loss terms."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from nas_isp.recipe import TermWeights
from nas_isp.training.color_losses import (
    block_lab,
    histogram_distance,
    moment_distance,
    sliced_wasserstein_distance,
)
from nas_isp.training.discriminators import relativistic_loss
from nas_isp.training.feature_views import Views

STATISTICS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "moments": moment_distance,
    "color_histogram": histogram_distance,
    "sliced_wasserstein": sliced_wasserstein_distance,
}


def generator_terms(
    output: Tensor,
    reference: Tensor,
    photos: Tensor,
    fake: Views,
    real: Views,
    content_target: Tensor | None,
    discriminators: nn.ModuleDict,
    weights: TermWeights,
) -> dict[str, tuple[Tensor, float]]:
    """The terms of one generator step as (value, weight), those of weight 0 left out.

    Args:
        output: generated pictures `(B, 3, H, W)`, the leaf that all terms depend on.
        reference: content references of the same RAW, sRGB `(B, 3, H, W)`.
        photos: target photos, sRGB `(B, 3, H, W)`.
        fake: views of `output`.
        real: views of `photos`.
        content_target: content view of the references; may be None where the content term has no weight.
    """
    terms: dict[str, tuple[Tensor, float]] = {}
    if weights.content > 0:
        assert content_target is not None
        terms["content"] = (functional.mse_loss(fake["content"], content_target), weights.content)
    if weights.pixel > 0:
        terms["pixel"] = (low_frequency_distance(output, reference), weights.pixel)
    if weights.total_variation > 0:
        terms["total_variation"] = (total_variation(output), weights.total_variation)
    for name, weight in judged(weights).items():
        judge = discriminators[name]
        terms[name] = (relativistic_loss(judge(fake[name]), judge(real[name]).detach()), weight)
    return terms | _statistics_terms(output, photos, weights)


def judged(weights: TermWeights) -> dict[str, float]:
    """The discriminators that take part, with their terms' weights."""
    all_of_them = {"texture_fine": weights.texture, "texture_coarse": weights.texture, "color": weights.color}
    return {name: weight for name, weight in all_of_them.items() if weight > 0}


def low_frequency_distance(first: Tensor, second: Tensor) -> Tensor:
    """L1 distance of 4x4 means: holds colors and structure in place but leaves texture free."""
    return functional.l1_loss(functional.avg_pool2d(first, 4), functional.avg_pool2d(second, 4))


def total_variation(images: Tensor) -> Tensor:
    """Mean squared difference of neighbors, down and right."""
    down = (images[..., 1:, :] - images[..., :-1, :]).square().mean()
    right = (images[..., :, 1:] - images[..., :, :-1]).square().mean()
    return down + right


def _statistics_terms(output: Tensor, photos: Tensor, weights: TermWeights) -> dict[str, tuple[Tensor, float]]:
    wanted = {name: getattr(weights, name) for name in STATISTICS if getattr(weights, name) > 0}
    if not wanted:
        return {}
    colors, target = block_lab(output), block_lab(photos)
    return {name: (STATISTICS[name](colors, target), weight) for name, weight in wanted.items()}
