"""Captures of one folder, grouped by what their files say: which are of one sensor behind one lens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nas_isp.errors import InputError
from nas_isp.raw.image import RawHeader, RawImage
from nas_isp.raw.mosaic_files import MOSAIC_SUFFIXES

SAME_MATRIX = 1e-3
"""Entries of color matrices that differ by less are equal: files round them."""

SAME_LEVELS = 0.02
"""Share of the range from black to white by which the levels of one sensor differ from capture to capture."""

MOST_FIXED_LENSES = 4
"""More focal lengths than that, without a lens's name, are those of a zoom, which says nothing about the sensor."""

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class SensorFacts:
    """What tells sensors apart. Make and model do only where a file has no unique model: phones have several cameras.

    Attributes:
        group: what a table beside bare mosaics says.
        camera: unique model of a DNG file, or make and model.
        lens: its name.
        focal_mm: focal length; None where it is not known.
        size: rows and columns; None of bare mosaics, which are cut as one likes.
        cfa: phase of the mosaic.
        black: levels of the sites.
        white: saturation level.
        calibration: color matrices as a DNG file writes them, for all lights; empty without.
        matrix: white-balanced camera RGB to linear sRGB, in daylight where that is known; empty without.
    """

    group: str
    camera: str
    lens: str
    focal_mm: float | None
    size: tuple[int, int] | None
    cfa: str
    black: Numbers
    white: float
    calibration: Numbers
    matrix: Numbers

    @property
    def name(self) -> str:
        """For the user."""
        size = f"{self.size[1]}x{self.size[0]} " if self.size else ""
        levels = f"{size}{self.cfa} {np.mean(self.black):g}..{self.white:g}"
        return ", ".join(part for part in (self.group, self.camera, self.optics, levels) if part)

    @property
    def optics(self) -> str:
        """The lens, or what is known of it."""
        return self.lens or (f"{self.focal_mm:g} mm" if self.focal_mm else "")


@dataclass(frozen=True)
class CaptureGroup:
    """Captures of one sensor.

    Attributes:
        name: what it is, for the user; no two groups of a folder have the same.
        members: their places in the list that was grouped.
        facts: of the first of them.
    """

    name: str
    members: list[int]
    facts: SensorFacts


def sensor_facts(raw: RawHeader | RawImage) -> SensorFacts:
    """What a capture says about its sensor."""
    bare = Path(raw.source).suffix.lower() in MOSAIC_SUFFIXES
    capture = raw.capture
    matrix = raw.color_matrix if raw.sensor_matrix is None else raw.sensor_matrix
    return SensorFacts(
        group=capture.group,
        camera=capture.unique_model or capture.camera,
        lens=capture.lens,
        focal_mm=None if capture.focal_length_mm is None else round(capture.focal_length_mm, 1),
        size=None if bare else raw.size,
        cfa=raw.cfa,
        black=raw.black,
        white=raw.white,
        calibration=capture.calibration,
        matrix=() if matrix is None else tuple(matrix.ravel().tolist()),
    )


def grouped(captures: Sequence[SensorFacts]) -> list[CaptureGroup]:
    """The groups, the largest first."""
    clusters: list[list[int]] = []
    for place, facts in enumerate(captures):
        mine = next((cluster for cluster in clusters if _same(captures[cluster[0]], facts)), None)
        if mine is None:
            clusters.append([place])
        else:
            mine.append(place)
    parts = [part for cluster in clusters for part in _by_focal_length(cluster, captures)]
    parts.sort(key=lambda part: (-len(part), part[0]))
    groups: list[CaptureGroup] = []
    for part in parts:
        facts = captures[part[0]]
        if len(part) > 1 and len({captures[place].focal_mm for place in part}) > 1:
            facts = replace(facts, focal_mm=None)
        alike = sum(group.facts.name == facts.name for group in groups)
        name = f"{facts.name}, color matrix {alike + 1}" if alike else facts.name
        groups.append(CaptureGroup(name, part, facts))
    return groups


def chosen(groups: Sequence[CaptureGroup], wanted: str, folder: Path) -> CaptureGroup:
    """The group that a table names so, that of a number, or the only one whose name holds a text.

    Raises:
        InputError: there is none, or several; the message lists them.
    """
    found = [group for group in groups if group.facts.group and group.facts.group == wanted]
    if not found and wanted.isdecimal():
        found = [group for number, group in enumerate(groups, 1) if str(number) == wanted]
    elif not found:
        found = [group for group in groups if wanted.casefold() in group.name.casefold()]
    if len(found) == 1 and wanted:
        return found[0]
    held = "; ".join(listed([(group.name, len(group.members)) for group in groups]))
    raise InputError(
        f"group '{wanted}': {len(found)} of the groups of captures in {folder} fit; give the number or a part of the "
        f"name of one of {held}",
        "group",
    )


def listed(groups: Sequence[tuple[str, int]]) -> list[str]:
    """Groups of names and numbers of captures as the user sees them."""
    return [f"{number}: {name} ({count})" for number, (name, count) in enumerate(groups, 1)]


def same_levels(black: Numbers, white: float, other_black: Numbers, other_white: float) -> bool:
    """Whether levels differ by no more than those of one sensor do from capture to capture."""
    tolerance = SAME_LEVELS * (white - float(np.mean(black)))
    return abs(white - other_white) <= tolerance and abs(float(np.mean(black) - np.mean(other_black))) <= tolerance


def same_matrix(one: Numbers, other: Numbers) -> bool:
    """Whether two color matrices, or sets of them, are equal but for rounding."""
    return len(one) == len(other) and bool(np.abs(np.subtract(one, other)).max(initial=0) < SAME_MATRIX)


def _same(one: SensorFacts, other: SensorFacts) -> bool:
    """All but the focal length."""
    equal = ("group", "camera", "lens", "size", "cfa")
    if any(getattr(one, name) != getattr(other, name) for name in equal):
        return False
    if not same_levels(one.black, one.white, other.black, other.white):
        return False
    if one.calibration or other.calibration:
        return same_matrix(one.calibration, other.calibration)
    return same_matrix(one.matrix, other.matrix)


def _by_focal_length(places: list[int], captures: Sequence[SensorFacts]) -> list[list[int]]:
    """Captures of cameras that differ in nothing but a fixed lens."""
    lengths = {captures[place].focal_mm for place in places}
    named = bool(captures[places[0]].lens)
    if named or len(lengths) == 1 or None in lengths or len(lengths) > MOST_FIXED_LENSES:
        return [places]
    return [[place for place in places if captures[place].focal_mm == length] for length in sorted(lengths, key=str)]
