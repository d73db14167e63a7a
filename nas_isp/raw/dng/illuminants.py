"""Lights: chromaticities, correlated color temperatures, and adaptation from one white to another."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating[Any]]
Chromaticity = tuple[float, float]

D50: Chromaticity = (0.3457, 0.3585)

TEMPERATURES: dict[int, float] = {
    **{1: 5500, 2: 4150, 3: 2850, 4: 5500, 9: 5500, 10: 6500, 11: 7500, 12: 6400, 13: 5050, 14: 4150, 15: 3525},
    **{16: 2925, 17: 2850, 18: 5500, 19: 6500, 20: 5500, 21: 6500, 22: 7500, 23: 5000, 24: 3200},
}
"""Kelvin of EXIF LightSource codes, as Adobe's DNG SDK takes them: 17 is illuminant A, 21 D65, 23 D50."""

LIGHTS: dict[int, Chromaticity] = {
    **dict.fromkeys((3, 17), (0.4476, 0.4074)),
    18: (0.348483, 0.351747),
    19: (0.310061, 0.316150),
    23: (0.3457, 0.3585),
    **dict.fromkeys((1, 4, 9, 20), (0.3324, 0.3474)),
    **dict.fromkeys((10, 21), (0.3127, 0.3290)),
    **dict.fromkeys((11, 22), (0.2990, 0.3149)),
    12: (0.31310, 0.33727),
    **dict.fromkeys((2, 14), (0.37208, 0.37529)),
    13: (0.34588, 0.35875),
    15: (0.40910, 0.39430),
    16: (0.44018, 0.40329),
    24: (0.42270, 0.39895),
}
"""Chromaticities of the same lights, which count where there are three: fluorescent ones are CIE F1, F2, F8, F3, F4."""

OTHER_LIGHT = 255
"""Code of a light that the file describes itself."""

TINT_SCALE = -3000.0
WARMEST_KELVIN, FURTHEST_TINT = 1500.0, 200.0
LEAST_SQUARE, LEAST_WEIGHT = 1e-8, 0.02

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
MOST_ADAPTATION = 10.0

ISOTHERMS = np.array(
    [
        (0, 0.18006, 0.26352, -0.24341),
        (10, 0.18066, 0.26589, -0.25479),
        (20, 0.18133, 0.26846, -0.26876),
        (30, 0.18208, 0.27119, -0.28539),
        (40, 0.18293, 0.27407, -0.30470),
        (50, 0.18388, 0.27709, -0.32675),
        (60, 0.18494, 0.28021, -0.35156),
        (70, 0.18611, 0.28342, -0.37915),
        (80, 0.18740, 0.28668, -0.40955),
        (90, 0.18880, 0.28997, -0.44278),
        (100, 0.19032, 0.29326, -0.47888),
        (125, 0.19462, 0.30141, -0.58204),
        (150, 0.19962, 0.30921, -0.70471),
        (175, 0.20525, 0.31647, -0.84901),
        (200, 0.21142, 0.32312, -1.0182),
        (225, 0.21807, 0.32909, -1.2168),
        (250, 0.22511, 0.33439, -1.4512),
        (275, 0.23247, 0.33904, -1.7298),
        (300, 0.24010, 0.34308, -2.0637),
        (325, 0.24702, 0.34655, -2.4681),
        (350, 0.25591, 0.34951, -2.9641),
        (375, 0.26400, 0.35200, -3.5814),
        (400, 0.27218, 0.35407, -4.3633),
        (425, 0.28039, 0.35577, -5.3762),
        (450, 0.28863, 0.35714, -6.7262),
        (475, 0.29685, 0.35823, -8.5955),
        (500, 0.30505, 0.35907, -11.324),
        (525, 0.31320, 0.35968, -15.628),
        (550, 0.32129, 0.36011, -23.325),
        (575, 0.32931, 0.36038, -40.770),
        (600, 0.33724, 0.36051, -116.45),
    ]
)
"""Reciprocal megakelvin, u, v and slope of the lines of equal temperature: Robertson, "Computation of correlated color
temperature and distribution temperature", JOSA 58 (1968)."""


