"""How noisy captures are: shot and read noise, estimated from the captures themselves."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.raw.saturation import SATURATED

BLOCK = 8
BINS = 16
FEWEST_BLOCKS = 64

FLAT_SHARE = 0.1
"""Share of the blocks of one brightness that are taken to show noise and nothing else."""

FLAT_VARIANCE = 0.628
"""The 0.1 quantile of the variance measured in blocks of pure noise of variance 1; a test measures it again."""


@dataclass(frozen=True)
class NoiseLevel:
    """Variance `shot * x + read` of a sample whose true value is x, in units of white - black."""

    shot: float
    read: float


def estimate_noise(packed: Tensor) -> NoiseLevel | None:
    """The noise of patches of one capture.

    The residual of a Laplacian that is blind to ramps (Immerkaer, "Fast Noise Variance Estimation", 1996) is taken in
    blocks of one plane; of the blocks of about equal brightness the flattest tenth decides.

    Args:
        packed: `(N, 4, h, w)`, (value - black) / (white - black), not clipped.

    Returns:
        None where fewer than 64 blocks are free of saturated samples.
    """
    planes = packed.detach().float().reshape(-1, 1, *packed.shape[-2:])
    inner = planes[..., 1:-1, 1:-1]
    variance = functional.avg_pool2d(_residual(planes).square(), BLOCK).flatten()
    brightness = functional.avg_pool2d(inner, BLOCK).flatten()
    usable = functional.max_pool2d(inner, BLOCK).flatten() < SATURATED
    variance, brightness = variance[usable], brightness[usable]
    if len(variance) < FEWEST_BLOCKS:
        return None
    bins = brightness.argsort().chunk(min(BINS, len(variance) // BINS))
    levels = torch.stack([brightness[members].mean() for members in bins])
    variances = torch.stack([variance[members].quantile(FLAT_SHARE) for members in bins]) / FLAT_VARIANCE
    return _line(levels.clamp(min=0).double(), variances.double())


def _residual(planes: Tensor) -> Tensor:
    kernel = torch.tensor([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]], device=planes.device) / 6
    return functional.conv2d(planes, kernel[None, None])


def _line(levels: Tensor, variances: Tensor) -> NoiseLevel:
    """Weighted least squares with neither coefficient below 0; relative errors count."""
    weights = 1 / (variances + 1e-9)
    design = torch.stack((levels, torch.ones_like(levels)), 1) * weights[:, None]
    wanted = variances * weights
    shot, read = torch.linalg.lstsq(design, wanted[:, None]).solution[:, 0].tolist()
    if shot < 0 or read < 0:
        alone = [float((column @ wanted) / (column @ column).clamp(min=1e-30)) for column in design.T]
        candidates = [(max(alone[0], 0.0), 0.0), (0.0, max(alone[1], 0.0))]
        shot, read = min(candidates, key=lambda pair: float((design @ design.new_tensor(pair) - wanted).square().sum()))
    return NoiseLevel(shot, read)
