"""How far the colors of generated pictures are from those of photos, as differentiable distances of distributions.

All look at CIE Lab of 4x4 means, divided by 100. Moments, histograms: after the statistical losses of arXiv 2605.07495.
"""

import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.evaluation.color import srgb_to_lab

BLOCK = 4
DIRECTIONS = 32
LIGHTNESS_BINS = 32
CHROMA_BINS = 16
CHROMA_LIMIT = 0.8


def block_lab(images: Tensor) -> Tensor:
    """Lab / 100 of 4x4 means of sRGB images `(B, 3, H, W)`, as colors `(N, 3)`."""
    return (srgb_to_lab(functional.avg_pool2d(images, BLOCK)) / 100).permute(0, 2, 3, 1).reshape(-1, 3)


def moment_distance(colors: Tensor, wanted: Tensor) -> Tensor:
    """L1 distance of mean and covariance of colors `(N, 3)` and `(M, 3)`."""
    mean_distance = (colors.mean(0) - wanted.mean(0)).abs().sum()
    return mean_distance + (_covariance(colors) - _covariance(wanted)).abs().sum()


def histogram_distance(colors: Tensor, wanted: Tensor) -> Tensor:
    """L1 distance of the histograms of L and of (a, b); neighboring bins share a color, so gradients exist."""
    pairs = zip(_histograms(colors), _histograms(wanted), strict=True)
    return torch.stack([(shares - wanted_shares).abs().sum() for shares, wanted_shares in pairs]).sum()


def sliced_wasserstein_distance(colors: Tensor, wanted: Tensor) -> Tensor:
    """Mean L1 distance of sorted projections on fixed directions, of equally large samples `(N, 3)`.

    Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures", 2015.
    """
    directions = torch.randn(3, DIRECTIONS, generator=torch.Generator().manual_seed(0)).to(colors, non_blocking=True)
    directions = directions / directions.norm(dim=0, keepdim=True)
    ordered, ordered_wanted = ((directions.T @ sample.T).sort(1).values for sample in (colors, wanted))
    return (ordered - ordered_wanted).abs().mean()


def _covariance(colors: Tensor) -> Tensor:
    centerd = colors - colors.mean(0)
    return centerd.T @ centerd / len(colors)


def _histograms(colors: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of L `(32,)` and of (a, b) `(16, 16)`, each of sum 1."""
    lightness = _membership(colors[:, 0], 0.0, 1.0, LIGHTNESS_BINS)
    a, b = (_membership(colors[:, at], -CHROMA_LIMIT, CHROMA_LIMIT, CHROMA_BINS) for at in (1, 2))
    return lightness.mean(0), a.T @ b / len(colors)


def _membership(values: Tensor, low: float, high: float, bins: int) -> Tensor:
    """Share of each value `(N,)` in each bin, `(N, bins)`: linear between the two nearest centers."""
    places = (values.clamp(low, high) - low) / (high - low) * (bins - 1)
    centers = torch.arange(bins, device=values.device, dtype=values.dtype)
    return (1 - (places[:, None] - centers).abs()).clamp_min(0)
