"""What goes wrong in pictures that a generator in training makes, as functions of one strength."""

import io
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

Distortion = Callable[[Tensor, float, np.random.Generator], Tensor]
"""(image (3, H, W) sRGB 0..1, strength 0..1, randomness) -> image of the same shape, not clipped."""


def blur(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Gaussian, sigma up to 4 pixels."""
    return _gaussian(image, 0.4 + 3.6 * strength**1.5)


def noise(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """White and Gaussian, up to 0.2, independent in the channels."""
    return image + (0.01 + 0.19 * strength) * _normal(image.shape, rng)


def grain(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Noise with a grain of some pixels, as denoisers and demosaicing leave it."""
    coarse = _gaussian(_normal(image.shape, rng), rng.uniform(0.6, 2.0))
    return image + (0.01 + 0.14 * strength) * coarse / coarse.std()


def color_cast(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Wrong gains of the channels, up to a factor of 2."""
    return image * torch.from_numpy(np.exp2(strength * _direction(3, rng))).float().view(3, 1, 1)


def color_mix(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """A wrong color matrix."""
    matrix = torch.eye(3) + 0.5 * strength * torch.from_numpy(_direction(9, rng)).float().view(3, 3)
    return torch.einsum("ij,jhw->ihw", matrix, image)


def tone(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """A wrong gamma, up to a factor of 3 either way."""
    return image.clamp(0, 1) ** float(3.0 ** (strength * rng.choice([-1.0, 1.0])))


def contrast(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Washed out or too hard, with an offset."""
    gain = float(2.5 ** (strength * rng.choice([-1.0, 1.0])))
    middle = image.mean()
    return (image - middle) * gain + middle + 0.2 * strength * float(rng.uniform(-1, 1))


def desaturate(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Towards gray."""
    return image + strength * (image.mean(dim=0, keepdim=True) - image)


def checkerboard(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """A pattern of period 2 or 4 pixels with a color of its own, as upsampling by pixel shuffle leaves it."""
    period = int(rng.choice([2, 2, 4]))
    cell = torch.from_numpy(rng.standard_normal((3, period, period))).float()
    cell = (cell - cell.mean(dim=(1, 2), keepdim=True)) / cell.std()
    tiles = cell.repeat(1, -(-image.shape[1] // period), -(-image.shape[2] // period))
    return image + (0.01 + 0.12 * strength) * tiles[:, : image.shape[1], : image.shape[2]]


def raw_like(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Mosaicked, noisy, poorly demosaicked, with gains that are partly undone."""
    gains = torch.from_numpy(np.exp(-strength * np.array([0.7, 0.0, 0.5]) * rng.uniform(0.3, 1.3, 3))).float()
    linear = image.clamp(0, 1) ** 2.2 * gains.view(3, 1, 1)
    linear = linear + (0.03 * strength) * linear.clamp(min=0).sqrt() * _normal(image.shape, rng)
    mask = _bayer_mask(image.shape)
    weights = _box(mask)
    demosaicked = _box(linear * mask) / weights
    return (demosaicked * float(rng.uniform(0.6, 1.4))).clamp(0, 1) ** (1 / 2.2)


def fringe(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Red and blue shifted against green, up to 3 pixels."""
    shift = max(1, round(3 * strength))
    red, green, blue = image
    axis = int(rng.integers(0, 2))
    return torch.stack([red.roll(shift, dims=axis), green, blue.roll(-shift, dims=axis)])


def oversharpen(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Unsharp masking with halos."""
    return image + 3 * strength * (image - _gaussian(image, 1.5))


def jpeg(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Compression down to quality 3."""
    buffer = io.BytesIO()
    Image.fromarray((image.clamp(0, 1) * 255).byte().permute(1, 2, 0).numpy()).save(
        buffer, "JPEG", quality=round(70 - 67 * strength)
    )
    return torch.from_numpy(np.asarray(Image.open(buffer)).copy()).permute(2, 0, 1).float() / 255


def pixelate(image: Tensor, strength: float, rng: np.random.Generator) -> Tensor:
    """Blocks of up to 8 pixels."""
    block = round(1 + 7 * strength)
    small = F.interpolate(image[None], scale_factor=1 / block, mode="area")
    return F.interpolate(small, size=image.shape[1:], mode="nearest")[0]


TRAINED: dict[str, Distortion] = {
    "blur": blur,
    "noise": noise,
    "grain": grain,
    "color cast": color_cast,
    "color mix": color_mix,
    "tone": tone,
    "contrast": contrast,
    "desaturate": desaturate,
    "checkerboard": checkerboard,
    "raw-like": raw_like,
    "fringe": fringe,
}
UNSEEN: dict[str, Distortion] = {"oversharpen": oversharpen, "jpeg": jpeg, "pixelate": pixelate}
"""Kept out of training, to see whether the agreement carries over to kinds that it never met."""


def distort(image: Tensor, rng: np.random.Generator) -> Tensor:
    """One to three of the trained distortions in a row, each of random strength; clipped to 0..1 half of the time."""
    for name in rng.choice(list(TRAINED), size=rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]), replace=False):
        image = TRAINED[name](image, float(rng.uniform()), rng)
    return image.clamp(0, 1) if rng.uniform() < 0.5 else image.clamp(-0.5, 1.5)


def _gaussian(image: Tensor, sigma: float) -> Tensor:
    radius = math.ceil(3 * sigma)
    taps = torch.exp(-0.5 * (torch.arange(-radius, radius + 1) / sigma) ** 2)
    taps = (taps / taps.sum()).repeat(3, 1)
    padded = F.pad(image[None], (radius,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, taps.view(3, 1, 1, -1), groups=3), taps.view(3, 1, -1, 1), groups=3)[0]


def _box(planes: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(planes[None], (1,) * 4, mode="reflect"), 3, stride=1)[0]


def _bayer_mask(shape: torch.Size) -> Tensor:
    mask = torch.zeros(shape)
    mask[0, 0::2, 0::2] = 1
    mask[1, 0::2, 1::2] = 1
    mask[1, 1::2, 0::2] = 1
    mask[2, 1::2, 1::2] = 1
    return mask


def _normal(shape: torch.Size, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))


def _direction(size: int, rng: np.random.Generator) -> np.ndarray:
    """A random vector whose largest component is 1 or -1."""
    vector = rng.standard_normal(size)
    return vector / np.abs(vector).max()
