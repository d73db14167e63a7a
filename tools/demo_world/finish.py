"""From a scene in linear light to a finished photo."""

import numpy as np

from demo_world.canvas import Array, Canvas, gaussian

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def photograph(canvas: Canvas, night: bool = False) -> Array:
    """What a camera with a lively picture style makes of the scene: sRGB `(side, side, 3)` in 0..1.

    Exposure by the scene's brightness, glare around highlights, a film-like tone curve, more saturation, a slight
    color cast, vignetting and sharpening.
    """
    rng = canvas.rng
    linear = np.maximum(canvas.finished(), 0)
    side = linear.shape[0]
    target = rng.uniform(0.05, 0.09) if night else rng.uniform(0.13, 0.21)
    key = float(np.exp(np.log(linear @ LUMA + 0.01).mean()))
    bright = float(np.quantile(linear @ LUMA, 0.98))
    linear *= min(target / key, 1.6 / max(bright, 1e-3)) * np.exp(rng.normal(0, 0.06, 3)).astype(np.float32)
    linear += 0.05 * gaussian(np.maximum(linear - 0.8, 0), side * 0.04)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    linear *= (1 - rng.uniform(0.03, 0.12) * (axis[:, None] ** 2 + axis[None, :] ** 2))[..., None]
    linear = np.maximum(linear + 0.5 * (linear - gaussian(linear, 0.8)), 0)
    gray = (linear @ LUMA)[..., None]
    linear = np.maximum(gray + rng.uniform(0.82, 1.0) * (linear - gray), 0)
    return encode(film_curve(linear))


def film_curve(linear: Array) -> Array:
    """A contrast curve with a toe and a soft shoulder, 0..infinity to 0..1; 0.18 stays near 0.18."""
    x = 1.1 * linear
    return np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14) * 0.98, 0, 1).astype(np.float32)


def encode(linear: Array) -> Array:
    """Linear light 0..1 to sRGB 0..1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055).astype(
        np.float32
    )
