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
from nas_isp.raw.sensor import Gains, SensorDescription

Floats = NDArray[np.float32]

ESTIMATED_FROM = 4
"""Every fourth cell of every fourth row is enough to estimate a light from."""

DAYLIGHT: Gains = (2.0, 1.0, 1.6)
"""Of a common camera. What a model takes for neutral hangs on no picture, so neither does where it is looked for."""

TRUSTED_BELOW = 0.6
"""Share of saturation above which samples say nothing about the light."""


@dataclass(frozen=True)
class SensorMatch:
    """A picture beside the sensor of a model.

    Attributes:
        white_balance: gains that make the light of the picture neutral; the best guess where the file does not say.
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
    render: Callable[[Floats], Floats] | None = None,
    balance: bool = False,
    saturation: float = 1.0,
) -> SensorMatch:
    """Compare a picture's sensor with a model's.

    A picture of the model's sensor is left alone, in whatever light it was taken: the network has learned what to
    make of that. A picture of another is brought to the model's sensor and to the light that the model takes for
    neutral.

    Args:
        raw: the picture; its gains and matrix are used where it has any.
        packed: its planes `(4, h, w)`; from them the light is estimated if it has no gains.
        sensor: of the model; None where the model does not say.
        render: runs the model on planes `(4, h, w)`; asked for its neutral light where `sensor` does not say it.
        balance: bring a picture of the model's own sensor to that light as well.
        saturation: where samples stop, in units of the planes.
    """
    given, neutral = raw.white_balance, sensor.white_balance if sensor is not None else None
    same = sensor is None or is_same_sensor(raw, sensor)
    if same and not balance:
        return SensorMatch(given or neutral or estimated_white_balance(packed, saturation))
    light = given or estimated_white_balance(packed, saturation)
    if neutral is None and render is not None:
        neutral = neutral_gains(render, DAYLIGHT) or neutral_gains(render, light)
    if sensor is None or same:
        if neutral is None:
            return SensorMatch(light, note=f"{raw.source}: not balanced, for the model takes no light for neutral")
        return SensorMatch(light, color_exchange(light, neutral))
    names = _names(raw, sensor)
    if neutral is None:
        return SensorMatch(light, note=f"{names} and does not say its colors: expect a color cast")
    theirs, ours = raw.color_matrix, sensor.color_matrix
    matrices = theirs is not None and ours is not None
    exchange = color_exchange(light, neutral, theirs, np.array(ours, np.float32) if ours is not None else None)
    means = f"{'its' if given else 'an estimated'} white balance"
    if matrices:
        means += " and the color matrices"
    else:
        lacking = " and ".join(["the file"] * (theirs is None) + ["the model"] * (ours is None))
        means += f" alone ({lacking} without a color matrix)"
    return SensorMatch(light, exchange, f"{names}; brought there by {means}; turn adapt off to leave it")


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


def estimated_white_balance(packed: Floats, saturation: float = 1.0) -> Gains:
    """Gains of R, G, B from the picture itself, by shades of gray.

    Bright cells are left out further than one by one: around a blown part lie cells of which some samples have stopped,
    and those pull every light towards the sensor's own white.
    """
    import torch

    from nas_isp.raw.classical import SATURATED, shades_of_gray

    few = np.ascontiguousarray(packed[:, ::ESTIMATED_FROM, ::ESTIMATED_FROM])
    if min(few.shape[1:]) < 2:
        few = packed
    red, green, blue = shades_of_gray(torch.from_numpy(few)[None] * (SATURATED / (TRUSTED_BELOW * saturation))).tolist()
    return red, green, blue


def _names(raw: RawImage, sensor: SensorDescription) -> str:
    """Of the file's camera and the model's, and what tells them apart where the names do not."""
    given, known = raw.capture.camera or "another sensor", sensor.name if sensor.is_named else "another"
    if _plain(given) == _plain(known) and sensor.unique_model and raw.capture.unique_model:
        given, known = raw.capture.unique_model, sensor.unique_model
    alike = ", by other levels or another color matrix" if _plain(given) == _plain(known) else ""
    return f"{raw.source}: from {given}, the model is for {known}{alike}"


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
