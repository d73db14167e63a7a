"""The ColorChecker Classic in a developed picture: what its 24 patches are, and how far from that they are shown.

Reference: X-Rite, "Colorimetric values for ColorChecker Family of Targets" (formulations after November 2014), CIE Lab
of D50 and the 2 degree observer, as colour-science publishes it ("ColorChecker24 - After November 2014").
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.evaluation.color import ciede2000, srgb_to_lab
from nas_isp.evaluation.metrics import Image8
from nas_isp.raw.classical import decode_srgb, encode_srgb

Floats = NDArray[np.float64]
Corners = Sequence[tuple[float, float]]
"""Four points x, y in pixels around the chart."""

ROWS, COLUMNS = 4, 6
PART = 0.4
"""Share of a field's side that is averaged: the frame around patches and errors of the corners stay out of it."""

LEAST_FIELD = 4
"""Pixels a side of a field: with fewer nothing is left of a patch."""

PATCHES: dict[str, tuple[float, float, float]] = {
    "dark skin": (37.54, 14.37, 14.92),
    "light skin": (64.66, 19.27, 17.5),
    "blue sky": (49.32, -3.82, -22.54),
    "foliage": (43.46, -12.74, 22.72),
    "blue flower": (54.94, 9.61, -24.79),
    "bluish green": (70.48, -32.26, -0.37),
    "orange": (62.73, 35.83, 56.5),
    "purplish blue": (39.43, 10.75, -45.17),
    "moderate red": (50.57, 48.64, 16.67),
    "purple": (30.1, 22.54, -20.87),
    "yellow green": (71.77, -24.13, 58.19),
    "orange yellow": (71.51, 18.24, 67.37),
    "blue": (28.37, 15.42, -49.8),
    "green": (54.38, -39.72, 32.27),
    "red": (42.43, 51.05, 28.62),
    "yellow": (81.8, 2.67, 80.41),
    "magenta": (50.63, 51.28, -14.12),
    "cyan": (49.57, -29.71, -28.32),
    "white": (95.19, -1.03, 2.93),
    "neutral 8": (81.29, -0.57, 0.44),
    "neutral 6.5": (66.89, -0.75, -0.06),
    "neutral 5": (50.76, -0.13, 0.14),
    "neutral 3.5": (35.63, -0.46, -0.48),
    "black": (20.64, 0.07, -0.46),
}
"""CIE Lab (D50) by name, row by row from the brown corner."""

GRAY_ROW = 18
WHITE_D50 = (0.9642, 1.0, 0.8251)
WHITE_D65 = (0.95047, 1.0, 1.08883)
BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))
XYZ_TO_SRGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)


@dataclass(frozen=True)
class ChartReport:
    """How a picture shows the chart.

    Attributes:
        delta_e00: CIEDE2000 of each patch, by name.
        mean: of all patches.
        exposure_stops: how much brighter the gray patches are than the reference, in powers of two of light.
        mean_at_exposure: the mean with the picture brought to the reference's exposure in linear light.
        chroma_ratio: mean chroma of the 18 colored patches, relative to the reference's.
        measured: sRGB of the patches 0..1, `(24, 3)`.
    """

    delta_e00: dict[str, float]
    mean: float
    exposure_stops: float
    mean_at_exposure: float
    chroma_ratio: float
    measured: Floats

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "measured": np.rint(self.measured * 255).astype(int).tolist()}


def measure_chart(picture: Image8, corners: Corners) -> ChartReport:
    """Compare the patches of a chart with the published colors.

    Args:
        picture: sRGB `(H, W, 3)`, upright.
        corners: of the chart in order around it, from any one; the turn at which colors agree best is taken.

    Raises:
        InputError: corners that lie outside, in no order, or too near to each other.
    """
    checked = checked_corners(corners, picture.shape[1], picture.shape[0])
    turns = [_patch_colors(picture, np.roll(checked, turn, axis=0)) for turn in range(4)]
    return min((_report(colors) for colors in turns), key=lambda report: _unlikeness(report.measured))


def patches_picture(report: ChartReport, side: int = 96) -> Image8:
    """The chart as it is shown, and in each patch's right half as it should be: uint8 `(4 side, 6 side, 3)`."""
    picture = np.full((ROWS * side, COLUMNS * side, 3), 40, np.uint8)
    margin = side // 12
    for at, colors in enumerate(zip(report.measured, reference_srgb(), strict=True)):
        top, left = at // COLUMNS * side + margin, at % COLUMNS * side + margin
        for half, color in enumerate(colors):
            start = left + half * (side - 2 * margin) // 2
            end = left + (half + 1) * (side - 2 * margin) // 2
            picture[top : top + side - 2 * margin, start:end] = np.rint(color * 255)
    return picture


def reference_srgb() -> Floats:
    """The published colors under D65 (Bradford), as sRGB 0..1 `(24, 3)`; what sRGB cannot show is cut."""
    lab = np.array(list(PATCHES.values()))
    y = (lab[:, 0] + 16) / 116
    roots = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], 1)
    xyz = np.where(roots > 6 / 29, roots**3, (116 * roots - 16) * 27 / 24389) * WHITE_D50
    cones = np.array(BRADFORD)
    adapt = np.linalg.inv(cones) @ np.diag((cones @ WHITE_D65) / (cones @ WHITE_D50)) @ cones
    linear = xyz @ adapt.T @ np.array(XYZ_TO_SRGB).T
    return np.asarray(encode_srgb(torch.from_numpy(np.clip(linear, 0, 1))).numpy())


