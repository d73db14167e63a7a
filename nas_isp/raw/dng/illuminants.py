"""Lights: chromaticities, correlated color temperatures, and adaptation from one white to another."""

import math
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
    x, y = light
    below = -2 * x + 12 * y + 3
    u, v = 4 * x / below, 6 * y / below
    reciprocal, us, vs, slopes = ISOTHERMS.T
    distances = ((v - vs) - slopes * (u - us)) / np.hypot(1, slopes)
    crossed = np.nonzero(distances[1:] <= 0)[0]
    if distances[0] <= 0:
        return math.inf
    if not len(crossed):
        return 1e6 / float(reciprocal[-1])
    after = int(crossed[0]) + 1
    share = distances[after - 1] / (distances[after - 1] - distances[after])
    return 1e6 / float(reciprocal[after - 1] + share * (reciprocal[after] - reciprocal[after - 1]))


def adaptation(from_light: Chromaticity, to_light: Chromaticity) -> Matrix:
    """XYZ seen under one white to XYZ that looks the same under another `(3, 3)`: the linear Bradford transform."""
    before, after = (BRADFORD @ xyz_of(light) for light in (from_light, to_light))
    scale = np.clip(after / np.maximum(before, 1e-6), 1 / MOST_ADAPTATION, MOST_ADAPTATION)
    adapted: Matrix = np.linalg.inv(BRADFORD) @ np.diag(scale) @ BRADFORD
    return adapted
