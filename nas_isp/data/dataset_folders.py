"""Finds RAW, photos and pairs in the folder of a data set, as it comes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nas_isp.errors import InputError
from nas_isp.files import visible_files
from nas_isp.raw.layouts import PLAIN, PUBLISHED_LAYOUTS, Layout, layout_of_raw
from nas_isp.raw.readers import is_raw_candidate, sensor_file

Split = Literal["train", "val", "test"]
SPLITS: dict[Split, tuple[Split, ...]] = {"train": ("train",), "val": ("val", "test"), "test": ("test", "val")}
"""What a folder is wanted for -> the split folders of a data set that may serve, best first."""


@dataclass(frozen=True)
class Found:
    """Folders of a data set; `raw` or `rgb` is the given folder itself where nothing was recognized in it.

    Attributes:
        raw: folder of RAW files.
        rgb: folder of photos.
        layout: what was recognized, None if nothing.
        note: a line for the user on what was recognized, None if there is nothing to say.
    """

    raw: Path
    rgb: Path
    layout: Layout | None = None
    note: str | None = None


def find_raw(folder: Path, use: Split = "train") -> Found:
    """The folder of RAW files that a user means by `folder`: itself, or one of a known layout in it or in its split.

    Raises:
        InputError: the folders of several data sets lie in it.
    """
    found = _find(folder, use, wanted=("raw",))
    if found.layout is None and found.raw == folder:
        return _named(folder)
    return found


def find_photos(folder: Path, use: Split = "train") -> Found:
    """The folder of photos likewise.

    Raises:
        InputError: the folders of several data sets lie in it.
    """
    return _find(folder, use, wanted=("rgb",))


def find_pairs(folder: Path, use: Split = "test") -> Found:
    """The two folders of true pairs of a data set or of its split; `raw/` and `rgb/` where nothing is known.

    Raises:
        InputError: the folders of several data sets lie in it, or those of one without pairs.
    """
    found = _find(folder, use, wanted=("raw", "rgb"))
    if found.layout is not None and not found.layout.paired:
        raise InputError(
            f"{folder}: {found.layout.name} has no true pairs; give raw {found.raw} and rgb {found.rgb}",
            "raw",
            "rgb",
        )
    return found if found.layout is not None else Found(folder / PLAIN.raw, folder / PLAIN.rgb)


def described(folder: Path) -> list[str]:
    """A line for each known layout in a folder and in its split folders, for the user; empty for a file."""
    places = [folder, *(folder / split for split in SPLITS)]
    known = [(place, layout) for place in places for layout in (*PUBLISHED_LAYOUTS, PLAIN)]
    lines = [_described(place, layout) for place, layout in known if _holds(place, layout, ("raw",))]
    itself = _layout_inside(folder)
    return lines if itself is None else [f"{folder}: {itself.name} layout{_sensor_text(folder, itself)}"]


def _find(folder: Path, use: Split, wanted: tuple[Literal["raw", "rgb"], ...]) -> Found:
    for place in (folder, *(folder / split for split in SPLITS[use])):
        layouts = [layout for layout in PUBLISHED_LAYOUTS if _holds(place, layout, wanted)]
        if len(layouts) > 1:
            names = " and ".join(f"{getattr(layout, wanted[0])}/" for layout in layouts)
            raise InputError(f"{place}: holds {names}, folders of several data sets; give one of them")
        if not layouts and _holds(place, PLAIN, wanted) and (len(wanted) > 1 or not visible_files(place)):
            layouts = [PLAIN]
        if layouts:
            found = Found(place / layouts[0].raw, place / layouts[0].rgb, layouts[0])
            return Found(found.raw, found.rgb, found.layout, _note(found, folder, wanted))
    return Found(folder, folder)


def _holds(place: Path, layout: Layout, wanted: tuple[Literal["raw", "rgb"], ...]) -> bool:
    return all((place / getattr(layout, kind)).is_dir() for kind in wanted)


def _described(place: Path, layout: Layout) -> str:
    raw = {path.stem for path in visible_files(place / layout.raw) if is_raw_candidate(path)}
    line = f"{place}: {layout.name} layout, {len(raw)} files in {layout.raw}/{_sensor_text(place / layout.raw, layout)}"
    if not (place / layout.rgb).is_dir():
        return line
    rgb = {path.stem for path in visible_files(place / layout.rgb)}
    pairs = f"; {len(raw & rgb)} pairs of equal stems" if layout.paired else "; unpaired"
    return f"{line}; {len(rgb)} in {layout.rgb}/{pairs}"


def _named(folder: Path) -> Found:
    """A folder that is itself the RAW folder of a published data set."""
    layout = _layout_inside(folder)
    if layout is None:
        return Found(folder, folder)
    return Found(folder, folder, layout, f"{folder}: {layout.name} layout{_sensor_text(folder, layout)}")


def _note(found: Found, given: Path, wanted: tuple[Literal["raw", "rgb"], ...]) -> str | None:
    assert found.layout is not None
    if found.layout is PLAIN and found.raw.parent == given and len(wanted) > 1:
        return None
    folders = " and ".join(f"{getattr(found, kind).relative_to(given)}/" for kind in wanted)
    sensor = _sensor_text(found.raw, found.layout) if "raw" in wanted else ""
    return f"{given}: {found.layout.name} layout, {folders}{sensor}"


def _sensor_text(raw: Path, layout: Layout) -> str:
    claimed = sensor_file(raw) is None and _layout_inside(raw) is layout
    return f" (sensor {layout.sensor} unless another is given)" if claimed and layout.sensor else ""


def _layout_inside(folder: Path) -> Layout | None:
    """The layout that the first RAW file of a folder is part of."""
    if not any(folder.absolute().name == layout.raw for layout in PUBLISHED_LAYOUTS) or not folder.is_dir():
        return None
    first = min((path for path in visible_files(folder) if is_raw_candidate(path)), default=None)
    return None if first is None else layout_of_raw(first)
