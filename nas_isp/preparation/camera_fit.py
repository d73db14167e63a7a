"""The camera behind a folder of captures: lights, noise, levels, so that photos can be run backwards through it.

A photo made into RAW by a camera like the user's is a true pair: its mosaic is known and so is the picture it should
become (after Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019). What makes it useful for an
unpaired training is that the camera is the captures': their lights, their noise, their levels; exposure, tone and
color are those of the look (`look_fit`).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.patches import PhotoPatches, RawPatches
from nas_isp.preparation.content_reference import CAPTURES, captures_of, spread
from nas_isp.raw.noise import NoiseLevel, estimate_noise
from nas_isp.raw.saturation import SATURATED
from nas_isp.raw.synthesis import SyntheticCamera

Floats = NDArray[np.float32]

PATCHES = 256

LEAST_SATURATED = 0.02
"""Share of the photos' white that the captures have to hold saturated; those exposed for the highlights have none."""

TYPICAL_CROSSTALK = ((0.642, 0.272, 0.085), (0.083, 0.757, 0.160), (0.014, 0.224, 0.761))
"""Linear sRGB to balanced camera RGB: the mean of the four cameras (Nexus 6P, Sony RX100 and A7R, Olympus E-M10) whose
XYZ matrices Brooks et al. use, times the sRGB primaries, rows normalized. Used where no capture brings a matrix."""

LIGHTS = 64
"""So many captures stand for the lights of all."""

EXPOSURE_SPREAD = 0.1
"""Standard deviation of log exposure from picture to picture, beyond what metering tells."""

BLUR_PX = (0.5, 0.9)
"""Lens and anti-alias filter; captures of other scenes do not tell sharp lenses from smooth scenes."""

HALF_WIDTH = math.sqrt(3)
"""A uniform distribution reaches so many standard deviations to either side."""


def fit_camera(raw: RawPatches, photos: PhotoPatches, gains: Floats) -> SyntheticCamera:
    """A camera with the lights, the noise and the levels of the captures.

    Args:
        gains: of each RAW patch `(N, 3)`.
    """
    shot, read = _noise_ranges(raw)
    lights = gains[spread(len(gains), LIGHTS)] / gains[spread(len(gains), LIGHTS), 1:2]
    reach = math.exp(HALF_WIDTH * EXPOSURE_SPREAD)
    return SyntheticCamera.model_validate(
        {
            "name": f"fitted to {raw.sensor.name}",
            "bits": raw.sensor.bits,
            "black": float(raw.black.mean()),
            "white": float(raw.white.mean()),
            "red_gain": (1.0, 1.0),
            "blue_gain": (1.0, 1.0),
            "lights": tuple((_rounded(red), _rounded(blue)) for red, _, blue in lights.tolist()),
            "exposure": (_rounded(1 / reach), _rounded(reach)),
            "vignetting": (0.0, 0.0),
            "blur_px": BLUR_PX,
            "shot_noise": shot,
            "read_noise": read,
            "saturates": _saturated_share(raw) > LEAST_SATURATED * _white_share(photos),
        }
    )


def typical_matrix() -> NDArray[np.float64]:
    """Balanced camera RGB to linear sRGB of a typical camera, rows sum to 1."""
    crosstalk = np.array(TYPICAL_CROSSTALK)
    return np.linalg.inv(crosstalk / crosstalk.sum(1, keepdims=True))


def _saturated_share(raw: RawPatches) -> float:
    """Share of the captures' cells that are wholly saturated."""
    return float((raw.tensor(spread(len(raw), PATCHES)).amin(1) > SATURATED).float().mean())


def _white_share(photos: PhotoPatches) -> float:
    """Share of the photos' pixels that are white."""
    return float((photos.tensor(spread(len(photos), PATCHES)).mean(1) > SATURATED).float().mean())


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


def _rounded(value: float) -> float:
    """Five digits: the last ones of a solver differ from run to run, and a resumed training must find its camera."""
    return float(f"{value:.5g}")
