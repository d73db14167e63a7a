"""How a camera's colors become a photo, in few numbers that can be run both ways: the anchor of all training pictures.

The color of a camera is known, or nearly: its light is neutral by the capture's gains, and a matrix brings it to
linear sRGB. What a photographer or a phone adds is a look: exposure, a tone curve, saturation. Forwards it makes the
content references of captures, backwards the RAW of photos.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from nas_isp.raw.srgb import decoded, encoded
from nas_isp.settings import Settings

Floats = NDArray[np.float32]
Row = tuple[float, float, float]

LUMA = (0.2126, 0.7152, 0.0722)
KNOTS = 65
GRID = np.linspace(0, 1, KNOTS)

USUAL_EXPOSURE = 1 / 0.8
"""Brooks et al., "Unprocessing Images for Learned Raw Denoising" (CVPR 2019): cameras leave a fifth for highlights."""

USUAL_CONTRAST = 0.6
"""Share of their S-curve that is taken for usual: between none, as LibRaw renders, and all of it, as they assume."""


class Look(Settings):
    """From balanced, metered camera colors to sRGB."""

    color_matrix: Annotated[
        tuple[Row, Row, Row], Field(description="Balanced camera RGB to linear sRGB; every row sums to 1.")
    ]
    exposure: Annotated[float, Field(gt=0, le=64, description="Factor on the linear picture.")] = USUAL_EXPOSURE
    tone: Annotated[
        tuple[float, ...],
        Field(min_length=KNOTS, max_length=KNOTS, description="Values of the tone curve on encoded values, 0 to 1."),
    ]
    saturation: Annotated[float, Field(gt=0, le=4, description="Factor on distances from luma.")] = 1.0

    @model_validator(mode="after")
    def _tone_rises(self) -> "Look":
        if self.tone[0] != 0 or self.tone[-1] != 1 or not (np.diff(self.tone) > 0).all():
            raise ValueError("the tone curve has to rise from 0 to 1")
        return self

    def picture(self, balanced: Floats) -> Floats:
        """The sRGB picture `(3, ...)`, 0..1, of balanced camera colors `(3, ...)`, of which 1 is the least saturation.

        What is beyond 1 is cut first, so that saturated samples are white in any light.
        """
        linear = _mixed(self.color_matrix, np.minimum(balanced, 1)) * np.float32(self.exposure)
        toned = np.interp(encoded(linear), GRID, self.tone).astype(np.float32)
        return np.clip(_saturated(toned, self.saturation), 0, 1)

    def scene(self, picture: Floats) -> Floats:
        """Balanced camera colors `(3, ...)` whose picture is this one, as far as one is: the inverse of `picture`."""
        toned = np.clip(_saturated(picture, 1 / self.saturation), 0, 1)
        linear = decoded(np.interp(toned, self.tone, GRID).astype(np.float32)) / np.float32(self.exposure)
        inverse = np.linalg.inv(np.array(self.color_matrix, np.float64))
        return np.maximum(_mixed(inverse, linear), 0)


def usual_tone(contrast: float = USUAL_CONTRAST) -> tuple[float, ...]:
    """The S-curve of Brooks et al. (a smoothstep), in part, on encoded values; see `Look.tone`."""
    undone = (1 - contrast) * GRID + contrast * (0.5 - np.sin(np.arcsin(1 - 2 * GRID) / 3))
    return rising(np.interp(GRID, undone, GRID))


def rising(values: NDArray[np.floating]) -> tuple[float, ...]:
    """A curve of `KNOTS` values as one that can be inverted: from 0 to 1, nowhere flat."""
    held = np.maximum.accumulate(np.clip(values, 0, 1))
    curve = 0.99 * held + 0.01 * GRID
    curve[0], curve[-1] = 0, 1
    return tuple(float(f"{value:.6g}") for value in curve)


def luma(colors: Floats) -> Floats:
    """Luma of colors `(3, ...)`."""
    return np.tensordot(np.array(LUMA, np.float32), colors, 1)


def _saturated(colors: Floats, factor: float) -> Floats:
    gray = luma(colors)
    return gray + np.float32(factor) * (colors - gray)


def _mixed(matrix: object, colors: Floats) -> Floats:
    return np.tensordot(np.array(matrix, np.float32), colors, 1)
