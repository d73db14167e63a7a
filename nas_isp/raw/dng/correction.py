"""What a DNG file asks to be done to its mosaic before it is a picture: bad pixels, black, lens shading."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.bad_pixels import filled
from nas_isp.raw.dng.opcodes import (
    FIX_BAD_PIXELS_CONSTANT,
    FIX_BAD_PIXELS_LIST,
    FIX_VIGNETTE_RADIAL,
    GAIN_MAP,
    Opcode,
    read_bad_areas,
    read_bad_value,
    read_gain_map,
    read_opcodes,
    read_radial_gain,
)
from nas_isp.raw.dng.tag_levels import BlackPlane, active_area, black_plane, unfit_deltas, white_of_sites
from nas_isp.raw.dng.tags import DngTags
from nas_isp.raw.flattening import Shadings, flattened, pedestal_of
from nas_isp.raw.image import Mosaic
from nas_isp.raw.lens_shading import Shading
from nas_isp.raw.levels import Levels

MOST_WHITE = 65535
MOST_MAPS = 16
"""Phones have one for each site of the cell."""

MOST_BAD_SHARE = 0.05
"""With more bad pixels than this a picture is none, and its file is damaged."""

SHADING_APPLIED = "lens shading corrected by the file's gain map"
SHADING_LEFT = "the file's lens shading gain map is not applied"


@dataclass(frozen=True)
class CorrectedLevels:
    """Levels after what a file asks for.

    Attributes:
        black: of the sites (0,0), (0,1), (1,0), (1,1).
        white: saturation level.
        applied: what was done, one line each.
        left: what the file asks for and was not done.
    """

    black: Levels
    white: float
    applied: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def corrected(
    mosaic: NDArray[np.uint16],
    tags: DngTags,
    corner: tuple[int, int],
    black: Levels,
    white: float,
    shading: bool = True,
) -> tuple[Mosaic, CorrectedLevels]:
    """Do what the tags of a file ask for: the mosaic, float32 where it was flattened, and the levels that hold for it.

    Black that four numbers say stays with the mosaic, whose values are then the sensor's. Any other black level, and
    the gains of a lens, are worked into the values: they have the highest black level of all for black then, which is
    what the specification scales by.

    Args:
        mosaic: `(H, W)`, as LibRaw gives it: a linearization table is applied.
        tags: of the file.
        corner: row and column of the mosaic in the stored picture.
        black: LibRaw's levels of the four sites, for a file that says none.
        white: LibRaw's white level, likewise.
        shading: apply gain maps.
    """
    plan = _Plan(tags, corner, (mosaic.shape[0], mosaic.shape[1]), black, white, shading)
    mosaic = plan.work.without_bad_pixels(mosaic, corner)
    return mosaic if plan.keeps_values else plan.flattened(mosaic), plan.levels()


def corrected_levels(
    tags: DngTags, corner: tuple[int, int], size: tuple[int, int], black: Levels, white: float, shading: bool = True
) -> CorrectedLevels:
    """What `corrected` says of a mosaic of a size, without its pixels; bad ones are not counted."""
    plan = _Plan(tags, corner, size, black, white, shading)
    plan.work.name_bad_pixels()
    return plan.levels()


class _Plan:
    """What is to be done to a mosaic."""

    def __init__(
        self,
        tags: DngTags,
        corner: tuple[int, int],
        size: tuple[int, int],
        black: Levels,
        white: float,
        shading: bool,
    ) -> None:
        self._tags, self._corner = tags, corner
        self.work = _Instructions(tags, shading)
        self.work.left += unfit_deltas(tags)
        plane = black_plane(tags, corner, size)
        self._of_sites = black if plane is None else plane.of_sites
        self._plane = plane or BlackPlane(np.array(black).reshape(2, 2), np.zeros(size[0]), np.zeros(size[1]))
        said = tags.white_level is not None and max(tags.white_level) <= MOST_WHITE
        self._white = max(tags.white_level) if tags.white_level is not None and said else white
        self._whites = white_of_sites(tags, corner)

    @property
    def keeps_values(self) -> bool:
        """Whether four black levels say all, so that the sensor's values stay."""
        return self._of_sites is not None and self._whites is None and not self.work.maps

    def levels(self) -> CorrectedLevels:
        level = pedestal_of(self._plane)
        black = self._of_sites if self.keeps_values and self._of_sites is not None else (level, level, level, level)
        return CorrectedLevels(black, self._white, tuple(self.work.applied), tuple(self.work.left))

    def flattened(self, mosaic: NDArray[np.uint16]) -> NDArray[np.float32]:
        top, left, bottom, right = active_area(self._tags)
        shading = Shadings(
            self.work.maps, (bottom - top, right - left), (self._corner[0] - top, self._corner[1] - left)
        )
        return flattened(mosaic, self._plane, shading, self._white, self._whites)


