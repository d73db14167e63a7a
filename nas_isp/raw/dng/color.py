"""White balance and color matrix of a DNG file.

DNG specification 1.7.1.0, chapter 6, "Mapping Camera Color Space to CIE XYZ Space".
"""

from dataclasses import dataclass

import numpy as np

from nas_isp.raw.dng.illuminants import (
    D50,
    LIGHTS,
    OTHER_LIGHT,
    TEMPERATURES,
    Chromaticity,
    adaptation,
    chromaticity_of,
    temperature_of,
    weights_of_three,
    xyz_of,
)
from nas_isp.raw.dng.tags import DngTags
from nas_isp.raw.sensor import Gains
from nas_isp.raw.tiff_directory import Matrix

XYZ_OF_SRGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""Linear sRGB to CIE XYZ (D65), IEC 61966-2-1."""

D65: Chromaticity = (0.95047 / 3.0393, 1 / 3.0393)
"""That of `XYZ_OF_SRGB`: XYZ (0.95047, 1, 1.08883)."""

STEPS = 30
SETTLED = 1e-7
DAYLIGHT_K = 6500.0


@dataclass(frozen=True)
class DngColor:
    """Colors as a DNG file says them.

    Attributes:
        white_balance: gains that make the light of the picture neutral, G = 1; None where the file does not say.
        color_matrix: white-balanced camera RGB to linear sRGB `(3, 3)`, rows sum to 1; None without a usable matrix.
        light: chromaticity of the light; None where it is not known.
        sensor_matrix: the color matrix of daylight: the same for all captures of a sensor, whatever their light.
    """

    white_balance: Gains | None
    color_matrix: Matrix | None
    light: Chromaticity | None
    sensor_matrix: Matrix | None = None


def dng_color(tags: DngTags) -> DngColor:
    """Gains and matrix of the light of a picture.

    AsShotNeutral is the gains; AsShotWhiteXY says the same through the matrices. With matrices for two lights those
    for the picture's are interpolated over the reciprocal of its color temperature, with those for three over
    temperature and tint; with one matrix the result is the
    sensor's, and does not change with the light. Forward matrices are preferred, as the specification wants it.
    """
    calibration = _Calibration(tags)
    try:
        with np.errstate(all="ignore"):
            return _color(tags, calibration)
    except np.linalg.LinAlgError:
        neutral = tags.as_shot_neutral
        return DngColor(None if neutral is None else _gains(np.array(neutral)), None, None)


def _color(tags: DngTags, calibration: "_Calibration") -> DngColor:
    light = tags.as_shot_white_xy if tags.as_shot_neutral is None else None
    neutral = None if tags.as_shot_neutral is None else np.array(tags.as_shot_neutral)
    if calibration.usable:
        if neutral is not None:
            light = calibration.light_of(neutral)
        elif light is not None:
            neutral = calibration.to_camera(light) @ xyz_of(light)
    gains = None if neutral is None else _gains(neutral)
    return DngColor(gains, calibration.to_srgb(light), light, calibration.to_srgb(None))


class _Calibration:
    """The matrices of a file, for any light."""

    def __init__(self, tags: DngTags) -> None:
        self._lights = _three_lights(tags)
        count = 2 if self._lights is None else 3
        self._color, self._forward = tags.color_matrices[:count], tags.forward_matrices[:count]
        own = tags.camera_calibrations if tags.calibration_signatures_match else ()
        balance = np.diag(tags.analog_balance or (1.0, 1.0, 1.0))
        given = [*own, None, None, None][:count]
        self._own = tuple(balance @ (np.eye(3) if one is None else one) for one in given)
        self._kelvin = tuple(_kelvin(tags, place) for place in range(2))

    @property
    def usable(self) -> bool:
        """Whether there is a matrix between XYZ and the camera."""
        return any(matrix is not None for matrix in self._color)

    def to_camera(self, light: Chromaticity | None) -> Matrix:
        """XYZ to camera values `(3, 3)` in a light."""
        return self._of(self._own, light) @ self._of(self._color, light)

    def light_of(self, neutral: Matrix) -> Chromaticity | None:
        """The light in which gray has the camera color `neutral`: the matrix depends on it, so step by step."""
        light: Chromaticity = D50
        for step in range(STEPS):
            found = chromaticity_of(np.linalg.solve(self.to_camera(light), neutral))
            if found is None:
                return None
            if max(abs(found[0] - light[0]), abs(found[1] - light[1])) < SETTLED:
                return found
            last = step == STEPS - 1  # it may swing between two lights
            light = ((found[0] + light[0]) / 2, (found[1] + light[1]) / 2) if last else found
        return light

    def to_srgb(self, light: Chromaticity | None) -> Matrix | None:
        """White-balanced camera values to linear sRGB; None where the matrices allow none."""
        if any(matrix is not None for matrix in self._forward):
            white = xyz_of(D50)
            forward = self._of(self._forward, light)
            forward = np.diag(white / forward.sum(axis=1)) @ forward
            own = self._of(self._own, light)
            neutral = self.to_camera(light or D65) @ xyz_of(light or D65) if self.usable else own.sum(axis=1)
            reference = np.linalg.solve(own, neutral)
            matrix = forward @ np.diag(1 / reference) @ np.linalg.inv(own) @ np.diag(neutral)
            return rows_to_one(np.linalg.inv(adaptation(D65, D50) @ XYZ_OF_SRGB) @ matrix)
        if not self.usable:
            return None
        if light is None or not (self._for_three(self._color) or self._for_two(self._color)):
            light = D65
        neutral = self.to_camera(light) @ xyz_of(light)
        to_xyz = adaptation(light, D65) @ np.linalg.inv(self.to_camera(light)) @ np.diag(neutral)
        return rows_to_one(np.linalg.inv(XYZ_OF_SRGB) @ to_xyz)

    def _for_three(self, matrices: tuple[Matrix | None, ...]) -> bool:
        return self._lights is not None and len(matrices) == 3 and all(one is not None for one in matrices)

    def _for_two(self, matrices: tuple[Matrix | None, ...]) -> bool:
        given = all(one is not None for one in matrices[:2])
        return given and min(self._kelvin) > 0 and len(set(self._kelvin)) == 2

    def _of(self, matrices: tuple[Matrix | None, ...], light: Chromaticity | None) -> Matrix:
        """The matrix for a light; daylight's where it is not known."""
        if self._lights is not None and self._for_three(matrices):
            weights = weights_of_three(light or D65, self._lights)
            return np.asarray(
                sum(weight * one for weight, one in zip(weights, matrices, strict=True) if one is not None)
            )
        first, second = matrices[:2]
        if first is None or second is None:
            only = first if second is None else second
            return np.eye(3) if only is None else only
        if not self._for_two(matrices):
            return first
        share = self._share_of_first(DAYLIGHT_K if light is None else temperature_of(light))
        mixed: Matrix = share * first + (1 - share) * second
        return mixed

    def _share_of_first(self, kelvin: float) -> float:
        one, other = self._kelvin
        share = (1 / kelvin - 1 / other) / (1 / one - 1 / other)
        return float(np.clip(share, 0, 1))


