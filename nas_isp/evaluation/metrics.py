"""Full-reference quality on 8-bit images, as a saved picture has them."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.errors import InputError
from nas_isp.evaluation.color import ciede2000, srgb_to_lab
from nas_isp.evaluation.lpips import Lpips

Image8 = NDArray[np.uint8]

SMALLEST_SSIM_SIDE = 6
"""The window of 11 pixels reaches 5 of them beyond the border, into the mirror image."""

SMALLEST_MS_SSIM_SIDE = 176
"""Halved four times, it leaves the 11 pixels of the window."""


@dataclass(frozen=True)
class Scores:
    """Means over images.

    `ms_ssim` is None where an image is smaller than 176 pixels, `lpips` below 31 pixels and without AlexNet's weights.
    """

    images: int
    psnr: float
    ssim: float
    ms_ssim: float | None
    delta_e00: float
    lpips: float | None = None

    def to_dict(self) -> dict[str, float | int | None]:
        """Plain values under the field names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def psnr(picture: Image8, truth: Image8) -> float:
    """Peak signal-to-noise ratio in dB of `(H, W, 3)` images; 100 for equal ones."""
    _check_alike(picture, truth)
    error = float(np.mean((picture.astype(np.float64) - truth.astype(np.float64)) ** 2))
    return 100.0 if error == 0 else float(10 * np.log10(255.0**2 / error))


def ssim(picture: Image8, truth: Image8) -> float:
    """Structural similarity (Gaussian window 11, sigma 1.5) of `(H, W, 3)` images, mean over channels.

    Raises:
        InputError: images with a side under 6 pixels, at whose borders the window cannot be mirrored.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    _check_alike(picture, truth)
    if min(picture.shape[:2]) < SMALLEST_SSIM_SIDE:
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise InputError(f"a picture of {size} pixels cannot be scored; give at least {SMALLEST_SSIM_SIDE} a side")
    value = structural_similarity_index_measure(_tensor(picture), _tensor(truth), data_range=1.0)
    assert isinstance(value, Tensor)
    return float(value)


def ms_ssim(picture: Image8, truth: Image8) -> float | None:
    """Multi-scale SSIM with five scales, or None for an image too small for them."""
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    _check_alike(picture, truth)
    if min(picture.shape[:2]) < SMALLEST_MS_SSIM_SIDE:
        return None
    value = multiscale_structural_similarity_index_measure(_tensor(picture), _tensor(truth), data_range=1.0)
    return float(value)


def delta_e00(picture: Image8, truth: Image8) -> float:
    """Mean CIEDE2000 over the pixels of `(H, W, 3)` images."""
    _check_alike(picture, truth)
    first, second = (srgb_to_lab(_tensor(image).double()) for image in (picture, truth))
    return float(ciede2000(first, second).mean())


def lpips_distance(picture: Image8, truth: Image8, lpips: Lpips | None) -> float | None:
    """LPIPS of `(H, W, 3)` images, or None for an image too small for it, or without its network."""
    _check_alike(picture, truth)
    if lpips is None or min(picture.shape[:2]) < lpips.smallest_side:
        return None
    return float(lpips(_tensor(picture), _tensor(truth)))


def mean_scores(pairs: Iterable[tuple[Image8, Image8]], lpips: Lpips | None = None) -> Scores:
    """Scores of (picture, truth) pairs, averaged over images; LPIPS only where it is given.

    Raises:
        InputError: no pair, shapes that differ, or pictures with a side under 6 pixels.
    """
    rows = [(psnr(p, t), ssim(p, t), delta_e00(p, t), ms_ssim(p, t), lpips_distance(p, t, lpips)) for p, t in pairs]
    if not rows:
        raise InputError("no image pair to score; give a folder with raw/ and rgb/ files of equal stems")
    return Scores(
        images=len(rows),
        psnr=float(np.mean([row[0] for row in rows])),
        ssim=float(np.mean([row[1] for row in rows])),
        ms_ssim=_mean_of_all([row[3] for row in rows]),
        delta_e00=float(np.mean([row[2] for row in rows])),
        lpips=_mean_of_all([row[4] for row in rows]),
    )


def psnr_and_difference(pairs: Iterable[tuple[Image8, Image8]]) -> dict[str, float]:
    """`psnr` and `delta_e00` of (picture, truth) pairs, averaged over images; what a training has the time for.

    CIEDE2000 is that of every second row and column.

    Raises:
        InputError: no pair, or shapes that differ.
    """
    rows = [(psnr(picture, truth), delta_e00(picture[::2, ::2], truth[::2, ::2])) for picture, truth in pairs]
    if not rows:
        raise InputError("no image pair to score; give a folder with raw/ and rgb/ files of equal stems")
    means = np.mean(rows, axis=0)
    return {"psnr": float(means[0]), "delta_e00": float(means[1])}


def to_8_bit(images: Tensor) -> NDArray[np.uint8]:
    """sRGB `(B, 3, H, W)` clipped to 0..1 and rounded: `(B, H, W, 3)`."""
    pixels = (images.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).cpu().numpy()


def _mean_of_all(values: list[float | None]) -> float | None:
    """None where one of them is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def _check_alike(picture: Image8, truth: Image8) -> None:
    if picture.shape != truth.shape or picture.dtype != np.uint8 or truth.dtype != np.uint8:
        raise InputError(
            f"cannot compare {picture.dtype} {picture.shape} with {truth.dtype} {truth.shape}; "
            "give uint8 images of one size"
        )


def _tensor(image: Image8) -> Tensor:
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None] / 255
