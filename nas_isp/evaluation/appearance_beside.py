"""Measures how pictures look beside the classical rendering of the same RAW; `appearance` says it."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.evaluation.appearance import Appearance
from nas_isp.evaluation.color import srgb_to_lab
from nas_isp.evaluation.metrics import Image8
from nas_isp.raw.classical import decode_srgb

BLOCK = 4
"""Colors are compared as means of 4 x 4 pixels, so that noise says nothing about them."""

NEUTRAL_CHROMA, SHADE_L, BLOWN_L = 10.0, 25.0, 98.0
"""Lab: what the rendering shows as near neutral, neither in deep shade nor blown."""

BRIGHT_LEVEL, UNSATURATED_LEVELS, TINTED_LEVELS = 150.0, 40.0, 25.0
"""8-bit levels: a bright mean of the channels, their largest difference, and a shift that everybody sees."""

MIDTONES = (0.01, 0.8)
"""Linear luminance of the rendering that tells exposure; beyond, curves and clipping decide."""

BLOWN_LEVEL, CRUSHED_LEVEL = 254.5, 3.5
"""A channel that rounds to 255; a pixel whose channels all round to 3 or less."""

TILE = 16
LARGEST_SIDE = 2048
LUMA = (0.299, 0.587, 0.114)
LEAST = 1e-4
LEAST_CONTRAST = 0.05


def appearance_beside(pictures: Tensor, references: Tensor) -> Appearance:
    """Compare pictures with references of the same scenes, sRGB `(N, 3, H, W)`, pixel on pixel.

    What cannot be told, as a cast where nothing is neutral, is normal.
    """
    pictures, references = pictures.clamp(0, 1).float(), references.clamp(0, 1).float()
    seen, known = (functional.avg_pool2d(images, BLOCK) for images in (pictures, references))
    seen_lab, known_lab = srgb_to_lab(seen), srgb_to_lab(known)
    green_magenta, blue_yellow, cast = _casts(seen, known, known_lab)
    noise, sharpness = _fine_ratios(pictures, references)
    return Appearance(
        green_magenta_levels=green_magenta,
        blue_yellow_levels=blue_yellow,
        cast_levels=cast,
        tinted_share=_tinted_share(seen, known),
        chroma_ratio=_chroma_ratio(seen_lab, known_lab),
        exposure_stops=_exposure_stops(seen, known),
        blown_share=_blown(pictures) - _blown(references),
        crushed_share=_crushed(pictures) - _crushed(references),
        noise_ratio=noise,
        sharpness_ratio=sharpness,
    )


def appearance_of_pictures(picture: Image8, reference: Image8) -> Appearance:
    """The same of one 8-bit picture `(H, W, 3)`; of a large one the central 2048 x 2048 pixels."""
    return appearance_beside(_central(picture), _central(reference))


def _central(picture: Image8) -> Tensor:
    top, left = (max(0, side - LARGEST_SIDE) // 2 for side in picture.shape[:2])
    part = picture[top : top + LARGEST_SIDE, left : left + LARGEST_SIDE]
    return torch.from_numpy(part.astype(np.float32)).permute(2, 0, 1)[None] / 255


def _opponents(images: Tensor) -> Tensor:
    """Green against magenta and blue against yellow, in 8-bit levels: `(N, 2, h, w)`."""
    red, green, blue = (255 * images).unbind(1)
    return torch.stack((green - (red + blue) / 2, blue - (red + green) / 2), 1)


def _casts(seen: Tensor, known: Tensor, known_lab: Tensor) -> tuple[float, float, float]:
    """Signed shifts over all near-neutral colors, and the mean over pictures of their size."""
    shift = _opponents(seen) - _opponents(known)
    lightness, chroma = known_lab[:, 0], known_lab[:, 1:].norm(dim=1)
    neutral = ((chroma < NEUTRAL_CHROMA) & (lightness > SHADE_L) & (lightness < BLOWN_L)).float()
    counts = neutral.sum((1, 2))
    sums = (shift * neutral[:, None]).sum((2, 3))
    green_magenta, blue_yellow = (sums.sum(0) / counts.sum().clamp_min(1)).tolist()
    told = counts > 0
    if not told.any():
        return 0.0, 0.0, 0.0
    return green_magenta, blue_yellow, float((sums[told] / counts[told, None]).norm(dim=1).mean())


def _tinted_share(seen: Tensor, known: Tensor) -> float:
    levels = 255 * known
    bright = levels.mean(1) >= BRIGHT_LEVEL
    unsaturated = bright & (levels.amax(1) - levels.amin(1) <= UNSATURATED_LEVELS)
    off = (_opponents(seen) - _opponents(known))[:, 0].abs() > TINTED_LEVELS
    return float((off & unsaturated).sum() / unsaturated.sum().clamp_min(1))


def _chroma_ratio(seen: Tensor, known: Tensor) -> float:
    """Spread of a and b about the mean of each picture, over that of the references."""
    first, second = (lab[:, 1:].var((2, 3), unbiased=False).sum(1).mean() for lab in (seen, known))
    return float((first / second).sqrt()) if second > LEAST else 1.0


def _exposure_stops(seen: Tensor, known: Tensor) -> float:
    """Mean over pictures of the median over their midtones of log2 of luminance over the references'."""
    first, second = (_luminance(images) for images in (seen, known))
    midtones = (second > MIDTONES[0]) & (second < MIDTONES[1])
    stops = torch.log2((first + LEAST) / (second + LEAST))
    medians = [stops[at][midtones[at]].median() for at in range(len(stops)) if midtones[at].any()]
    return float(torch.stack(medians).mean()) if medians else 0.0