def _three_lights(tags: DngTags) -> list[Chromaticity] | None:
    """Those of a file with matrices for three lights (DNG 1.6); None for any other."""
    if len(tags.color_matrices) < 3 or any(matrix is None for matrix in tags.color_matrices):
        return None
    lights = [_light(tags, place) for place in range(3)]
    known = [light for light in lights if light is not None]
    return known if len(set(known)) == 3 else None


def _light(tags: DngTags, place: int) -> Chromaticity | None:
    code = tags.illuminants[place] if place < len(tags.illuminants) else 0
    if code == OTHER_LIGHT:
        return tags.described_lights[place] if place < len(tags.described_lights) else None
    return LIGHTS.get(code)


def _kelvin(tags: DngTags, place: int) -> float:
    """Of one of two lights; 0 where it is not known."""
    if tags.illuminants[place] == OTHER_LIGHT:
        light = _light(tags, place)
        return 0.0 if light is None else temperature_of(light)
    return TEMPERATURES.get(tags.illuminants[place], 0.0)


def rows_to_one(matrix: Matrix) -> Matrix | None:
    """A matrix whose rows sum to 1; None where they cannot."""
    sums = matrix.sum(axis=1, keepdims=True)
    if not np.isfinite(matrix).all() or sums.min() < 1e-3:
        return None
    return np.asarray(matrix / sums)


def _gains(neutral: Matrix) -> Gains | None:
    """Gains of a camera color of gray; None for one that no light gives."""
    if not np.isfinite(neutral).all() or neutral.min() <= 0:
        return None
    red, green, blue = (float(value) for value in neutral)
    return (green / red, 1.0, green / blue)