def checked_corners(corners: Corners, width: int, height: int) -> Floats:
    """Corners `(4, 2)` of a chart in a picture.

    Raises:
        InputError: not four, outside of the picture, or not around an area of useful size.
    """
    points = np.asarray(corners, np.float64)
    rule = "give four points x,y in pixels of the upright picture, in order around the chart"
    said = " ".join(",".join(f"{value:g}" for value in point) for point in corners)
    if points.shape != (4, 2) or not np.isfinite(points).all():
        raise InputError(f"corners {said}: {rule}", "corners")
    if points.min() < 0 or points[:, 0].max() > width or points[:, 1].max() > height:
        raise InputError(f"corners {said}: outside of the picture of {width}x{height} pixels; {rule}", "corners")
    sides = np.roll(points, -1, axis=0) - points
    turns = sides[:, 0] * np.roll(sides[:, 1], -1) - sides[:, 1] * np.roll(sides[:, 0], -1)
    if np.hypot(*sides.T).min() < LEAST_FIELD * COLUMNS or not ((turns > 0).all() or (turns < 0).all()):
        raise InputError(f"corners {said}: no area of {LEAST_FIELD * COLUMNS} pixels a side; {rule}", "corners")
    return points if turns[0] > 0 else points[::-1]


def _patch_colors(picture: Image8, corners: Floats) -> Floats:
    """Mean sRGB `(24, 3)` of the middle of each field, averaged in light; the first corner is the brown patch's."""
    places = _perspective(corners)
    inner = (np.arange(25) + 0.5) / 25 * PART + (1 - PART) / 2
    rows = (np.arange(ROWS)[:, None] + inner).ravel()
    columns = (np.arange(COLUMNS)[:, None] + inner).ravel()
    grid = np.stack([*np.meshgrid(columns, rows), np.ones((len(rows), len(columns)))])
    x, y, scale = np.einsum("ij,jyx->iyx", places, grid)
    height, width = picture.shape[:2]
    at = (np.clip((y / scale).astype(int), 0, height - 1), np.clip((x / scale).astype(int), 0, width - 1))
    light = decode_srgb(torch.from_numpy(picture[at].astype(np.float64) / 255))
    means = light.reshape(ROWS, 25, COLUMNS, 25, 3).mean((1, 3)).reshape(-1, 3)
    return np.asarray(encode_srgb(means).numpy())


def _perspective(corners: Floats) -> Floats:
    """The map `(3, 3)` from fields (0..6 across, 0..4 down) to pixels; four points determine it."""
    fields = ((0, 0), (COLUMNS, 0), (COLUMNS, ROWS), (0, ROWS))
    equations, wanted = [], []
    for (u, v), (x, y) in zip(fields, corners, strict=True):
        equations += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        wanted += [x, y]
    found = np.linalg.solve(np.array(equations, np.float64), np.array(wanted, np.float64))
    return np.append(found, 1.0).reshape(3, 3)


def _lab(colors: Floats) -> torch.Tensor:
    return srgb_to_lab(torch.from_numpy(colors).T[None, :, None])


def _differences(colors: Floats) -> Floats:
    return np.asarray(ciede2000(_lab(colors), _lab(reference_srgb()))[0, 0].numpy())


def _unlikeness(colors: Floats) -> float:
    """How little the patches are those of the chart in this order, whatever exposure and light."""
    seen, known = (np.log(colors + 0.02) - np.log(colors + 0.02).mean(0) for colors in (colors, reference_srgb()))
    return float(((seen - known) ** 2).sum())


def _report(colors: Floats) -> ChartReport:
    reference = reference_srgb()
    differences = _differences(colors)
    luminance = [
        decode_srgb(torch.from_numpy(values))[GRAY_ROW:].numpy() @ (0.2126729, 0.7151522, 0.0721750)
        for values in (colors, reference)
    ]
    unclipped = colors[GRAY_ROW:].max(1) < 0.99
    middle = unclipped & np.array([True] * 5 + [False])  # the black patch is mostly stray light
    ratio = luminance[0][middle] / luminance[1][middle] if middle.any() else luminance[0] / luminance[1]
    stops = float(np.median(np.log2(np.maximum(ratio, 1e-6))))
    brought = encode_srgb((decode_srgb(torch.from_numpy(colors)) / 2**stops).clamp(0, 1)).numpy()
    chromas = [float(torch.hypot(lab[0, 1], lab[0, 2])[0, :GRAY_ROW].mean()) for lab in (_lab(colors), _lab(reference))]
    return ChartReport(
        delta_e00=dict(zip(PATCHES, differences.tolist(), strict=True)),
        mean=float(differences.mean()),
        exposure_stops=stops,
        mean_at_exposure=float(_differences(np.asarray(brought)).mean()),
        chroma_ratio=chromas[0] / chromas[1],
        measured=colors,
    )
