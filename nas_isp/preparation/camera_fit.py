"""The camera behind a folder of captures, fitted without pairs, so that photos can be run backwards through it.

A photo made into RAW by a camera like the user's is a true pair: its mosaic is known and so is the picture it should
become (after Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019). What makes it useful for an
unpaired training is that the camera is fitted: light, exposure and tone to the distribution of the captures' colors,
noise and color matrix to the captures themselves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.data.patches import PhotoPatches, RawPatches
from nas_isp.preparation.color_transport import sliced_wasserstein
from nas_isp.preparation.content_reference import CAPTURES, CHUNK, captures_of, spread
from nas_isp.raw.classical import decode_srgb, encode_srgb
from nas_isp.raw.noise import NoiseLevel, estimate_noise
from nas_isp.raw.saturation import SATURATED
from nas_isp.raw.sensor import Gains
from nas_isp.raw.synthesis import SyntheticCamera

FIT_STEPS = 120
PATCHES = 1000
BATCH = 128
CELLS_A_PATCH = 8
BLOCKS_A_SIDE = 8
TINY = 1e-5

LEAST_SATURATED = 0.02
"""Share of the photos' white that the captures have to hold saturated; those exposed for the highlights have none."""

TYPICAL_CROSSTALK = ((0.642, 0.272, 0.085), (0.083, 0.757, 0.160), (0.014, 0.224, 0.761))
"""Linear sRGB to balanced camera RGB: the mean of the four cameras (Nexus 6P, Sony RX100 and A7R, Olympus E-M10) whose
XYZ matrices Brooks et al. use, times the sRGB primaries, rows normalized. Used where no capture brings a matrix."""

LIGHT_SPREAD, EXPOSURE_SPREAD, TONE_SPREAD = 0.1, 0.15, 0.15
"""Standard deviations from picture to picture: log gains between warm and cool light, log exposure, tone strength."""

LIGHTS = 64
"""So many patches stand for the lights of all."""

BLUR_PX = (0.5, 0.9)
"""Lens and anti-alias filter; captures of other scenes do not tell sharp lenses from smooth scenes."""

USUAL_TONE, USUAL_LOG_EXPOSURE = 1.0, math.log(0.8)
"""What Brooks et al. assume: the full S-curve, and a fifth of headroom for highlights."""

TONE_PULL, LIGHT_PULL, EXPOSURE_PULL = 0.2, 2.0, 2.0
"""Weights of the squared distances to the usual, beside a color distance of about 0.1."""

HALF_WIDTH = math.sqrt(3)
"""A uniform distribution reaches so many standard deviations to either side."""


@dataclass
class _Unknowns:
    """What is fitted: tone strength, log gains of red and blue beside the given ones, log exposure."""

    tone: Tensor
    light: Tensor
    exposure: Tensor


def fit_camera(
    raw: RawPatches,
    photos: PhotoPatches,
    white_balance: Gains,
    exposure: float,
    color_matrix: list[list[float]] | None,
    seed: int,
    own_gains: Tensor | None = None,
) -> SyntheticCamera:
    """Fit a camera whose RAW of the photos has the distribution of colors, and the noise, of the captures.

    Compared are colors of 8 x 8 blocks a patch together with the patch's mean, in a rendering with the given gains
    (sliced Wasserstein distance). Four numbers are fitted and held near what cameras and photographers usually do,
    so that captures of brighter or bluer scenes than the photos' do not pass for a brighter exposure or a bluer light.

    Args:
        white_balance: gains of R, G, B that suit the captures on the whole.
        exposure: factor that gives their rendering the photos' brightness.
        color_matrix: balanced camera RGB to linear sRGB, or None for a typical camera's.
        own_gains: gains of each capture patch `(N, 3)`; the camera's pictures are taken in as many lights as these say.
    """
    lights = torch.zeros(1, 2) if own_gains is None else _lights(own_gains, white_balance)
    crosstalk = _crosstalk(color_matrix)
    gains = exposure * torch.tensor(white_balance) / min(white_balance)
    captured, saturated = _captured(raw, gains)
    pictures, white = _pictured(photos)
    saturates = saturated > LEAST_SATURATED * white
    unknowns = _fitted(captured, pictures, gains, crosstalk, saturates, lights, seed)
    return _camera(raw, unknowns, gains, crosstalk, saturates, lights)


