"""Luma, CIE Lab (D65) and the CIEDE2000 color difference of sRGB images."""

from functools import cache

import torch
from torch import Tensor

from nas_isp.raw.classical import decode_srgb

_SRGB_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_WHITE_D65 = (0.95047, 1.0, 1.08883)
_LUMA = (0.299, 0.587, 0.114)
_LINEAR_BELOW = 216 / 24389
_SLOPE = 24389 / 27


def srgb_to_lab(images: Tensor) -> Tensor:
    """Lab of sRGB images `(B, 3, H, W)` in 0..1; L in 0..100."""
    linear = decode_srgb(images.clamp(0, 1))
    matrix = _constant(_SRGB_TO_XYZ, images.device, images.dtype)
    matrix = matrix / _constant(_WHITE_D65, images.device, images.dtype)[:, None]
    x, y, z = _compressed(torch.einsum("ij,bjhw->bihw", matrix, linear)).unbind(1)
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), 1)


def luma_picture(images: Tensor) -> Tensor:
    """Rec. 601 luma of sRGB images `(B, 3, H, W)`, repeated in three channels."""
    weights = _constant(_LUMA, images.device, images.dtype).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True).expand(-1, 3, -1, -1)


def lightness_picture(images: Tensor) -> Tensor:
    """L of CIE Lab divided by 100, repeated in three channels; goes on beyond 1 for values beyond white."""
    weights = _constant(_SRGB_TO_XYZ[1], images.device, images.dtype).view(1, 3, 1, 1)
    y = (decode_srgb(images.clamp_min(0)) * weights).sum(1, keepdim=True)
    return (1.16 * _compressed(y) - 0.16).expand(-1, 3, -1, -1)


def ciede2000(first: Tensor, second: Tensor) -> Tensor:
    """CIEDE2000 difference of two Lab images `(B, 3, H, W)`: `(B, H, W)`.

    Source: Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", Color Research & Application 30(1), 2005.
    """
    (l1, a1, b1), (l2, a2, b2) = first.unbind(1), second.unbind(1)
    c_mean7 = ((torch.hypot(a1, b1) + torch.hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * torch.sqrt(c_mean7 / (c_mean7 + 25.0**7))
    c1, c2 = torch.hypot(a1 * g, b1), torch.hypot(a2 * g, b2)
    h1, h2 = _hue_degrees(a1 * g, b1), _hue_degrees(a2 * g, b2)
    gray = c1 * c2 == 0

    turn = h2 - h1
    turn = torch.where(turn > 180, turn - 360, torch.where(turn < -180, turn + 360, turn))
    d_hue = 2 * torch.sqrt(c1 * c2) * torch.sin(torch.deg2rad(torch.where(gray, 0.0, turn) / 2))
    h_sum = h1 + h2
    wrapped = torch.where(h_sum < 360, h_sum + 360, h_sum - 360)
    h_mean = torch.where(gray, h_sum, torch.where((h1 - h2).abs() <= 180, h_sum, wrapped) / 2)

    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * _cos(h_mean - 30)
        + 0.24 * _cos(2 * h_mean)
        + 0.32 * _cos(3 * h_mean + 6)
        - 0.20 * _cos(4 * h_mean - 63)
    )
    from_50 = (l_mean - 50) ** 2
    s_l = 1 + 0.015 * from_50 / torch.sqrt(20 + from_50)
    s_c = 1 + 0.045 * c_mean
    s_h = 1 + 0.015 * c_mean * t
    rotation = torch.deg2rad(60 * torch.exp(-(((h_mean - 275) / 25) ** 2)))
    r_t = -2 * torch.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)) * torch.sin(rotation)
    d_l, d_c, d_h = (l2 - l1) / s_l, (c2 - c1) / s_c, d_hue / s_h
    return torch.sqrt((d_l**2 + d_c**2 + d_h**2 + r_t * d_c * d_h).clamp_min(0))


@cache
def _constant(values: tuple[object, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """Numbers on a device, made once: what puts them there waits until the device has finished its work."""
    with torch.inference_mode(False):
        return torch.tensor(values, device=device, dtype=dtype)


def _compressed(relative: Tensor) -> Tensor:
    """CIE's cube root, with its linear part near black, of XYZ relative to white."""
    cube_root = relative.clamp_min(_LINEAR_BELOW) ** (1 / 3)
    return torch.where(relative > _LINEAR_BELOW, cube_root, (_SLOPE * relative + 16) / 116)


def _hue_degrees(a: Tensor, b: Tensor) -> Tensor:
    return torch.rad2deg(torch.atan2(b, a)) % 360


def _cos(degrees: Tensor) -> Tensor:
    return torch.cos(torch.deg2rad(degrees))
