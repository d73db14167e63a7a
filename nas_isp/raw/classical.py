"""Classical rendering: white balance, demosaicing, color matrix and the sRGB curve.

The reference for content, the baseline of every quality table, and the plain picture of a RAW file.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nas_isp.raw.demosaic import DEMOSAIC, demosaic_bilinear, demosaic_malvar
from nas_isp.raw.image import RawImage
from nas_isp.raw.orientation import as_meant
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.saturation import packed_saturation

__all__ = [
    "DEMOSAIC",
    "decode_srgb",
    "demosaic_bilinear",
    "demosaic_malvar",
    "encode_srgb",
    "gray_world",
    "render",
    "render_image",
    "shades_of_gray",
]

SATURATED = 0.95
"""Share of the white level above which a sample says nothing about color."""

GAIN_LIMIT = 8.0
"""No light that people photograph in needs a larger white-balance gain, or a smaller one than its inverse."""

AUTO_EXPOSURE_PERCENTILE = 99.0
AUTO_EXPOSURE_TARGET = 0.95
AUTO_EXPOSURE_LIMIT = 16.0


def render(
    packed: Tensor,
    white_balance: Tensor,
    color_matrix: Tensor | None = None,
    demosaic: str = "malvar",
    exposure: float = 1.0,
) -> Tensor:
    """Develop packed RGGB planes `(B, 4, h, w)` to sRGB `(B, 3, 2h, 2w)` in 0..1.

    Gains are divided by the smallest and what lies beyond 1 is cut, so a saturated pixel is white, not magenta.

    Args:
        packed: (x - black) / (white - black), canonical order.
        white_balance: gains of R, G, B, `(3,)` or one row per picture `(B, 3)`.
        color_matrix: white-balanced camera RGB to linear sRGB, `(3, 3)` or `(B, 3, 3)`; None keeps camera colors.
        demosaic: a name in `DEMOSAIC`.
        exposure: factor on the linear values before they are cut.
    """
    gains = white_balance.to(packed).reshape(-1, 3)
    gains = exposure * gains / gains.amin(dim=1, keepdim=True)
    balanced = (packed.clamp(max=1.0) * gains[:, (0, 1, 1, 2), None, None]).clamp(max=1.0)
    linear = DEMOSAIC[demosaic](balanced)
    if color_matrix is not None:
        matrix = color_matrix.to(packed).reshape(-1, 3, 3).expand(len(linear), 3, 3)
        linear = torch.einsum("bij,bjhw->bihw", matrix, linear)
    return encode_srgb(linear.clamp(0.0, 1.0))


def render_image(raw: RawImage, demosaic: str = "malvar", auto_exposure: bool = False) -> NDArray[np.uint8]:
    """Develop a RAW picture to 8-bit sRGB `(H, W, 3)`, cropped and turned as the camera means it.

    As-shot white balance and the file's color matrix are used where there are any; otherwise gray world and
    the camera's own colors. A phase other than RGGB costs one row and/or column on both sides.

    Args:
        raw: the picture.
        demosaic: a name in `DEMOSAIC`.
        auto_exposure: brighten a dark picture, by at most 16 times, until the 99th percentile of its brightest
            white-balanced channel reaches 0.95 of white; never darkens.
    """
    aligned = align_to_rggb(raw)
    packed = torch.from_numpy(pack(aligned))[None] / packed_saturation(aligned)
    gains = gray_world(packed) if raw.white_balance is None else torch.tensor(raw.white_balance)
    matrix = None if raw.color_matrix is None else torch.from_numpy(raw.color_matrix)
    exposure = _auto_exposure(packed, gains) if auto_exposure else 1.0
    rgb = render(packed, gains, matrix, demosaic, exposure)[0]
    pixels = (rgb * 255).round_().to(torch.uint8).permute(1, 2, 0).numpy()
    return as_meant(pixels, aligned)


def gray_world(packed: Tensor) -> Tensor:
    """White-balance gains `(3,)` with G = 1 that make the mean of packed planes `(4, h, w)` or `(B, 4, h, w)` gray.

    Cells with a saturated sample are left out, and so are the darkest tenth, where an error of the black level
    dominates. Gains are held within 1/8..8; where no cell is left they are 1.
    """
    cells = packed.detach().float().reshape(-1, *packed.shape[-3:]).transpose(0, 1).flatten(1)  # (4, cells)
    cells = cells[:, cells.amax(dim=0) < SATURATED]
    if cells.shape[1] == 0:
        return torch.ones(3, device=packed.device)
    level = cells.sum(dim=0)
    darkest_tenth = level.kthvalue(1 + level.numel() // 10).values
    red, green1, green2, blue = cells[:, level >= darkest_tenth].mean(dim=1).clamp(min=1e-6)
    green = (green1 + green2) / 2
    return torch.stack((green / red, torch.ones_like(green), green / blue)).clamp(1 / GAIN_LIMIT, GAIN_LIMIT)


def shades_of_gray(packed: Tensor, power: float = 3.0) -> Tensor:
    """White-balance gains `(3,)` with G = 1 from one capture, by Minkowski means of 2x2 cell averages.

    Between gray world (power 1) and the brightest white (infinity): a meadow does not turn gray. Finlayson, Trezzi,
    "Shades of Gray and Color Constancy", Color Imaging Conference 2004. Cells with a saturated sample are left out;
    gains are held within 1/8..8, and are 1 where no cell is left.

    Args:
        packed: `(B, 4, h, w)`, patches of one capture.
    """
    means = functional.avg_pool2d(packed.detach().float(), 2).clamp(min=0)
    cells = means.transpose(0, 1).flatten(1)  # (4, cells)
    cells = cells[:, cells.amax(dim=0) < SATURATED]
    if cells.shape[1] == 0:
        return torch.ones(3, device=packed.device)
    red, green1, green2, blue = (cells**power).mean(dim=1).pow(1 / power).clamp(min=1e-6)
    green = (green1 + green2) / 2
    return torch.stack((green / red, torch.ones_like(green), green / blue)).clamp(1 / GAIN_LIMIT, GAIN_LIMIT)


def encode_srgb(linear: Tensor) -> Tensor:
    """The sRGB transfer curve (IEC 61966-2-1) of linear values in 0..1."""
    curved = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, 12.92 * linear, curved)


def decode_srgb(encoded: Tensor) -> Tensor:
    """Linear light of sRGB values from 0 on; the inverse of `encode_srgb`, which goes on beyond 1."""
    curved = ((encoded.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(encoded <= 0.04045, encoded / 12.92, curved)


def _auto_exposure(packed: Tensor, gains: Tensor) -> float:
    """Factor that brings the 99th percentile of the brightest balanced channel to 0.95, within 1..16."""
    brightest = (packed * (gains / gains.min())[[0, 1, 1, 2]][:, None, None]).amax(dim=1)
    high = float(np.percentile(brightest.numpy(), AUTO_EXPOSURE_PERCENTILE))
    return min(max(AUTO_EXPOSURE_TARGET / max(high, 1e-6), 1.0), AUTO_EXPOSURE_LIMIT)