def xyz_of(light: Chromaticity) -> Matrix:
    """XYZ `(3,)` of a light with Y = 1."""
    x, y = light
    return np.array((x / y, 1.0, (1 - x - y) / y))


def chromaticity_of(xyz: Matrix) -> Chromaticity | None:
    """x and y of XYZ `(3,)`; None for what no light has."""
    total = float(xyz.sum())
    if not np.isfinite(xyz).all() or total <= 0 or min(xyz[0], xyz[1]) <= 0 or xyz[2] < 0:
        return None
    return float(xyz[0]) / total, float(xyz[1]) / total


def temperature_of(light: Chromaticity) -> float:
    """Correlated color temperature in kelvin, by Robertson's method; 1667 and above."""
    return temperature_and_tint(light)[0]


def temperature_and_tint(light: Chromaticity) -> tuple[float, float]:
    """Correlated color temperature, and the distance from the black body along the line of equal temperature.

    A tint of 1 is a distance of 1/3000 in the CIE 1960 diagram, positive towards green, as in Adobe's DNG SDK.
    """
    x, y = light
    below = -2 * x + 12 * y + 3
    u, v = 4 * x / below, 6 * y / below
    reciprocal, us, vs, slopes = ISOTHERMS.T
    distances = ((v - vs) - slopes * (u - us)) / np.hypot(1, slopes)
    crossed = np.nonzero(distances[1:] <= 0)[0]
    after = int(crossed[0]) + 1 if len(crossed) else len(ISOTHERMS) - 1
    share = distances[after - 1] / (distances[after - 1] - distances[after]) if len(crossed) else 1.0
    if distances[0] <= 0:
        share = 0.0
    lengths = np.hypot(1, slopes)
    ends = slice(after - 1, after + 1)
    weights = np.array((1 - share, share))
    along = np.array((weights @ (1 / lengths[ends]), weights @ (slopes[ends] / lengths[ends])))
    offset = np.array((u - weights @ us[ends], v - weights @ vs[ends]))
    tint = TINT_SCALE * float(offset @ along / np.hypot(*along))
    inverse = float(weights @ reciprocal[ends])
    return (1e6 / inverse if inverse > 0 else math.inf), tint


def weights_of_three(light: Chromaticity, lights: Sequence[Chromaticity]) -> Matrix:
    """Shares `(3,)` of the matrices of three lights for a picture's, which sum to 1.

    By the inverse square of the distance over 1500 K / temperature and tint / 200, smoothed, small ones left out
    (CalculateTripleIlluminantWeights of Adobe's DNG SDK 1.6).
    """
    places = np.array([_place(one) for one in (light, *lights)])
    closeness = 1 / (((places[1:] - places[0]) ** 2).sum(axis=1) + LEAST_SQUARE)
    shares = closeness / closeness.sum()
    smooth = shares * shares * (3 - 2 * shares)
    kept = np.clip((smooth - LEAST_WEIGHT) / (1 - LEAST_WEIGHT), 0, 1)
    weights: Matrix = kept / kept.sum()
    return weights


def _place(light: Chromaticity) -> tuple[float, float]:
    kelvin, tint = temperature_and_tint(light)
    return min(WARMEST_KELVIN / kelvin, 1.0), tint / FURTHEST_TINT


def adaptation(from_light: Chromaticity, to_light: Chromaticity) -> Matrix:
    """XYZ seen under one white to XYZ that looks the same under another `(3, 3)`: the linear Bradford transform."""
    before, after = (BRADFORD @ xyz_of(light) for light in (from_light, to_light))
    scale = np.clip(after / np.maximum(before, 1e-6), 1 / MOST_ADAPTATION, MOST_ADAPTATION)
    adapted: Matrix = np.linalg.inv(BRADFORD) @ np.diag(scale) @ BRADFORD
    return adapted
