"""Noise is found in captures with detail, and its parts are never negative."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.raw.noise import BLOCK, FLAT_SHARE, FLAT_VARIANCE, _residual, estimate_noise


def _capture(shot: float, read: float, seed: int = 0) -> Tensor:
    """Ramps and a few hard edges of all brightnesses, with noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = functional.interpolate(torch.rand(4, 4, 6, 6, generator=generator) * 0.8, size=128, mode="bilinear")
    coarse[:, :, 40:60] *= 0.6
    noise = torch.randn(coarse.shape, generator=generator)
    return coarse + (shot * coarse + read).sqrt() * noise


@pytest.mark.parametrize(("shot", "read"), [(2e-3, 1e-5), (4e-4, 1e-4)])
def test_noise_that_was_added_is_found_again(shot: float, read: float) -> None:
    level = estimate_noise(_capture(shot, read))
    assert level is not None
    for brightness in (0.1, 0.5):
        wanted = shot * brightness + read
        assert level.shot * brightness + level.read == pytest.approx(wanted, rel=0.15)


def test_pure_shot_noise_gives_no_negative_read_noise() -> None:
    level = estimate_noise(_capture(3e-3, 0.0))
    assert level is not None
    assert level.read >= 0
    assert level.shot == pytest.approx(3e-3, rel=0.15)


def test_the_flat_quantile_is_that_of_pure_noise() -> None:
    noise = torch.randn(64, 1, 130, 130, generator=torch.Generator().manual_seed(1))
    variance = functional.avg_pool2d(_residual(noise).square(), BLOCK).flatten()
    assert float(variance.quantile(FLAT_SHARE)) == pytest.approx(FLAT_VARIANCE, rel=0.01)


def test_saturated_captures_say_nothing() -> None:
    assert estimate_noise(torch.ones(1, 4, 64, 64)) is None
