"""What a network is given of a capture: its samples in neutral light and, where that was learned, metered."""

import math
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas_isp.raw.glance import glance
from nas_isp.raw.image import RawImage
from nas_isp.raw.light import LightChoice, LightSource, light_of
from nas_isp.raw.sensor import Gains
from nas_isp.raw.srgb import encoded
from nas_isp.settings import Settings

Floats = NDArray[np.float32]

InputKind = Literal["balanced", "sensor"]

LEAST_BRIGHTNESS = 1e-3
"""Mean of encoded samples below which a capture is black and tells no exposure."""

MOST_EXPOSURE = 4.0
"""A capture is brightened or darkened by at most this factor before the network sees it."""


class NetworkInput(Settings):
    """How planes, 0 at black and 1 at white, become a network's input."""

    kind: Annotated[
        InputKind,
        Field(description="balanced: multiplied by the capture's white-balance gains; sensor: as the sensor gave it."),
    ] = "sensor"
    white_balance: Annotated[
        tuple[float, float, float],
        Field(description="Gains of the training captures on the whole, for captures that tell no light."),
    ] = (1.0, 1.0, 1.0)
    light: Annotated[
        LightSource,
        Field(description="Which light of a capture was taken in training."),
    ] = "as-shot"
    brightness: Annotated[
        float, Field(ge=-10, le=1, description="Logarithm of the training captures' mean brightness.")
    ] = 0.0
    slope: Annotated[
        float,
        Field(ge=-2, le=2, description="How much brighter captures than that are exposed up (or, below 0, down)."),
    ] = 0.0

    @property
    def choice(self) -> LightChoice:
        """Which light is taken unless a user says otherwise."""
        return LightChoice(self.light)

    def factors(self, seen: Floats, gains: Gains) -> Floats:
        """What to multiply the planes of R, G and B by, `(3,)`.

        Args:
            seen: a glance at the capture, `(4, n, n)`; see `raw.glance`.
            gains: of the capture's light, G = 1.
        """
        if self.kind == "sensor":
            return np.ones(3, np.float32)
        log_exposure = self.slope * (log_brightness(seen, gains) - self.brightness) if self.slope else 0.0
        exposure = math.exp(max(-math.log(MOST_EXPOSURE), min(math.log(MOST_EXPOSURE), log_exposure)))
        return np.array(gains, np.float32) * np.float32(exposure)


def input_of(
    raw: RawImage, packed: Floats, kind: NetworkInput, choice: LightChoice | None = None, saturation: float = 1.0
) -> Floats:
    """Planes `(4, h, w)` of a capture as a network is given them.

    Args:
        raw: the capture.
        packed: its planes.
        kind: what the network takes.
        choice: of the light, by default as in training.
        saturation: where samples stop, in units of the planes.

    Raises:
        InputError: see `light.light_of`.
    """
    return balanced(packed, factors_of(raw, packed, kind, choice, saturation))


def factors_of(
    raw: RawImage, packed: Floats, kind: NetworkInput, choice: LightChoice | None = None, saturation: float = 1.0
) -> Floats | None:
    """What `input_of` multiplies the planes of R, G and B by, `(3,)`; None where a network takes them as they are.

    Raises:
        InputError: see `light.light_of`.
    """
    if kind.kind == "sensor":
        return None
    red, green, blue = light_of(raw, packed, choice or kind.choice, kind.white_balance, saturation).gains
    return factors_in_light(packed, kind, (red / green, 1.0, blue / green))


def factors_in_light(packed: Floats, kind: NetworkInput, gains: Gains) -> Floats | None:
    """The same of a whole capture `(4, h, w)` in a light of known gains, G = 1."""
    return None if kind.kind == "sensor" else kind.factors(glance(packed), gains)


def balanced(packed: Floats, factors: Floats | None) -> Floats:
    """Planes `(4, h, w)` as a network is given them, by what `factors_of` gave."""
    return packed if factors is None else packed * of_planes(factors)


def of_planes(factors: Floats) -> Floats:
    """Factors of R, G, B for the planes R, G1, G2, B, as `(4, 1, 1)`."""
    planes: Floats = factors[[0, 1, 1, 2], None, None]
    return planes


def balanced_colors(seen: Floats, gains: Gains) -> Floats:
    """Colors `(3, ...)` of packed cells `(4, ...)` in neutral light, cut at 1."""
    red, green1, green2, blue = np.minimum(seen, 1)
    colors = np.stack([gain * plane for gain, plane in zip(gains, (red, (green1 + green2) / 2, blue), strict=True)])
    cut: Floats = np.clip(colors, 0, 1).astype(np.float32)
    return cut


def log_brightness(seen: Floats, gains: Gains) -> float:
    """Natural logarithm of the mean of a capture's colors, encoded as sRGB: about how bright it looks."""
    return math.log(max(float(encoded(balanced_colors(seen, gains)).mean()), LEAST_BRIGHTNESS))
