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


def _synthetic(inputs: LossInputs) -> Tensor:
    assert inputs.synthetic is not None
    return functional.l1_loss(*inputs.synthetic)


CONTENT = LossTerm(_content, views=(CONTENT_VIEW,))
"""Squared distance of features to those of the content reference."""

PIXEL = LossTerm(lambda inputs: low_frequency_distance(inputs.generated, inputs.references))
"""L1 distance of 4x4 means to the content reference."""

TOTAL_VARIATION = LossTerm(lambda inputs: total_variation(inputs.generated))
"""Squared total variation of the generated pictures."""

TEXTURE = LossTerm(
    _texture, views=("texture_fine", "texture_coarse"), discriminators=("texture_fine", "texture_coarse")
)
"""Both texture discriminators, each with the weight of the term."""

COLOR = LossTerm(lambda inputs: _judged(inputs, "color"), views=("color",), discriminators=("color",))
"""The color discriminator."""

MOMENTS = LossTerm(lambda inputs: moment_distance(inputs.colors, inputs.photo_colors))
"""Mean and covariance of Lab colors against the photos'."""

COLOR_HISTOGRAM = LossTerm(lambda inputs: histogram_distance(inputs.colors, inputs.photo_colors))
"""Histograms of L and of a, b against the photos'."""

SLICED_WASSERSTEIN = LossTerm(lambda inputs: sliced_wasserstein_distance(inputs.colors, inputs.photo_colors))
"""Distance of Lab color distributions."""

SYNTHETIC = LossTerm(_synthetic, synthetic_pairs=True)
"""L1 distance to photos, from synthetic RAW of them."""