def _luminance(images: Tensor) -> Tensor:
    weights = images.new_tensor((0.2126, 0.7152, 0.0722)).view(1, 3, 1, 1)
    return (decode_srgb(images) * weights).sum(1)


def _blown(images: Tensor) -> float:
    return float((255 * images.amax(1) >= BLOWN_LEVEL).float().mean())


def _crushed(images: Tensor) -> float:
    return float((255 * images.amax(1) < CRUSHED_LEVEL).float().mean())


def _fine_ratios(pictures: Tensor, references: Tensor) -> tuple[float, float]:
    """Noise in flat tiles and contrast of fine detail in others; tiles are chosen by the references."""
    weights = pictures.new_tensor(LUMA).view(1, 3, 1, 1)
    seen, known = ((images * weights).sum(1, keepdim=True) for images in (pictures, references))
    if min(seen.shape[2:]) < 2 * TILE:
        return 1.0, 1.0
    coarse = [_tiles(functional.avg_pool2d(luma, BLOCK), TILE // BLOCK).std(1) for luma in (seen, known)]
    order = coarse[1].argsort()
    quarter = max(1, len(order) // 4)
    flat, detailed = order[:quarter], order[-quarter:]
    grain = [_grain(luma)[flat].median() for luma in (seen, known)]
    fine = [_tiles(_fine(luma), TILE)[detailed].std(1).mean() for luma in (seen, known)]
    broad = [contrast[detailed].mean() for contrast in coarse]
    noise = float(grain[0] / grain[1]) if grain[1] > LEAST else 1.0
    if min(fine[1], broad[1]) < LEAST:
        return noise, 1.0
    return noise, float(fine[0] / fine[1] / (broad[0] / broad[1]).clamp_min(LEAST_CONTRAST))


def _grain(luma: Tensor) -> Tensor:
    """Standard deviation of noise in every tile. Immerkaer, "Fast Noise Variance Estimation", CVIU 64(2), 1996."""
    mask = luma.new_tensor([[1.0, -2, 1], [-2, 4, -2], [1, -2, 1]]).view(1, 1, 3, 3) / 6
    return _tiles(functional.conv2d(luma, mask, padding=1), TILE).square().mean(1).sqrt()


def _fine(luma: Tensor) -> Tensor:
    """What of luma varies between about 2 and 6 pixels."""
    narrow, wide = (functional.avg_pool2d(luma, side, 1, side // 2, count_include_pad=False) for side in (3, 7))
    return narrow - wide


def _tiles(maps: Tensor, side: int) -> Tensor:
    """Whole tiles of maps `(N, 1, H, W)`: `(tiles, side * side)`."""
    return functional.unfold(maps, side, stride=side).transpose(1, 2).flatten(0, 1)
