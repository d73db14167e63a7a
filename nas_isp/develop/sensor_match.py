"""Whether a picture is from the sensor that a model was made for, and what brings it there if not."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_isp.evaluation.neutral import neutral_gains
from nas_isp.raw.adaptation import ColorExchange, color_exchange
from nas_isp.raw.camera_files import CAMERA_SUFFIXES
from nas_isp.raw.groups import same_levels, same_matrix
from nas_isp.raw.image import RawFacts, RawImage
from nas_isp.raw.light import LightChoice, light_of
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.sensor import Gains, SensorDescription

Floats = NDArray[np.float32]

DAYLIGHT: Gains = (2.0, 1.0, 1.6)
"""Of a common camera. What a model takes for neutral hangs on no picture, so neither does where it is looked for."""


NEUTRAL: Gains = (1.0, 1.0, 1.0)
SENSOR_INPUT = NetworkInput()

_WHOSE = {"as-shot": "its", "estimated": "an estimated", "given": "the given"}


@dataclass(frozen=True)
class SensorMatch:
    """A picture beside the sensor of a model.

    Attributes:
        white_balance: gains that make the light of the picture neutral, G = 1; a guess where the file does not say.
        exchange: brings the picture to the model's sensor; None where it is of that sensor, or nothing is known.
        note: a line for the user on what is done to a picture of another sensor, or why nothing is; else empty.
    """

    white_balance: Gains
    exchange: ColorExchange | None = None
    note: str = ""


def match_sensor(
    raw: RawImage,
    packed: Floats,
    sensor: SensorDescription | None,
    takes: NetworkInput = SENSOR_INPUT,
    render: Callable[[Floats], Floats] | None = None,
    light: LightChoice | None = None,
    saturation: float = 1.0,
) -> SensorMatch:
    """Compare a picture's sensor with a model's.

    A picture of the model's sensor is left alone; it is balanced afterwards, if the model takes balanced RAW. A picture
    of another is brought to the model's colors: those in neutral light of a model that takes balanced RAW, else those
    in the light that the model takes for neutral.

    Args:
        raw: the picture; its gains and matrix are used where it has any.
        packed: its planes `(4, h, w)`; from them the light is estimated if it has no gains.
        sensor: of the model; None where the model does not say.
        takes: what the model is given of a capture.
        render: runs the model on planes `(4, h, w)`; asked for its neutral light where `sensor` does not say it.
        light: which light is neutral in the picture; None as in training.
        saturation: where samples stop, in units of the planes.

    Raises:
        InputError: the light cannot be had; see `light_of`.
    """
    balanced, given = takes.kind == "balanced", sensor.white_balance if sensor is not None else None
    same, choice = sensor is None or is_same_sensor(raw, sensor), light or takes.choice
    of_set = takes.white_balance if balanced else given
    # What the model's captures have in common says nothing of another sensor's light, unless a user wants it.
    found = light_of(raw, packed, choice, of_set if same or choice.source == "fixed" else None, saturation)
    gains = _green_one(found.gains)
    if sensor is None or same:
        return SensorMatch(gains)
    neutral: Gains | None = NEUTRAL if balanced else given
    if neutral is None and render is not None:
        neutral = neutral_gains(render, DAYLIGHT) or neutral_gains(render, gains)
    names = _names(raw, sensor)
    if neutral is None:
        return SensorMatch(gains, note=f"{names} and does not say its colors: expect a color cast")
    theirs, ours = raw.color_matrix, sensor.color_matrix
    exchange = color_exchange(gains, neutral, theirs, np.array(ours, np.float32) if ours is not None else None)
    means = f"{_WHOSE.get(found.source, 'a common')} white balance"
    if theirs is not None and ours is not None:
        means += " and the color matrices"
    else:
        lacking = " and ".join(["the file"] * (theirs is None) + ["the model"] * (ours is None))
        means += f" alone ({lacking} without a color matrix)"
    return SensorMatch(gains, exchange, f"{names}; brought there by {means}; turn adapt off to leave it")


def is_same_sensor(raw: RawFacts, sensor: SensorDescription) -> bool:
    """Whether nothing that both say differs: unique model or else name, color matrices, levels.

    Of DNG files the matrices count as they are written, which is the same in any light.
    """
    is_format = f".{sensor.name.lower()}" in CAMERA_SUFFIXES  # what earlier models say in place of a camera
    names = (raw.capture.camera, sensor.name if sensor.is_named and not is_format else "")
    unique = (raw.capture.unique_model, sensor.unique_model)
    one, other = unique if all(unique) else names
    if one and other and _plain(one) != _plain(other):
        return False
    if raw.capture.calibration and sensor.calibration:
        if not same_matrix(raw.capture.calibration, sensor.calibration):
            return False
    elif sensor.color_matrix is not None:
        known = sum(sensor.color_matrix, ())
        given = [matrix for matrix in (raw.color_matrix, raw.sensor_matrix) if matrix is not None]
        if given and not any(same_matrix(tuple(matrix.ravel().tolist()), known) for matrix in given):
            return False
    return same_levels(sensor.black_sites, sensor.white, raw.black, raw.white)


def _names(raw: RawImage, sensor: SensorDescription) -> str:
    """Of the file's camera and the model's, and what tells them apart where the names do not."""
    given, known = raw.capture.camera or "another sensor", sensor.name if sensor.is_named else "another"
    if _plain(given) == _plain(known) and sensor.unique_model and raw.capture.unique_model:
        given, known = raw.capture.unique_model, sensor.unique_model
    alike = ", by other levels or another color matrix" if _plain(given) == _plain(known) else ""
    return f"{raw.source}: from {given}, the model is for {known}{alike}"


def _green_one(gains: Gains) -> Gains:
    red, green, blue = gains
    return red / green, 1.0, blue / green


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
