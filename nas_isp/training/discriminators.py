"""Discriminators that see features of frozen networks, never pixels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.recipe import ColorSettings, TextureSettings, TrainSettings

SLOPE = 0.2
DENSE_WIDTH = 1024


class LocalTextureDiscriminator(nn.Module):
    """Judges feature maps of luma: strided convolutions and a mean of local verdicts."""

    def __init__(self, channels: int, widths: Sequence[int] = (32, 48, 64)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
            channels = width
        self.body = nn.Sequential(*layers)
        self.verdict = nn.Conv2d(channels, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Features `(B, C, h, w)` to one verdict an image, `(B,)`."""
        return self.verdict(self.body(features)).mean((1, 2, 3))


class DenseTextureDiscriminator(nn.Module):
    """Judges feature maps of one size as a whole: five convolutions and a dense layer, as in arXiv 2505.10420.

    Attributes:
        dense: the layer that the published code makes only after its optimizer, and so never trains.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        """For maps of a shape (C, h, w)."""
        super().__init__()
        channels, height, width = shape
        layers: list[nn.Module] = []
        for outputs, kernel, stride in ((48, 5, 2), (128, 3, 2), (192, 3, 1), (192, 3, 1), (128, 3, 2)):
            layers += [nn.Conv2d(channels, outputs, kernel, stride, padding=kernel // 2), nn.LeakyReLU(SLOPE)]
            channels, height, width = outputs, -(-height // stride), -(-width // stride)
        self.body = nn.Sequential(*layers)
        self.dense = nn.Linear(channels * height * width, DENSE_WIDTH)
        self.verdict = nn.Linear(DENSE_WIDTH, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Features `(B, C, h, w)` to one verdict an image, `(B,)`."""
        hidden = functional.leaky_relu(self.dense(self.body(features).flatten(1)), SLOPE)
        return self.verdict(hidden)[:, 0]


class ColorDiscriminator(nn.Module):
    """Judges features and colors of a blurred picture, position by position."""

    def __init__(self, channels: int, width: int = 64, activation: str = "leaky-relu") -> None:
        super().__init__()
        rectified = nn.ReLU() if activation == "relu" else nn.LeakyReLU(SLOPE)
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 1), rectified, nn.Conv2d(width, width, 1), rectified, nn.Conv2d(width, 1, 1)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features `(B, C, h, w)` to one verdict an image, `(B,)`."""
        return self.body(features).mean((1, 2, 3))


def build_discriminators(settings: TrainSettings, shapes: dict[str, tuple[int, int, int]]) -> nn.ModuleDict:
    """A discriminator for each view; `shapes` are those of the views (C, h, w), by name."""
    return nn.ModuleDict({name: _discriminator(name, settings, shape) for name, shape in shapes.items()})


def relativistic_loss(better: Tensor, worse: Tensor) -> Tensor:
    """How far `better` verdicts are from beating `worse` ones, pair by pair (R3GAN, arXiv 2501.05441)."""
    return functional.softplus(worse - better).mean()


def discriminator_loss(discriminator: nn.Module, real: Tensor, fake: Tensor, penalty: float) -> Tensor:
    """Relativistic loss with the zero-centerd penalties R1 and R2 on the feature maps.

    Args:
        real, fake: feature maps `(B, C, h, w)`; no gradient reaches what they were computed from.
        penalty: weight of half the squared gradient norms, per image.
    """
    # One pass over both halves: they never meet before the loss.
    maps = torch.cat((real.detach(), fake.detach())).float().requires_grad_()
    verdicts = discriminator(maps)
    loss = relativistic_loss(verdicts[: len(real)], verdicts[len(real) :])
    if penalty == 0:
        return loss
    (gradient,) = torch.autograd.grad(verdicts.sum(), maps, create_graph=True)
    return loss + penalty / 2 * gradient.square().sum() / len(real)


def _discriminator(name: str, settings: TrainSettings, shape: tuple[int, int, int]) -> nn.Module:
    if name == "color":
        return _color_discriminator(settings.color, shape)
    return _texture_discriminator(settings.texture, shape)


def _color_discriminator(settings: ColorSettings, shape: tuple[int, int, int]) -> nn.Module:
    return ColorDiscriminator(shape[0], settings.width, settings.activation)


def _texture_discriminator(settings: TextureSettings, shape: tuple[int, int, int]) -> nn.Module:
    if settings.discriminator == "dense":
        return DenseTextureDiscriminator(shape)
    return LocalTextureDiscriminator(shape[0])
