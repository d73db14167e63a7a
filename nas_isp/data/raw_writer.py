"""Writes the arrays of `RawPatches`, patch by patch."""

import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.cache import ArrayWriter
from nas_isp.raw.glance import GLANCE_SIDE, glance
from nas_isp.raw.groups import SensorFacts, grouped, same_levels, sensor_facts
from nas_isp.raw.image import RawImage
from nas_isp.raw.mosaic_files import MOSAIC_SUFFIXES
from nas_isp.raw.packing import align_to_rggb, canonical_black, pack
from nas_isp.raw.sensor import UNNAMED, SensorDescription

ABOUT_FILE = "patches.json"
LEVELS: dict[str, tuple[int, ...]] = {
    "black": (4,),
    "white": (),
    "white_balance": (3,),
    "color_matrix": (3, 3),
    "noise": (2,),
    "glance": (4, GLANCE_SIDE, GLANCE_SIDE),
}
"""Arrays of one row a patch beside the patches themselves, and the shape of a row."""


class RawWriter:
    """The files of `RawPatches` of `size` x `size` mosaic pixels in a folder; complete after `finish`.

    Args:
        target: the folder.
        size: side of a patch.
        shading: whether gain maps against lens shading were applied to the pictures.
    """

    def __init__(self, target: Path, size: int, shading: bool = True) -> None:
        side = size // 2
        shapes = {"packed": ((4, side, side), "<u2"), **{name: (shape, "<f4") for name, shape in LEVELS.items()}}
        self._target, self._stack, self._shading = target, ExitStack(), shading
        self._writers = {
            name: self._stack.enter_context(ArrayWriter(target / f"{name}.npy", shape, dtype))
            for name, (shape, dtype) in shapes.items()
        }
        self.stems: list[str] = []
        self._captures: dict[str, tuple[SensorFacts, SensorDescription]] = {}
        self.corrections: Counter[str] = Counter()
        self._glance = np.zeros(LEVELS["glance"], np.float32)

    def append(
        self, packed: NDArray[np.uint16], raw: RawImage, described: SensorDescription | None, scale: int = 1
    ) -> None:
        """Add a patch `(4, S/2, S/2)` of a picture; the sensor of most captures is the set's.

        Args:
            packed: the patch's planes.
            raw: the picture, aligned to RGGB or not: its levels and colors hold for the patch. Patches of one picture
                follow each other.
            described: the description of a bare mosaic; of a camera file its own facts are taken.
            scale: by which the values of the planes are multiples of the picture's; see `packing.storable`.
        """
        file = Path(raw.source)
        if raw.source not in self._captures:
            bare = file.suffix.lower() in MOSAIC_SUFFIXES
            sensor = described if bare and described else _derived(raw)
            self._captures[raw.source] = (sensor_facts(raw), sensor)
            self._glance = glance(pack(align_to_rggb(raw)))
        balance, matrix = raw.white_balance or (np.nan,) * 3, raw.color_matrix
        self._writers["packed"].append(packed)
        self._writers["black"].append(scale * np.array(canonical_black(raw), np.float32))
        self._writers["white"].append(np.array(scale * raw.white, np.float32))
        self._writers["white_balance"].append(np.array(balance, np.float32))
        self._writers["color_matrix"].append(np.full((3, 3), np.nan, np.float32) if matrix is None else matrix)
        self._writers["glance"].append(self._glance)
        self._writers["noise"].append(np.array(raw.noise or (np.nan, np.nan), np.float32))
        if not self.stems or self.stems[-1] != file.stem:
            self.corrections.update((*raw.applied, *raw.left))
        self.stems.append(file.stem)

    def finish(self, skipped: list[str]) -> None:
        """Write what is known about the patches beside them."""
        facts, sensors = zip(*self._captures.values(), strict=True)
        groups = grouped(facts)
        largest, *others = (group.facts for group in groups)
        mixed = any(not same_levels(largest.black, largest.white, other.black, other.white) for other in others)
        known: dict[str, Any] = {"other_levels": mixed, "shading_left": not self._shading}
        if not others:
            known |= {"group": largest.group, "optics": largest.optics}
        sensor = sensors[groups[0].members[0]].model_copy(update=known)
        about = {
            "stems": self.stems,
            "sensor": sensor.model_dump(mode="json"),
            "skipped": skipped,
            "groups": [{"name": group.name, "captures": len(group.members)} for group in groups],
            "corrections": self.corrections,
        }
        (self._target / ABOUT_FILE).write_text(json.dumps(about), encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, value, trace)


def _derived(raw: RawImage) -> SensorDescription:
    """A description of files that describe themselves, from the first of them."""
    facts: dict[str, Any] = {"name": raw.capture.camera or UNNAMED, "cfa": raw.cfa}
    bits = min(16, max(8, int(raw.white).bit_length()))
    facts |= {"unique_model": raw.capture.unique_model, "calibration": raw.capture.calibration}
    return SensorDescription(**facts, bits=bits, black=raw.black, white=raw.white, note="From a RAW file.")