def _camera(
    raw: RawPatches, unknowns: _Unknowns, gains: Tensor, crosstalk: Tensor, saturates: bool, lights: Tensor
) -> SyntheticCamera:
    """The camera of fitted numbers, with the levels and the noise of the captures."""
    red, blue = (float(gain) for gain in gains[[0, 2]] / gains[1] / unknowns.light.exp())
    level = float(unknowns.exposure.exp() / gains[1])
    tone = _rounded(float(unknowns.tone))
    shot, read = _noise_ranges(raw)
    rows = tuple(tuple(row) for row in crosstalk.tolist())
    return SyntheticCamera.model_validate(
        {
            "name": f"fitted to {raw.sensor.name}",
            "bits": raw.sensor.bits,
            "black": float(raw.black.mean()),
            "white": float(raw.white.mean()),
            "warm_crosstalk": rows,
            "cool_crosstalk": rows,
            "cool_share": (0.0, 1.0),
            "red_gain": _around(red, LIGHT_SPREAD),
            "blue_gain": _around(blue, LIGHT_SPREAD),
            "lights": tuple((_rounded(red), _rounded(blue)) for red, blue in lights.exp().tolist()),
            "tone_strength": (max(tone - HALF_WIDTH * TONE_SPREAD, 0.0), min(tone + HALF_WIDTH * TONE_SPREAD, 1.0)),
            "exposure": _around(level, EXPOSURE_SPREAD),
            "vignetting": (0.0, 0.0),
            "blur_px": BLUR_PX,
            "shot_noise": shot,
            "read_noise": read,
            "saturates": saturates,
        }
    )


def _fitted(
    captured: Tensor, pictures: Tensor, gains: Tensor, crosstalk: Tensor, saturates: bool, lights: Tensor, seed: int
) -> _Unknowns:
    """Adam on the distance of captured and synthetic colors, both `(N, 64, 3)`, in lights `(L, 2)`."""
    generator = torch.Generator().manual_seed(seed)
    unknowns = _Unknowns(torch.tensor(0.75), torch.zeros(2), torch.tensor(USUAL_LOG_EXPOSURE))
    parameters = [part.requires_grad_() for part in vars(unknowns).values()]
    optimizer = torch.optim.Adam(parameters, lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, FIT_STEPS, eta_min=3e-4)
    for _ in range(FIT_STEPS):
        real = captured[torch.randint(len(captured), (BATCH,), generator=generator)]
        drawn = pictures[torch.randint(len(pictures), (BATCH,), generator=generator)]
        own = lights[torch.randint(len(lights), (BATCH,), generator=generator)]
        fake = _rendered(drawn, unknowns, gains, crosstalk, saturates, own, generator)
        distance = 2 * sliced_wasserstein(real.mean(1), fake.mean(1), generator)
        together = [_cells_with_mean(part, generator) for part in (real, fake)]
        distance = distance + sliced_wasserstein(together[0], together[1], generator)
        distance = distance + sliced_wasserstein(together[0][:, :3], together[1][:, :3], generator)
        optimizer.zero_grad()
        (distance + _unusual(unknowns)).backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            unknowns.tone.clamp_(0, 1)
    return _Unknowns(*(part.detach() for part in parameters))


def _unusual(unknowns: _Unknowns) -> Tensor:
    """How far the camera is from the usual one."""
    tone = TONE_PULL * (unknowns.tone - USUAL_TONE).square()
    exposure = EXPOSURE_PULL * (unknowns.exposure - USUAL_LOG_EXPOSURE).square()
    return tone + exposure + LIGHT_PULL * unknowns.light.square().sum()