class _Instructions:
    """The opcodes of a file: those that are followed, and a line on each of the others."""

    def __init__(self, tags: DngTags, shading: bool) -> None:
        self._tags = tags
        self.maps: list[Shading] = []
        self.applied: list[str] = []
        self.left: list[str] = []
        self._bad: list[Opcode] = []
        for number, content in enumerate(tags.opcode_lists, 1):
            opcodes = read_opcodes(content)
            if opcodes is None:
                self.left.append(f"OpcodeList{number} of the file is damaged and not applied")
            for opcode in opcodes or ():
                self._take(number, opcode, shading)
        if self.maps:
            self.applied.append(SHADING_APPLIED)
        self.left = list(dict.fromkeys(self.left))

    def _take(self, number: int, opcode: Opcode, shading: bool) -> None:
        found: Shading | None = None
        if number == 1 and opcode.code in (FIX_BAD_PIXELS_CONSTANT, FIX_BAD_PIXELS_LIST):
            self._bad.append(opcode)
            return
        if len(self.maps) == MOST_MAPS:
            self.left.append(f"only {MOST_MAPS} gain maps of the file are applied")
            return
        if number == 2 and opcode.code == GAIN_MAP:
            found = read_gain_map(opcode)
        elif number >= 2 and opcode.code == FIX_VIGNETTE_RADIAL:
            found = read_radial_gain(opcode)
        else:
            self.left.append(f"{opcode.name} of the file's OpcodeList{number} is not applied")
            return
        if found is None:
            self.left.append(f"{opcode.name} of the file's OpcodeList{number} is damaged and not applied")
        elif shading:
            self.maps.append(found)
        else:
            self.left.append(SHADING_LEFT)

    def name_bad_pixels(self) -> None:
        """Say without the pixels that some are bad."""
        if self._bad:
            self.applied.append("bad pixels that the file names are filled from their neighbors")

    def without_bad_pixels(self, mosaic: NDArray[np.uint16], corner: tuple[int, int]) -> NDArray[np.uint16]:
        """The mosaic with the pixels filled that the file names; the list speaks of the stored picture."""
        if not self._bad:
            return mosaic
        bad = np.zeros(mosaic.shape, np.bool_)
        for opcode in self._bad:
            if not self._mark(bad, opcode, mosaic, corner):
                self.left.append(f"{opcode.name} of the file's OpcodeList1 is not applied")
        count = int(bad.sum())
        if count > MOST_BAD_SHARE * mosaic.size:
            self.left.append(f"the file calls {count} of its {mosaic.size} pixels bad; they are left")
        elif count:
            self.applied.append(f"{count} bad pixels of the file's list filled from their neighbors")
            return filled(mosaic, bad)
        return mosaic

    def _mark(
        self, bad: NDArray[np.bool_], opcode: Opcode, mosaic: NDArray[np.uint16], corner: tuple[int, int]
    ) -> bool:
        """Mark what an opcode calls bad; whether it can be told."""
        if opcode.code == FIX_BAD_PIXELS_CONSTANT:
            value = read_bad_value(opcode)
            if value is None or self._tags.has_linearization_table:  # it is a value from before the table
                return False
            bad |= mosaic == value
            return True
        areas = read_bad_areas(opcode)
        if areas is None:
            return False
        height, width = bad.shape
        rows = np.clip(areas[:, 0::2] - corner[0], 0, height)
        columns = np.clip(areas[:, 1::2] - corner[1], 0, width)
        steps = np.zeros((height + 1, width + 1), np.int32)  # summed up, they count the areas that hold a pixel
        for down, across, step in ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)):
            np.add.at(steps, (rows[:, down], columns[:, across]), step)
        bad |= steps.cumsum(0).cumsum(1)[:-1, :-1] > 0
        return True
