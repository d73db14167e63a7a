"""What the frozen networks and discriminators see of a picture, and the generator's loss terms."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.adversarial.discriminators import (
    ColorDiscriminator,
    TextureDiscriminator,
    discriminator_loss,
    relativistic_loss,
)
from nas_isp.evaluation.color import luma_picture
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.recipe import TermWeights

COLOR_GAIN = 4.0


@dataclass(frozen=True)
class Views:
    """Feature maps of a batch of pictures.

    Attributes:
        content: deep features of luma, for the content term.
        inputs: discriminator name -> its feature map.
    """

    content: Tensor
    inputs: dict[str, Tensor]


def view(images: Tensor, features: FeatureNetwork) -> Views:
    """Look at sRGB images `(B, 3, H, W)`: one frozen pass over luma, one over a small blurred picture."""
    shallow, middle, deep = features.layers[0], features.layers[len(features.layers) // 2], features.layers[-1]
    seen = features(luma_picture(images))
    small = _blur(functional.avg_pool2d(images, 2))
    tokens = features(small, (middle,))[middle]
    colors = functional.adaptive_avg_pool2d(small, tokens.shape[-2:]) - 0.5
    return Views(
        content=seen[deep],
        inputs={
            "texture_fine": seen[shallow],
            "texture_coarse": seen[middle],
            "color": torch.cat((tokens, colors * COLOR_GAIN), 1),
        },
    )


def content_features(images: Tensor, features: FeatureNetwork) -> Tensor:
    """The feature map that the content term compares; equals `view(...).content`."""
    return features(luma_picture(images), (features.layers[-1],))[features.layers[-1]]


def build_discriminators(features: FeatureNetwork) -> nn.ModuleDict:
    """One discriminator for each of `Views.inputs`."""
    shallow, middle = features.layers[0], features.layers[len(features.layers) // 2]
    return nn.ModuleDict(
        {
            "texture_fine": TextureDiscriminator(features.channels[shallow]),
            "texture_coarse": TextureDiscriminator(features.channels[middle]),
            "color": ColorDiscriminator(features.channels[middle] + 3),
        }
    )


def generator_terms(
    output: Tensor,
    reference: Tensor,
    content_target: Tensor,
    real: Views,
    features: FeatureNetwork,
    discriminators: nn.ModuleDict,
    weights: TermWeights,
) -> tuple[dict[str, tuple[Tensor, float]], Views]:
    """The weighted terms of one generator step, and the views of the output.

    Args:
        output: generated pictures `(B, 3, H, W)`, the leaf that all terms depend on.
        reference: content references of the same RAW, sRGB `(B, 3, H, W)`.
        content_target: their `content_features`.
        real: views of target photos.
    """
    fake = view(output, features)
    terms = {
        "content": (functional.mse_loss(fake.content, content_target), weights.content),
        "pixel": (low_frequency_distance(output, reference), weights.pixel),
        "total_variation": (total_variation(output), weights.total_variation),
    }
    for name, weight in judged(weights).items():
        judge = discriminators[name]
        terms[name] = (relativistic_loss(judge(fake.inputs[name]), judge(real.inputs[name])), weight)
    return {name: term for name, term in terms.items() if term[1] > 0}, fake


def judged(weights: TermWeights) -> dict[str, float]:
    """The discriminators that take part, with their terms' weights."""
    all_of_them = {"texture_fine": weights.texture, "texture_coarse": weights.texture, "color": weights.color}
    return {name: weight for name, weight in all_of_them.items() if weight > 0}


def discriminators_loss(
    discriminators: nn.ModuleDict, names: Iterable[str], real: Views, fake: Views, penalty: float
) -> Tensor:
    """Sum of the named discriminators' losses; see `discriminator_loss`."""
    losses = [discriminator_loss(discriminators[name], real.inputs[name], fake.inputs[name], penalty) for name in names]
    return torch.stack(losses).sum()


def low_frequency_distance(first: Tensor, second: Tensor) -> Tensor:
    """L1 distance of 4x4 means: holds colours and structure in place but leaves texture free."""
    return functional.l1_loss(functional.avg_pool2d(first, 4), functional.avg_pool2d(second, 4))


def total_variation(images: Tensor) -> Tensor:
    """Mean squared difference of neighbours, down and right."""
    down = (images[..., 1:, :] - images[..., :-1, :]).square().mean()
    right = (images[..., :, 1:] - images[..., :, :-1]).square().mean()
    return down + right


def _blur(images: Tensor, sigma: float = 1.5, radius: int = 4) -> Tensor:
    at = torch.arange(-radius, radius + 1, dtype=images.dtype, device=images.device)
    line = torch.exp(-0.5 * (at / sigma) ** 2)
    line = (line / line.sum()).repeat(images.shape[1], 1, 1, 1)
    padded = functional.pad(images, (radius,) * 4, mode="replicate")
    across = functional.conv2d(padded, line, groups=images.shape[1])
    return functional.conv2d(across, line.transpose(2, 3), groups=images.shape[1])
