"""Menon's demosaicing keeps what was sampled, is exact on flat color, and beats linear filters at edges."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from nas_isp.raw.demosaic import demosaic_bilinear, demosaic_malvar
from nas_isp.raw.menon import demosaic_menon


def _packed(rgb: Tensor) -> Tensor:
    """RGGB planes of pictures `(B, 3, H, W)`."""
    red, green, blue = rgb.unbind(1)
    return torch.stack((red[:, ::2, ::2], green[:, ::2, 1::2], green[:, 1::2, ::2], blue[:, 1::2, 1::2]), 1)


@settings(deadline=None)
@given(st.tuples(*[st.floats(0, 1)] * 3), st.integers(2, 6), st.integers(2, 6))
def test_flat_color_comes_back(color: tuple[float, float, float], height: int, width: int) -> None:
    flat = torch.tensor(color).view(1, 3, 1, 1).expand(1, 3, 2 * height, 2 * width)
    torch.testing.assert_close(demosaic_menon(_packed(flat)), flat, rtol=0, atol=1e-5)


def test_edges_of_both_directions_are_sharper_than_with_linear_filters() -> None:
    at = torch.arange(48)
    stripes = (0.15 + 0.7 * ((at % 7) < 3)).expand(48, 48)
    for gray in (stripes, stripes.T):
        rgb = gray * torch.tensor([0.9, 0.7, 0.5]).view(1, 3, 1, 1)
        error = {
            way: float((way(_packed(rgb)) - rgb)[..., 8:-8, 8:-8].square().mean())
            for way in (demosaic_bilinear, demosaic_malvar, demosaic_menon)
        }
        assert error[demosaic_menon] < 0.5 * error[demosaic_malvar] < 0.5 * error[demosaic_bilinear]


def test_the_samples_of_green_sites_are_untouched() -> None:
    packed = torch.rand(2, 4, 8, 9, generator=torch.Generator().manual_seed(0))
    green = demosaic_menon(packed)[:, 1]
    torch.testing.assert_close(green[:, ::2, 1::2], packed[:, 1])
    torch.testing.assert_close(green[:, 1::2, ::2], packed[:, 2])
