"""What is said of the files of a folder that are not read: how many, and why."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from nas_isp.files import visible_files
from nas_isp.raw.capture_table import TABLE_FILE, facts_beside, table_of, without_maps
from nas_isp.raw.mosaic_files import MOSAIC_SUFFIXES
from nas_isp.raw.readers import SENSOR_FILE
from nas_isp.raw.tiff_pages import further_captures_in

DESCRIPTIONS = frozenset({SENSOR_FILE, TABLE_FILE})
"""Files that belong to captures and are read with them."""


def left_out(folder: Path, kind: str, is_one: Callable[[Path], bool], skipped: Sequence[str], tried: int) -> list[str]:
    """Lines for the user; empty where every file of the folder is read whole.

    Args:
        folder: whose files are wanted.
        kind: what they are, in the plural, such as "photos".
        is_one: whether a file may be of that kind.
        skipped: a line with the reason for each of those that could not be used.
        tried: how many were to be used.
    """
    files = visible_files(folder)
    lines = [f"{folder}: {len(skipped)} of {tried} {kind} not used, for these reasons"] if skipped else []
    lines += [f"skipped: {line}" for line in skipped]
    others = [file for file in without_maps(files) if not is_one(file) and file.name not in DESCRIPTIONS]
    if others:
        named = kinds_of(others)
        lines.append(f"{folder}: {len(others)} of {len(files)} files not read, no {kind} by their names ({named})")
    further = (further_captures_in(file) for file in files if is_one(file))
    return lines + [line for line in further if line is not None]


def without_a_row(folder: Path) -> list[str]:
    """A line for the user where the table of captures of a folder of RAW files says nothing of some mosaics."""
    table = table_of(folder)
    mosaics = [file for file in without_maps(visible_files(folder)) if file.suffix.lower() in MOSAIC_SUFFIXES]
    if table is None or not mosaics:
        return []
    missing = [file for file in mosaics if facts_beside(file) is None]
    unread = f"{table}: no line for {len(missing)} of {len(mosaics)} mosaics in {folder}, e.g. "
    return [f"{unread}{missing[0].name}"] if missing else []


def kinds_of(files: Sequence[Path]) -> str:
    """How many files there are of each suffix."""
    suffixes = Counter(file.suffix.lower() or "no suffix" for file in files)
    return ", ".join(f"{count} {suffix}" for suffix, count in sorted(suffixes.items()))


def visible_below(folder: Path) -> list[Path]:
    """The files of a folder and its subfolders, without hidden ones and gain maps of captures."""
    return without_maps([file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")])
