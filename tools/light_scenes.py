"""Photos taken back to what a random camera sees of them in a random light: material for the estimator of the light.

A photo is taken for a balanced picture of its scene. Its curve is undone in part, its colors are seen by a camera whose
matrix is mixed of public ones and changed at random, under a light near the black-body locus, with exposure,
highlights, colored shading, noise and an error of the black level. Made is a small picture of cells without detail,
which is all that the estimator sees.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nas_isp.raw.dng.color import XYZ_OF_SRGB
from nas_isp.raw.dng.illuminants import BRADFORD, ISOTHERMS

Numbers = NDArray[np.float64]
Gains = tuple[float, float, float]

FOLDERS = ("kodak", "gb82", "clic2025")
SIDE = 128
"""Cells of a scene's longer side: twice the blocks that the estimator looks at."""

PUBLIC_MATRICES = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.6130, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.8380, -0.2630, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.0970, 0.1581, 0.5181]],
    ]
)
"""XYZ to camera RGB of the four cameras that Brooks et al. ("Unprocessing Images for Learned Raw Denoising", CVPR 2019)
mix. None of them took a picture of the benches."""

PALE = 0.15
"""Share of scenes nearly without colors: fog, paper, snow."""

MATRIX_SPREAD = 0.05
SENSOR_GAINS, SENSOR_SPREAD = (2.0, 1.0, 1.55), 0.22
"""Gains of daylight of a common sensor, and how they differ from sensor to sensor, in logarithm."""

DAYLIGHT_MIRED, DAYLIGHT_SPREAD, MIREDS = 185.0, 28.0, (110.0, 380.0)
"""Half of all lights are near daylight (5400 K), the others anywhere from blue shade to candles."""

ABOVE_LOCUS, OFF_LOCUS = 0.003, 0.006
"""Of daylight's y above the black body's, and the spread of x and y around the locus."""


@dataclass(frozen=True)
class Scene:
    """What a camera sees.

    Attributes:
        packed: planes `(4, h, w)`, 1 where samples stop.
        gains: that make the light neutral, G = 1.
        daylight: the same for this camera in daylight.
    """

    packed: NDArray[np.float32]
    gains: Gains
    daylight: Gains


def load_photos(rgb: Path, patches: Path | None) -> list[list[Image.Image]]:
    """Photos of a folder that holds kodak/, gb82/ and clic2025/; and of a folder of patches, those of one photo in one.

    Names of patches end in their number, as in `photo_0.jpg`. Those of kodak and gb82 are left out there.
    """
    photos = [[_opened(path)] for folder in FOLDERS for path in sorted((rgb / folder).glob("*.png"))]
    of_photo: dict[str, list[Image.Image]] = {}
    for path in sorted(patches.glob("*.jpg")) if patches is not None else []:
        if not path.stem.startswith(FOLDERS):
            of_photo.setdefault(path.stem.rsplit("_", 1)[0], []).append(_opened(path))
    if not photos:
        raise SystemExit(f"no photos in {rgb}/{{{','.join(FOLDERS)}}}: give the folder that holds these")
    return [*photos, *of_photo.values()]


def draw_scene(photo: list[Image.Image], rng: np.random.Generator) -> Scene:
    """A random part of a photo, seen by a random camera in a random light."""
    encoded = _part(photo, rng)
    linear = _linear(encoded, rng)
    camera = _camera(rng)
    light = _light(rng)
    white = XYZ_OF_SRGB.sum(axis=1)
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ light) / (BRADFORD @ white)) @ BRADFORD
    neutral = camera @ light
    seen = np.maximum(linear @ (camera @ adapt @ XYZ_OF_SRGB).T, 0) / neutral[1]
    cells = _captured(seen, linear.mean(axis=-1, keepdims=True), rng)
    planes = np.stack((cells[..., 0], cells[..., 1], cells[..., 1], cells[..., 2])).astype(np.float32)
    return Scene(planes, _gains(neutral), _gains(camera @ _xyz(*_locus(DAYLIGHT_MIRED))))


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        picture = image.convert("RGB")
    picture.thumbnail((768, 768), Image.Resampling.BOX)
    return picture


