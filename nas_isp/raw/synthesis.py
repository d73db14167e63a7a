"""RAW made from photos: an sRGB picture run backwards through a simple camera ("unprocessing").

Brooks et al., "Unprocessing Images for Learned Raw Denoising", CVPR 2019, extended by crosstalk that changes with
the light, lens blur and vignetting. What comes out is synthetic: no sensor took these pictures.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from nas_isp.raw.image import RawImage
from nas_isp.raw.levels import add_black
from nas_isp.raw.packing import CANONICAL_SITES
from nas_isp.raw.sensor import Cfa, SensorDescription
from nas_isp.settings import Settings

Floats = NDArray[np.float32]
Range = tuple[float, float]
Factor = Annotated[float, Field(gt=0)]
Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]

POSITIVE_RANGES = ("red_gain", "blue_gain", "exposure", "shot_noise", "read_noise")
RANGES = (*POSITIVE_RANGES, "cool_share", "tone_strength", "vignetting", "blur_px")


class SyntheticCamera(Settings):
    """A camera whose light, exposure, lens and noise are drawn anew for every picture, uniformly from the ranges."""

    name: Annotated[str, Field(description="Name for the sensor description.")] = "synthetic camera"
    cfa: Annotated[Cfa, Field(description="Phase of the mosaic.")] = "RGGB"
    bits: Annotated[int, Field(ge=8, le=16, description="Bits of a value.")] = 10
    black: Annotated[float, Field(ge=0, description="Black level.")] = 64.0
    white: Annotated[float, Field(gt=0, le=65535, description="Saturation level.")] = 1023.0
    warm_crosstalk: Annotated[
        Matrix, Field(description="Linear sRGB to balanced camera RGB under tungsten; every row sums to 1.")
    ] = ((0.66, 0.30, 0.04), (0.16, 0.68, 0.16), (0.03, 0.39, 0.58))
    cool_crosstalk: Annotated[
        Matrix, Field(description="Linear sRGB to balanced camera RGB under daylight; every row sums to 1.")
    ] = ((0.58, 0.36, 0.06), (0.11, 0.73, 0.16), (0.02, 0.24, 0.74))
    cool_share: Annotated[Range, Field(description="Share of the daylight crosstalk.")] = (0.25, 1.0)
    red_gain: Annotated[Range, Field(description="Red white-balance gain, from the warmest to the coolest light.")] = (
        1.6,
        2.4,
    )
    blue_gain: Annotated[Range, Field(description="Blue gain, from the coolest to the warmest light.")] = (1.4, 2.0)
    lights: Annotated[
        tuple[tuple[Factor, Factor], ...],
        Field(description="Factors on the red and the blue gain; each picture gets a pair of them, if there are any."),
    ] = ()
    tone_strength: Annotated[Range, Field(description="Share of the S-curve that is undone.")] = (0.5, 1.0)
    exposure: Annotated[Range, Field(description="Factor on the linear picture.")] = (0.6, 1.0)
    vignetting: Annotated[Range, Field(description="Share of light lost in the corners.")] = (0.0, 0.25)
    blur_px: Annotated[Range, Field(description="Standard deviation of the lens blur in pixels.")] = (0.5, 0.9)
    saturates: Annotated[bool, Field(description="Whether white of a picture saturates all colors.")] = True
    shot_noise: Annotated[Range, Field(description="a of the noise variance a x + b, drawn log-uniformly.")] = (
        2e-4,
        4e-3,
    )
    read_noise: Annotated[Range, Field(description="b of the noise variance, tied to a.")] = (1e-6, 1e-4)

    @model_validator(mode="after")
    def _ranges_in_order(self) -> "SyntheticCamera":
        for name, (low, high) in ((name, getattr(self, name)) for name in RANGES):
            if low > high or (low <= 0 and name in POSITIVE_RANGES):
                above = " above 0" if name in POSITIVE_RANGES else ""
                raise ValueError(f"{name} is ({low}, {high}); give the least first, then the largest{above}")
        return self

    def sensor(self) -> SensorDescription:
        """What a `sensor.json` beside the mosaics has to say."""
        return SensorDescription(
            name=self.name,
            cfa=self.cfa,
            bits=self.bits,
            black=self.black,
            white=self.white,
            note="Synthetic. Light, exposure, crosstalk and noise differ from picture to picture.",
        )


def synthesize_raw(photo: Floats, rng: np.random.Generator, camera: SyntheticCamera) -> RawImage:
    """The mosaic `camera` could have taken of the scene of `photo`, aligned with it to the pixel.

    Args:
        photo: sRGB, float32 `(H, W, 3)` in 0..1; an odd last row or column is left out.
        rng: source of everything random; the same state gives the same mosaic.
        camera: ranges to draw from.

    Returns:
        The mosaic with the gains and the matrix that undo what was drawn.
    """
    height, width = photo.shape[0] // 2 * 2, photo.shape[1] // 2 * 2
    cool, jitter = rng.uniform(*camera.cool_share), rng.uniform(-0.25, 0.25)
    crosstalk = (1 - cool) * np.array(camera.warm_crosstalk) + cool * np.array(camera.cool_crosstalk)
    gains = _gains(camera, cool, jitter)
    if camera.lights:
        red, blue = camera.lights[rng.integers(len(camera.lights))]
        gains = (red * gains[0], gains[1], blue * gains[2])

    linear = _invert_tone(photo[:height, :width], rng.uniform(*camera.tone_strength))
    scene = linear @ crosstalk.T.astype(np.float32)
    falloff = _falloff(height, width, rng.uniform(*camera.vignetting))
    light = _invert_gains(scene, gains, rng.uniform(*camera.exposure) * falloff, camera.saturates)
    return capture_light(light, gains, np.linalg.inv(crosstalk), rng, camera)


def capture_light(
    light: Floats,
    gains: tuple[float, float, float],
    color_matrix: NDArray[np.floating] | None,
    rng: np.random.Generator,
    camera: SyntheticCamera,
) -> RawImage:
    """The mosaic of the light on a sensor; of the camera count lens, noise and levels.

    Args:
        light: float32 `(H, W, 3)`, even sides, 1 where the sensor saturates.
        gains: of the light and
        color_matrix: of the sensor, for the picture to say.
        rng: source of blur and noise.
    """
    sigmas = rng.uniform(*camera.blur_px) * rng.uniform(0.95, 1.05, size=3)
    exposed = _mosaic(np.stack([_blur(light[..., k], sigmas[k]) for k in range(3)], axis=-1), camera.cfa)
    noisy = exposed + _noise(exposed, rng, camera)
    values = np.clip(np.rint(add_black(noisy, camera.black, camera.white)), 0, camera.white)
    return RawImage(
        mosaic=values.astype(np.uint16),
        cfa=camera.cfa,
        black=camera.sensor().black_sites,
        white=camera.white,
        white_balance=gains,
        color_matrix=None if color_matrix is None else color_matrix.astype(np.float32),
        source=camera.name,
    )


def _gains(camera: SyntheticCamera, cool: float, jitter: float) -> tuple[float, float, float]:
    """Red rises and blue falls from warm to cool light, with some spread around that line."""
    coolest = camera.cool_share[1]
    warmth = (coolest - cool) / max(coolest - camera.cool_share[0], 1e-6)
    red_place, blue_place = np.clip([1 - warmth + jitter, warmth + jitter], 0, 1)
    red = camera.red_gain[0] + red_place * (camera.red_gain[1] - camera.red_gain[0])
    blue = camera.blue_gain[0] + blue_place * (camera.blue_gain[1] - camera.blue_gain[0])
    return (float(red), 1.0, float(blue))


def _invert_tone(photo: Floats, strength: float) -> Floats:
    """Linear light of encoded values: the inverse of the smoothstep S-curve in part, then the sRGB curve undone."""
    encoded = np.clip(photo, 0, 1)
    flat = 0.5 - np.sin(np.arcsin(1 - 2 * encoded) / 3)
    curved = (1 - strength) * encoded + strength * flat
    linear = np.where(curved <= 0.04045, curved / 12.92, ((curved + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


def _falloff(height: int, width: int, lost: float) -> Floats:
    """Share of light left by vignetting `(H, W, 1)`: 1 in the middle, 1 - lost in the corners."""
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None]
    left = 1 - lost * (rows**2 + columns**2) / 2
    return left[..., None].astype(np.float32)


def _invert_gains(scene: Floats, gains: tuple[float, float, float], exposure: Floats, saturates: bool) -> Floats:
    """Undo white balance and exposure, but let what is white in the photo saturate every color if that is wanted.

    Brooks et al. (section 3.3) blend the factor of each color with 1 there, which leaves a magenta rim between
    white and gray. Here all colors are exposed more towards white by the same factor, as on a sensor: green
    saturates first, and a balanced picture stays neutral.
    """
    factor = exposure / np.array(gains, np.float32)
    if not saturates:
        return np.asarray(scene * factor, np.float32)
    highlight = np.clip((scene.mean(axis=-1, keepdims=True) - 0.9) / 0.1, 0, 1) ** 2
    return scene * factor * (1 + highlight * (1 / factor.min(axis=-1, keepdims=True) - 1))


def _blur(plane: Floats, sigma: float) -> Floats:
    """Gaussian blur of a plane `(H, W)` with mirrored borders."""
    if sigma <= 0:
        return plane
    radius = min(int(np.ceil(3 * sigma)), min(plane.shape) - 1)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    padded = np.pad(plane, radius, mode="reflect")
    height, width = plane.shape
    columns = sum(tap * padded[:, k : k + width] for k, tap in enumerate(taps))
    return np.asarray(sum(tap * columns[k : k + height] for k, tap in enumerate(taps)), np.float32)


def _mosaic(rgb: Floats, cfa: Cfa) -> Floats:
    """The one color of every site of `(H, W, 3)`, as `(H, W)`."""
    mosaic = np.empty(rgb.shape[:2], np.float32)
    for color, (row, column) in zip((0, 1, 1, 2), CANONICAL_SITES[cfa], strict=True):
        mosaic[row::2, column::2] = rgb[row::2, column::2, color]
    return mosaic


def _noise(exposed: Floats, rng: np.random.Generator, camera: SyntheticCamera) -> Floats:
    """Gaussian noise of variance a x + b; a and b go from their least to their largest together."""
    place = rng.uniform()
    shot, read = (low * (high / low) ** place for low, high in (camera.shot_noise, camera.read_noise))
    deviation = np.sqrt(shot * np.maximum(exposed, 0) + read)
    return (deviation * rng.standard_normal(exposed.shape)).astype(np.float32)
