"""How published data sets lie on disk: names of their folders, and the sensor that these names stand for."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

PATCH_SHAPES = {".npy": (256, 256, 4)}
"""Shape of a data set's files where the folder's name alone would say too little."""


@dataclass(frozen=True)
class Layout:
    """One way in which RAW and photos lie side by side.

    Attributes:
        name: of the data set.
        raw: name of the folder of RAW files.
        rgb: name of the folder of photos.
        sensor: built-in sensor of the RAW files, None where they or a `sensor.json` say it.
        suffix: of the RAW files, None for any.
        paired: equal stems are the same scene, pixel on pixel.
    """

    name: str
    raw: str
    rgb: str
    sensor: str | None
    suffix: str | None
    paired: bool = True


PLAIN = Layout("plain", "raw", "rgb", sensor=None, suffix=None)
"""What this program itself writes."""

PUBLISHED_LAYOUTS = (
    Layout("UltraISP", "mediatek_raw", "fujifilm", sensor="ultraisp", suffix=".png"),
    Layout("ZRR", "huawei_raw", "canon", sensor="zrr", suffix=".png"),
    Layout("UP-ISP", "raws", "jpegs", sensor="up-isp", suffix=".npy", paired=False),
)
"""Data sets that come without a `sensor.json`."""


def layout_of_raw(file: Path) -> Layout | None:
    """The published layout that a RAW file is part of, by its folder's name, its suffix and, for `.npy`, its shape."""
    folder = file.absolute().parent.name
    for layout in PUBLISHED_LAYOUTS:
        if folder == layout.raw and file.suffix.lower() == layout.suffix and _has_known_shape(file):
            return layout
    return None


def _has_known_shape(file: Path) -> bool:
    wanted = PATCH_SHAPES.get(file.suffix.lower())
    if wanted is None:
        return True
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return isinstance(array, np.ndarray) and array.shape == wanted