def _part(photo: list[Image.Image], rng: np.random.Generator) -> Numbers:
    """A crop, in six of ten cases smaller than the whole, 0..1."""
    picture = photo[rng.integers(len(photo))]
    share = rng.uniform(0.3, 1) if rng.uniform() < 0.6 else 1.0
    if len(photo) > 1:
        share = max(share, 0.7)
    width, height = (max(2, int(share * side)) for side in picture.size)
    left, top = (int(rng.integers(whole - part + 1)) for whole, part in zip(picture.size, (width, height), strict=True))
    scale = SIDE / max(width, height)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    part = picture.resize(size, Image.Resampling.BOX, box=(left, top, left + width, top + height))
    return np.asarray(part, np.float64) / 255


def _linear(encoded: Numbers, rng: np.random.Generator) -> Numbers:
    """Linear light, with a random share of the S-curve and of the saturation of a finished photo undone."""
    share = rng.uniform()
    curved = (1 - share) * encoded + share * (0.5 - np.sin(np.arcsin(1 - 2 * encoded) / 3))
    linear = np.where(curved <= 0.04045, curved / 12.92, ((curved + 0.055) / 1.055) ** 2.4)
    luminance = (linear @ XYZ_OF_SRGB[1])[..., None]
    saturation = rng.uniform(0, 0.65) if rng.uniform() < PALE else rng.uniform(0.65, 1.05)
    linear = np.maximum(luminance + saturation * (linear - luminance), 0)
    return linear * np.exp(rng.normal(0, (0.03, 0, 0.03)))  # nor is the photo's own balance perfect


def _camera(rng: np.random.Generator) -> Numbers:
    """XYZ to camera RGB."""
    white = XYZ_OF_SRGB.sum(axis=1)
    matrix = np.tensordot(rng.dirichlet(np.full(4, 0.6)), PUBLIC_MATRICES, 1)
    matrix /= (matrix @ white)[:, None]
    matrix += rng.normal(0, 2 * MATRIX_SPREAD * np.abs(matrix).mean(), (3, 3))
    gains = np.array(SENSOR_GAINS) * np.exp(rng.normal(0, (SENSOR_SPREAD, 0, SENSOR_SPREAD)))
    camera: Numbers = matrix / (matrix @ white * gains)[:, None]
    return camera


def _light(rng: np.random.Generator) -> Numbers:
    """XYZ of a light."""
    near = rng.uniform() < 0.5
    mired = rng.normal(DAYLIGHT_MIRED, DAYLIGHT_SPREAD) if near else rng.uniform(*MIREDS)
    x, y = _locus(float(np.clip(mired, 105, 400)))
    return _xyz(x + rng.normal(0, OFF_LOCUS), y + rng.normal(0, OFF_LOCUS))


def _locus(mired: float) -> tuple[float, float]:
    """Chromaticity of black bodies, and a little above it of daylight."""
    u, v = (float(np.interp(mired, ISOTHERMS[:, 0], ISOTHERMS[:, column])) for column in (1, 2))
    below = 2 * u - 8 * v + 4
    return 3 * u / below, 2 * v / below + (ABOVE_LOCUS if mired < 230 else 0)


def _xyz(x: float, y: float) -> Numbers:
    return np.array((x / y, 1, (1 - x - y) / y))


def _captured(seen: Numbers, brightness: Numbers, rng: np.random.Generator) -> Numbers:
    """With exposure, highlights beyond the photo's white, shading, noise and an error of the black level."""
    height, width, _ = seen.shape
    level = np.exp(rng.uniform(np.log(0.15), np.log(1.6))) if rng.uniform() < 0.6 else rng.uniform(0.6, 1.1)
    cells = seen * level
    if rng.uniform() < 0.4:
        cells = cells * (1 + np.clip((brightness - 0.85) / 0.15, 0, 1) ** 2 * rng.uniform(0, 2))
    radius = (np.linspace(-1, 1, height)[:, None] ** 2 + np.linspace(-1, 1, width)[None] ** 2)[..., None] / 2
    cells = cells * (1 - rng.uniform(0, 0.35) * radius) * (1 + rng.normal(0, 0.03, 3) * radius)
    shot, read = 0.3 * 10 ** rng.uniform(-4, -2.4), 0.3 * 10 ** rng.uniform(-6, -4)
    cells = cells + np.sqrt(shot * cells + read) * rng.standard_normal(cells.shape) + rng.normal(0, 0.001, 3)
    return np.minimum(cells, 1)


def _gains(neutral: Numbers) -> Gains:
    red, green, blue = neutral.tolist()
    return green / red, 1.0, green / blue
