"""The canvas that scenes are painted on, fractal noise, and colors in linear light."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float32]
Shader = Callable[[Array, Array], tuple[Array, Array]]
SUPERSAMPLING = 3


class Canvas:
    """A square picture in linear light, supersampled; positions and lengths are fractions of its side, y goes down."""

    def __init__(self, side: int, rng: np.random.Generator) -> None:
        self.side = side * SUPERSAMPLING
        self.rng = rng
        axis = (np.arange(self.side, dtype=np.float32) + 0.5) / self.side
        self.x, self.y = np.meshgrid(axis, axis)
        self.rgb: Array = np.zeros((self.side, self.side, 3), np.float32)

    def paint(self, mask: Array, color: Array) -> None:
        """Cover the picture with `color` `(3,)` or `(n, n, 3)` where `mask` `(n, n)` is 1."""
        self.rgb += mask[..., None] * (color - self.rgb)

    def stamp(
        self, center: tuple[float, float], radius: float, shader: Shader, aspect: float = 1.0, angle: float = 0.0
    ) -> None:
        """Paint a small thing; `shader(u, v)` gives its opacity and color in its own coordinates, about -1..1."""
        reach = radius * max(1.0, aspect) * 1.05
        rows, columns = self._span(center[1], reach), self._span(center[0], reach)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        dx, dy = self.x[rows, columns] - center[0], self.y[rows, columns] - center[1]
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        alpha, color = shader((dx * cos + dy * sin) / radius, (dy * cos - dx * sin) / (radius * aspect))
        region = self.rgb[rows, columns]
        region += alpha[..., None] * (color - region)

    def shadow(self, center: tuple[float, float], radius: float, strength: float, aspect: float = 1.0) -> None:
        """Darken an elliptic region with a soft edge."""

        def shade(u: Array, v: Array) -> tuple[Array, Array]:
            return strength * smooth(1.0 - np.hypot(u, v), 0.0, 0.6), np.zeros(3, np.float32)

        self.stamp(center, radius, shade, aspect)

    def noise(self, beta: float, stretch: tuple[float, float] = (1.0, 1.0)) -> Array:
        """Noise over the canvas whose amplitude falls as 1/f^beta; zero mean, unit deviation; see `fractal_noise`."""
        return fractal_noise(self.rng, self.side, beta, stretch)

    def blur(self, radius: float) -> None:
        """Put everything painted so far out of focus: discs of `radius`, as a lens draws them."""
        self.rgb = disc_blur(self.rgb, radius * self.side)

    def finished(self) -> Array:
        """The picture at its true size, `(side, side, 3)` in linear light."""
        size = self.side // SUPERSAMPLING
        return self.rgb.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING, 3).mean(axis=(1, 3))

    def _span(self, center: float, reach: float) -> slice:
        low, high = int((center - reach) * self.side), int((center + reach) * self.side) + 2
        return slice(min(max(low, 0), self.side), min(max(high, 0), self.side))


def fractal_noise(rng: np.random.Generator, side: int, beta: float, stretch: tuple[float, float] = (1.0, 1.0)) -> Array:
    """Periodic noise `(side, side)`; `stretch` (horizontal, vertical) above 1 draws it out along that direction."""
    fy = np.fft.fftfreq(side)[:, None] * stretch[1]
    fx = np.fft.rfftfreq(side)[None, :] * stretch[0]
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) * frequency**-beta
    noise = np.fft.irfft2(spectrum, s=(side, side))
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def fractal_line(rng: np.random.Generator, count: int, beta: float) -> Array:
    """Noise along a line, `(count,)`, not periodic; zero mean, unit deviation."""
    frequency = np.fft.rfftfreq(2 * count)
    frequency[0] = np.inf
    line = np.fft.irfft(np.fft.rfft(rng.standard_normal(2 * count)) * frequency**-beta)[:count]
    return ((line - line.mean()) / line.std()).astype(np.float32)


def disc_blur(picture: Array, radius: float) -> Array:
    """Convolve `(n, n, 3)` with a disc of `radius` pixels, edges mirrored."""
    margin = int(radius) + 2
    padded = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    rows, columns = padded.shape[:2]
    dy = np.fft.fftfreq(rows, 1 / rows)[:, None]
    dx = np.fft.fftfreq(columns, 1 / columns)[None, :]
    disc = np.clip(radius + 0.5 - np.hypot(dx, dy), 0, 1)
    kernel = np.fft.rfft2(disc / disc.sum())
    blurred = np.fft.irfft2(np.fft.rfft2(padded, axes=(0, 1)) * kernel[..., None], s=(rows, columns), axes=(0, 1))
    return np.maximum(blurred[margin:-margin, margin:-margin], 0).astype(np.float32)


def gaussian(picture: Array, sigma: float) -> Array:
    """Gaussian blur of `(n, n)` or `(n, n, 3)` by `sigma` pixels."""
    sigmas = (sigma, sigma) + (0,) * (picture.ndim - 2)
    return ndimage.gaussian_filter(picture, sigmas, mode="nearest").astype(np.float32)


def smooth(value: Array, low: float, high: float) -> Array:
    """0 below `low`, 1 above `high`, a smooth step between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def relief(height: Array, strength: float, light: tuple[float, float] = (-0.7, -0.7)) -> Array:
    """How much brighter a bumpy surface is where it faces the light, `(n, n)` around 1."""
    dy, dx = np.gradient(height)
    slope = (dx * light[0] + dy * light[1]) * strength
    return np.clip(1.0 + slope, 0.35, 1.8).astype(np.float32)


def color(hexadecimal: str) -> Array:
    """An sRGB color like `8fb3d9` as linear light `(3,)`."""
    encoded = np.array([int(hexadecimal[i : i + 2], 16) for i in (0, 2, 4)], np.float32) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(np.float32)


def pick(rng: np.random.Generator, palette: str, spread: float = 0.12) -> Array:
    """A color of a palette (words of hexadecimal digits), varied by about `spread` in brightness and balance."""
    words = palette.split()
    base = color(words[int(rng.integers(len(words)))])
    brightness, balance = rng.normal(0, spread), rng.normal(0, spread / 3, 3)
    return np.clip(base * np.exp(brightness + balance), 0.002, 1.2).astype(np.float32)


def mix(a: Array, b: Array, share: Array | float) -> Array:
    """`a` where `share` is 0, `b` where it is 1; a share `(n, n)` is spread over the channels."""
    weight = share[..., None] if isinstance(share, np.ndarray) and share.ndim == 2 else share
    return (a + (b - a) * weight).astype(np.float32)
