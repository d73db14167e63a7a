"""Discriminators that see features of frozen networks, never pixels."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class TextureDiscriminator(nn.Module):
    """Judges feature maps of luma: strided convolutions and a mean of local verdicts."""

    def __init__(self, channels: int, widths: Sequence[int] = (32, 48, 64)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in widths:
            layers += [nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
            channels = width
        self.body = nn.Sequential(*layers)
        self.verdict = nn.Conv2d(channels, 1, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Features `(B, C, h, w)` to one verdict an image, `(B,)`."""
        return self.verdict(self.body(features)).mean((1, 2, 3))


class ColorDiscriminator(nn.Module):
    """Judges features and colours of a blurred picture, position by position."""

    def __init__(self, channels: int, width: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 1, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features `(B, C, h, w)` to one verdict an image, `(B,)`."""
        return self.body(features).mean((1, 2, 3))


def relativistic_loss(better: Tensor, worse: Tensor) -> Tensor:
    """How far `better` verdicts are from beating `worse` ones, pair by pair (R3GAN, arXiv 2501.05441)."""
    return functional.softplus(worse - better).mean()


def discriminator_loss(discriminator: nn.Module, real: Tensor, fake: Tensor, penalty: float) -> Tensor:
    """Relativistic loss with the zero-centred penalties R1 and R2 on the feature maps.

    Args:
        real, fake: feature maps `(B, C, h, w)`; no gradient reaches what they were computed from.
        penalty: weight of half the squared gradient norms, per image.
    """
    # Maps that a frozen network made in reduced precision: second derivatives want the full one.
    real, fake = real.detach().float().requires_grad_(), fake.detach().float().requires_grad_()
    verdict_real, verdict_fake = discriminator(real), discriminator(fake)
    loss = relativistic_loss(verdict_real, verdict_fake)
    if penalty == 0:
        return loss
    total = verdict_real.sum() + verdict_fake.sum()
    gradients = torch.autograd.grad(total, (real, fake), create_graph=True)
    norms = sum(gradient.square().sum((1, 2, 3)).mean() for gradient in gradients)
    return loss + penalty / 2 * norms
