"""The light of a capture, estimated from the whole capture by a small network (docs/light.md has its figures).

Statistics of its colors (`light_statistics`) go through two hidden layers of 32; out comes how far the light is from
the prior, and how sure that is. It is run once a capture, outside of the image network, with numpy alone.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.raw.light_statistics import COLORS, SHAPES, Floats, LightStatistics, Numbers, light_statistics
from nas_isp.raw.sensor import Gains

WEIGHTS_FILE = Path(__file__).with_name("light_estimator.npz")
HIDDEN = 32
INPUTS = 2 * COLORS + SHAPES
SHAPES_OF_WEIGHTS: dict[str, tuple[int, ...]] = {
    "center": (INPUTS,),
    "scale": (INPUTS,),
    "weight1": (HIDDEN, INPUTS),
    "bias1": (HIDDEN,),
    "weight2": (HIDDEN, HIDDEN),
    "bias2": (HIDDEN,),
    "weight3": (3, HIDDEN),
    "bias3": (3,),
}
"""Arrays of the weights' file, float32."""

COMMON_SENSOR: Gains = (2.0, 1.0, 1.6)
"""Gains of daylight of a common sensor: the prior where nothing is known of a sensor."""

GAIN_LIMIT = 8.0
"""No light that people photograph in needs a larger gain, or a smaller one than its inverse."""

UNSURE = (0.01, 1.0)
"""The deviation is held within these."""


@dataclass(frozen=True)
class LightEstimate:
    """The estimated light of a capture.

    Attributes:
        gains: of R, G, B that make it neutral, G = 1, within 1/8..8.
        deviation: standard deviation of the logarithms of the gains of R and B, as the network expects it.
    """

    gains: Gains
    deviation: float


def estimate_light(packed: Floats, prior: Gains | None = None, saturation: float = 1.0) -> Gains:
    """Gains of R, G, B, G = 1, for the light of a capture; the prior where too little of it is usable.

    Arguments are those of `infer_light`.
    """
    found = infer_light(packed, prior, saturation)
    return found.gains if found is not None else prior or COMMON_SENSOR


def infer_light(packed: Floats, prior: Gains | None = None, saturation: float = 1.0) -> LightEstimate | None:
    """The light of a capture and how sure it is; None where too little is usable, being dark, saturated or not finite.

    Args:
        packed: planes `(4, h, w)` of the whole capture, or patches of one capture `(B, 4, h, w)`; black subtracted, in
            units of white, in the light's and the sensor's own colors.
        prior: gains that captures of the sensor have on the whole, such as the mean of a set's; None for those of a
            common sensor.
        saturation: where samples stop, in the same units.
    """
    start = COMMON_SENSOR if prior is None else prior
    statistics = light_statistics(packed, saturation, start)
    if statistics is None:
        return None
    red, blue, uncertainty = _inferred(_weights(), network_input(statistics))
    bounds = 1 / GAIN_LIMIT, GAIN_LIMIT
    gains = (float(np.clip(start[0] * np.exp(-red), *bounds)), 1.0, float(np.clip(start[2] * np.exp(-blue), *bounds)))
    return LightEstimate(gains, float(np.clip(np.exp(uncertainty), *UNSURE)))


def network_input(statistics: LightStatistics) -> Numbers:
    """The numbers `(INPUTS,)` that the network takes, before they are scaled."""
    return np.concatenate((statistics.colors.ravel(), statistics.shapes))


def _inferred(weights: dict[str, NDArray[np.float32]], numbers: Numbers) -> tuple[float, float, float]:
    """Log of red and of blue over green of the light, from the prior on; log of the deviation."""
    values = np.clip((numbers - weights["center"]) / weights["scale"], -10, 10)
    for layer in ("1", "2"):
        values = weights[f"weight{layer}"] @ values + weights[f"bias{layer}"]
        values = values / (1 + np.exp(-np.clip(values, -50, 50)))  # SiLU
    red, blue, uncertainty = (weights["weight3"] @ values + weights["bias3"]).tolist()
    return red, blue, uncertainty


@lru_cache(maxsize=1)
def _weights() -> dict[str, NDArray[np.float32]]:
    return read_weights(WEIGHTS_FILE)


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of a file.

    Raises:
        InputError: missing, or not the arrays that are wanted.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            weights = {name: file[name] for name in SHAPES_OF_WEIGHTS}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise InputError(f"{path}: not the weights of the estimator of the light ({error}); install anew") from error
    for name, shape in SHAPES_OF_WEIGHTS.items():
        if weights[name].shape != shape or weights[name].dtype != np.float32 or not np.isfinite(weights[name]).all():
            raise InputError(f"{path}: {name} is not {shape} finite float32; install anew")
    return weights
