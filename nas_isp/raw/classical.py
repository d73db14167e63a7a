"""Classical rendering: white balance, demosaicing, color matrix and the sRGB curve.

The reference for content, the baseline of every quality table, and the plain picture of a RAW file.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.raw.demosaic import DEMOSAIC, demosaic_bilinear, demosaic_malvar
from nas_isp.raw.image import RawImage
from nas_isp.raw.light_estimator import estimate_light
from nas_isp.raw.orientation import as_meant
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.saturation import packed_saturation

__all__ = [
    "DEMOSAIC",
    "decode_srgb",
    "demosaic_bilinear",
    "demosaic_malvar",
    "encode_srgb",
    "render",
    "render_image",
]

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

    As-shot white balance and the file's color matrix are used where there are any; otherwise the estimated light and
    the camera's own colors. A phase other than RGGB costs one row and/or column on both sides.

    Args:
        raw: the picture.
        demosaic: a name in `DEMOSAIC`.
        auto_exposure: brighten a dark picture, by at most 16 times, until the 99th percentile of its brightest
            white-balanced channel reaches 0.95 of white; never darkens.
    """
    aligned = align_to_rggb(raw)
    planes, saturation = pack(aligned), packed_saturation(aligned)
    gains = torch.tensor(raw.white_balance or estimate_light(planes, saturation=saturation))
    packed = torch.from_numpy(planes)[None] / saturation
    matrix = None if raw.color_matrix is None else torch.from_numpy(raw.color_matrix)
    exposure = _auto_exposure(packed, gains) if auto_exposure else 1.0
    rgb = render(packed, gains, matrix, demosaic, exposure)[0]
    pixels = (rgb * 255).round_().to(torch.uint8).permute(1, 2, 0).numpy()
    return as_meant(pixels, aligned)


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
