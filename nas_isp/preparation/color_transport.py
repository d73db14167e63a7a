"""One global color transport from rendered RAW to the target photos, fitted without pairs.

The map is a polynomial of 13 terms a channel; it is fitted so that the distribution of its colors matches that of the
photos (sliced Wasserstein distance; Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures", 2015).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

FIT_STEPS = 300
SAMPLES = 1024
PROJECTIONS = 16
ANCHOR_WEIGHT = 2.0
LEAST_FAITHFULNESS = 0.2
FAITHFULNESS_OF_ONE = 10.0


@dataclass(frozen=True)
class ColorTransport:
    """A polynomial color map.

    Attributes:
        coefficients: `(13, 3)`; rows are 1, the channels, their squares, their products RG, GB, BR and their cubes.
    """

    coefficients: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Map sRGB images `(B, 3, H, W)`; the result is clipped to 0..1."""
        terms = _terms(images.permute(0, 2, 3, 1))
        return (terms @ self.coefficients.to(images)).permute(0, 3, 1, 2).clamp(0, 1)


def identity_transport() -> ColorTransport:
    """The map that changes nothing (but clips)."""
    coefficients = torch.zeros(13, 3)
    coefficients[1:4] = torch.eye(3)
    return ColorTransport(coefficients)


def faithfulness(captures: int) -> float:
    """How strongly a transport has to keep hues: three captures of meadows say nothing about how grass should look."""
    return LEAST_FAITHFULNESS + FAITHFULNESS_OF_ONE / captures


def fit_transport(
    rendered: Tensor, photos: Tensor, seed: int, faithful: float = 0.0, steps: int = FIT_STEPS
) -> ColorTransport:
    """Fit the transport from colors `(N, 3)` of rendered RAW to colors `(M, 3)` of photos, both sRGB 0..1.

    Black and white are anchored, so that shadows stay dark and saturated highlights stay white.

    Args:
        faithful: weight of keeping each color's differences R - G and B - G up to one common factor, the saturation;
            tones stay free. See `faithfulness`.
    """
    generator = torch.Generator().manual_seed(seed)
    coefficients = identity_transport().coefficients.clone().requires_grad_()
    anchors = _terms(torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))
    saturation = torch.ones((), requires_grad=True)
    optimizer = torch.optim.Adam([coefficients, saturation], lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=2e-4)
    source = _terms(rendered)
    for _ in range(steps):
        drawn = torch.randint(len(source), (SAMPLES,), generator=generator)
        mapped = source[drawn] @ coefficients
        target = photos[torch.randint(len(photos), (SAMPLES,), generator=generator)]
        black, white = anchors @ coefficients
        outside = functional.relu(black - 0.02).sum() + functional.relu(0.98 - white).sum()
        tint = (_differences(mapped) - saturation * _differences(rendered[drawn])).abs().mean()
        loss = sliced_wasserstein(mapped, target, generator) + ANCHOR_WEIGHT * outside + faithful * tint
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return ColorTransport(coefficients.detach())


def sliced_wasserstein(
    first: Tensor, second: Tensor, generator: torch.Generator, projections: int = PROJECTIONS
) -> Tensor:
    """Mean L1 sliced Wasserstein distance of two equally large samples `(N, D)` over random directions."""
    directions = torch.randn(first.shape[1], projections, generator=generator).to(first, non_blocking=True)
    directions = directions / directions.norm(dim=0, keepdim=True)
    ordered_first, ordered_second = ((directions.T @ sample.T).sort(1).values for sample in (first, second))
    return (ordered_first - ordered_second).abs().mean()


def block_colors(images: Tensor, block: int = 4) -> Tensor:
    """Means of `block` x `block` pixels of images `(B, 3, H, W)`, as colors `(N, 3)`."""
    return functional.avg_pool2d(images, block).permute(0, 2, 3, 1).reshape(-1, 3)


def _differences(colors: Tensor) -> Tensor:
    """R - G and B - G."""
    return colors[:, (0, 2)] - colors[:, 1:2]


def _terms(colors: Tensor) -> Tensor:
    r, g, b = colors.unbind(-1)
    one = torch.ones_like(r)
    return torch.stack((one, r, g, b, r * r, g * g, b * b, r * g, g * b, b * r, r**3, g**3, b**3), -1)
