"""The loss terms of this package, members of `LOSSES`."""

from torch import Tensor
from torch.nn import functional

from nas_isp.training.color_losses import histogram_distance, moment_distance, sliced_wasserstein_distance
from nas_isp.training.discriminators import relativistic_loss
from nas_isp.training.loss_term import CONTENT_VIEW, LossInputs, LossTerm


def low_frequency_distance(first: Tensor, second: Tensor) -> Tensor:
    """L1 distance of 4x4 means: holds colors and structure in place but leaves texture free."""
    return functional.l1_loss(functional.avg_pool2d(first, 4), functional.avg_pool2d(second, 4))


def total_variation(images: Tensor) -> Tensor:
    """Mean squared difference of neighbors, down and right."""
    down = (images[..., 1:, :] - images[..., :-1, :]).square().mean()
    right = (images[..., :, 1:] - images[..., :, :-1]).square().mean()
    return down + right


def _pixel(inputs: LossInputs) -> Tensor:
    return low_frequency_distance(inputs.generated, inputs.references)


def _total_variation(inputs: LossInputs) -> Tensor:
    return total_variation(inputs.generated)


def _content(inputs: LossInputs) -> Tensor:
    assert inputs.reference_content is not None
    return functional.mse_loss(inputs.views[CONTENT_VIEW], inputs.reference_content)


def _judged(inputs: LossInputs, view: str) -> Tensor:
    """How far the generated pictures are from passing for photos before a view's discriminator."""
    judge = inputs.discriminators[view]
    loss: Tensor = relativistic_loss(judge(inputs.views[view]), judge(inputs.photo_views[view]).detach())
    return loss


def _texture(inputs: LossInputs) -> dict[str, Tensor]:
    return {"fine": _judged(inputs, "texture_fine"), "coarse": _judged(inputs, "texture_coarse")}


def _color(inputs: LossInputs) -> Tensor:
    return _judged(inputs, "color")


def _moments(inputs: LossInputs) -> Tensor:
    return moment_distance(inputs.colors, inputs.photo_colors)


def _color_histogram(inputs: LossInputs) -> Tensor:
    return histogram_distance(inputs.colors, inputs.photo_colors)


def _sliced_wasserstein(inputs: LossInputs) -> Tensor:
    return sliced_wasserstein_distance(inputs.colors, inputs.photo_colors)


def _synthetic(inputs: LossInputs) -> Tensor:
    assert inputs.synthetic is not None
    return functional.l1_loss(*inputs.synthetic)


CONTENT = LossTerm(_content, views=(CONTENT_VIEW,))
"""Squared distance of features to those of the content reference."""

PIXEL = LossTerm(_pixel)
"""L1 distance of 4x4 means to the content reference."""

TOTAL_VARIATION = LossTerm(_total_variation)
"""Squared total variation of the generated pictures."""

TEXTURE = LossTerm(
    _texture, views=("texture_fine", "texture_coarse"), discriminators=("texture_fine", "texture_coarse")
)
"""Both texture discriminators, each with the weight of the term."""

COLOR = LossTerm(_color, views=("color",), discriminators=("color",))
"""The color discriminator."""

MOMENTS = LossTerm(_moments)
"""Mean and covariance of Lab colors against the photos'."""

COLOR_HISTOGRAM = LossTerm(_color_histogram)
"""Histograms of L and of a, b against the photos'."""

SLICED_WASSERSTEIN = LossTerm(_sliced_wasserstein)
"""Distance of Lab color distributions."""

SYNTHETIC = LossTerm(_synthetic, synthetic_pairs=True)
"""L1 distance to photos, from synthetic RAW of them."""