def _rendered(
    colors: Tensor,
    unknowns: _Unknowns,
    gains: Tensor,
    crosstalk: Tensor,
    saturates: bool,
    lights: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """The rendering of photo colors `(B, n, 3)` once captured; as `synthesize_raw` does it, but differentiable."""
    drawn = torch.randn(len(colors), 3, 1, generator=generator)
    strength = (unknowns.tone + TONE_SPREAD * drawn[:, 2:]).clamp(0, 1)
    scene = _linear(colors, strength) @ crosstalk.T
    light = LIGHT_SPREAD * drawn[:, 0] + unknowns.light[0], -LIGHT_SPREAD * drawn[:, 0] + unknowns.light[1]
    level = unknowns.exposure + EXPOSURE_SPREAD * drawn[:, 1]
    factor = torch.stack((level + light[0] - lights[:, :1], level, level + light[1] - lights[:, 1:]), -1).exp() / gains
    if saturates:
        highlight = ((scene.mean(-1, keepdim=True) - 0.9) / 0.1).clamp(0, 1).square()
        factor = factor * (1 + highlight * (1 / factor.amin(-1, keepdim=True) - 1).clamp(min=0))
    balanced = ((scene * factor).clamp(max=1) * gains).clamp(TINY, 1)
    return encode_srgb(balanced)


def _linear(encoded: Tensor, strength: Tensor) -> Tensor:
    """Linear light of sRGB values whose S-curve is undone in part; see `synthesize_raw`."""
    flat = 0.5 - torch.sin(torch.arcsin((1 - 2 * encoded).clamp(-1 + TINY, 1 - TINY)) / 3)
    curved = ((1 - strength) * encoded + strength * flat).clamp(min=TINY)
    return decode_srgb(curved)


def _captured(raw: RawPatches, gains: Tensor) -> tuple[Tensor, float]:
    """Colors `(N, 64, 3)` of blocks of the balanced captures, without a matrix; share of cells wholly saturated."""
    blocks, saturated = [], 0.0
    chosen = spread(len(raw), PATCHES)
    for start in range(0, len(chosen), CHUNK):
        packed = raw.tensor(chosen[start : start + CHUNK])
        saturated += float((packed.amin(1) > SATURATED).float().mean((1, 2)).sum())
        packed = packed.clamp(max=1)
        blocks.append(_blocks(torch.stack((packed[:, 0], packed[:, 1:3].mean(1), packed[:, 3]), 1)))
    return encode_srgb((torch.cat(blocks) * gains).clamp(0, 1)), saturated / len(chosen)


def _pictured(photos: PhotoPatches) -> tuple[Tensor, float]:
    """Colors `(N, 64, 3)` of blocks of the photos, and the share of their pixels that are white."""
    blocks, white = [], 0.0
    chosen = spread(len(photos), PATCHES)
    for start in range(0, len(chosen), CHUNK):
        pictures = photos.tensor(chosen[start : start + CHUNK])
        white += float((pictures.mean(1) > SATURATED).float().mean((1, 2)).sum())
        blocks.append(_blocks(pictures))
    return torch.cat(blocks), white / len(chosen)


def _blocks(images: Tensor) -> Tensor:
    """Means of 8 x 8 blocks that divide each picture of `(N, 3, H, W)`, as `(N, 64, 3)`."""
    return functional.adaptive_avg_pool2d(images, BLOCKS_A_SIDE).flatten(2).transpose(1, 2)


def _cells_with_mean(colors: Tensor, generator: torch.Generator) -> Tensor:
    """Some cells of each patch beside the patch's mean: `(B * cells, 6)`."""
    chosen = torch.randint(colors.shape[1], (len(colors), CELLS_A_PATCH, 1), generator=generator).expand(-1, -1, 3)
    cells = torch.gather(colors, 1, chosen)
    return torch.cat((cells, colors.mean(1, keepdim=True).expand_as(cells)), -1).flatten(0, 1)


def _lights(own_gains: Tensor, white_balance: Gains) -> Tensor:
    """Logarithms of red and blue gains `(L, 2)` of patches relative to the gains that suit them on the whole."""
    relative = (own_gains / own_gains[:, 1:2]).log() - (torch.tensor(white_balance) / white_balance[1]).log()
    return relative[spread(len(relative), LIGHTS)][:, (0, 2)]


def _crosstalk(color_matrix: list[list[float]] | None) -> Tensor:
    if color_matrix is None:
        return torch.tensor(TYPICAL_CROSSTALK) / torch.tensor(TYPICAL_CROSSTALK).sum(1, keepdim=True)
    inverse = torch.linalg.inv(torch.tensor(color_matrix))
    return inverse / inverse.sum(1, keepdim=True)


def _noise_ranges(raw: RawPatches) -> tuple[tuple[float, float], tuple[float, float]]:
    """The middle 80 % of the captures' shot and read noise: what the files say, else what the patches show."""
    captures = captures_of(raw)
    levels = [_noise_of(raw, captures[at]) for at in spread(len(captures), CAPTURES)]
    known = [level for level in levels if level is not None] or [NoiseLevel(1e-3, 1e-5)]
    return _middle([level.shot for level in known], 1e-6), _middle([level.read for level in known], 1e-8)


def _noise_of(raw: RawPatches, capture: Sequence[int]) -> NoiseLevel | None:
    shot, read = (float(part) for part in raw.noise[capture[0]])
    return estimate_noise(raw.tensor(capture)) if math.isnan(shot) else NoiseLevel(shot, read)


def _middle(values: Sequence[float], least: float) -> tuple[float, float]:
    low, high = np.maximum(np.quantile(values, (0.1, 0.9)), least)
    return _rounded(low), _rounded(high)


def _around(center: float, log_spread: float) -> tuple[float, float]:
    reach = math.exp(HALF_WIDTH * log_spread)
    return _rounded(center / reach), _rounded(center * reach)


def _rounded(value: float) -> float:
    """Five digits: the last ones of a solver differ from run to run, and a resumed training must find its camera."""
    return float(f"{value:.5g}")
