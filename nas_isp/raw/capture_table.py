"""`captures.tsv`: what other programs know about each capture of a folder of bare mosaics (docs/captures.md)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from nas_isp.errors import InputError
from nas_isp.files import read_text
from nas_isp.raw.sensor import Gains

TABLE_FILE = "captures.tsv"
MOST_BYTES = 1 << 24
FOLDERS_ABOVE = 2
"""In how many folders above theirs the table of captures is looked for, as their sensor's description is."""

MAP_SUFFIXES = (".npy", ".tsv")
"""Of gain maps."""

MOST_GAIN, MOST_NUMBER = 100.0, 1e7
LONGEST_TEXT = 100

FLIP_OF_ORIENTATION = {1: 0, 2: 1, 3: 3, 4: 2, 5: 4, 6: 6, 7: 7, 8: 5}
"""EXIF's number of an orientation -> LibRaw's code; see `orientation.upright`."""

Levels = tuple[float, float, float, float]


@dataclass(frozen=True)
class CaptureFacts:
    """A row of the table; what it does not say is None or empty.

    Attributes:
        white_balance: gains of R, G, B that make the capture's light neutral, G = 1.
        exposure_s: exposure time.
        iso: sensitivity.
        black: black level of the sites (0,0), (0,1), (1,0), (1,1), in true values.
        noise: shot and read noise; the variance of a value x is shot x + read, in units of white - black.
        flip: LibRaw's code of the rotation that makes it upright.
        group: name of what it belongs to, such as a lens.
        shading: file of its gain map against lens shading; see `shading_maps`.
    """

    white_balance: Gains | None = None
    exposure_s: float | None = None
    iso: float | None = None
    black: Levels | None = None
    noise: tuple[float, float] | None = None
    flip: int | None = None
    group: str = ""
    shading: Path | None = None


def facts_beside(path: Path) -> CaptureFacts | None:
    """The row of a mosaic in the table that holds for its folder; None without a table or a row.

    Raises:
        InputError: the table is malformed; the message names its line.
    """
    table = table_of(path.parent)
    if table is None:
        return None
    rows = rows_of(table)
    # The file itself may be a link to another folder; the table names it as it lies here.
    below = (path.parent.resolve() / path.name).relative_to(table.parent.resolve()).as_posix()
    return rows.get(below, rows.get(path.name))


def table_of(folder: Path) -> Path | None:
    """The table that holds for a folder: in it, or in one of the two folders above; None where there is none."""
    near = [folder, *folder.resolve().parents[:FOLDERS_ABOVE]]
    return next((place / TABLE_FILE for place in near if (place / TABLE_FILE).is_file()), None)


def rows_of(table: Path) -> dict[str, CaptureFacts]:
    """The rows of a table by file, as the table names them.

    Raises:
        InputError: malformed.
    """
    status = table.stat()
    return _parsed(table, status.st_size, status.st_mtime_ns)


def without_maps(files: Sequence[Path]) -> list[Path]:
    """The files of any folders but gain maps that tables name: files beside captures that are none themselves."""
    maps = {file for folder in {file.parent for file in files} for file in maps_beside(folder)}
    return [file for file in files if file.resolve() not in maps] if maps else list(files)


def maps_beside(folder: Path) -> set[Path]:
    """Gain maps that the table of a folder names, resolved.

    A malformed table names none; whoever reads a capture is told.
    """
    table = table_of(folder)
    if table is None:
        return set()
    try:
        return {facts.shading.resolve() for facts in rows_of(table).values() if facts.shading is not None}
    except InputError:
        return set()


@lru_cache(maxsize=16)
def _parsed(table: Path, size_bytes: int, changed_ns: int) -> dict[str, CaptureFacts]:
    """`size_bytes` and `changed_ns` tell versions of the file apart."""
    lines = read_text(table, MOST_BYTES, "table of captures").splitlines()
    columns = [name.strip().lower() for name in lines[0].split("\t")] if lines else []
    unknown = [name for name in columns if name not in COLUMNS]
    if "file" not in columns or unknown or len(set(columns)) < len(columns):
        wrong = f"column '{unknown[0][:LONGEST_TEXT]}' is not known" if unknown else "no column `file`, or one twice"
        raise InputError(f"{table}, line 1: {wrong}; columns are separated by tabs: {', '.join(COLUMNS)}")
    rows: dict[str, CaptureFacts] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        place = f"{table}, line {number}"
        if len(cells) > len(columns):
            raise InputError(f"{place}: {len(cells)} values, but {len(columns)} columns; separate them by single tabs")
        row = dict(zip(columns, cells, strict=False))
        file = row.pop("file")
        if not file or file in rows:
            raise InputError(f"{place}: {'named twice' if file else 'no file named'}; give every capture one line")
        rows[file] = _facts({name: cell for name, cell in row.items() if cell}, place, table.parent)
    return rows


def _facts(row: dict[str, str], place: str, folder: Path) -> CaptureFacts:
    values: dict[str, Any] = {}
    for name, cell in row.items():
        try:
            values[name] = COLUMNS[name](cell)
        except (ValueError, ZeroDivisionError) as error:
            raise InputError(f"{place}: {name} '{cell[:LONGEST_TEXT]}'; give {WANTED[name]}") from error
    gains = [values.pop(name) for name in ("red", "green", "blue") if name in values]
    if len(gains) not in (0, 3):
        raise InputError(f"{place}: not all of red, green and blue; give all three gains, or none")
    if "exposure" in values:
        values["exposure_s"] = values.pop("exposure")
    if "orientation" in values:
        values["flip"] = values.pop("orientation")
    if "shading" in values:
        values["shading"] = folder / values["shading"]
    balance = (gains[0] / gains[1], 1.0, gains[2] / gains[1]) if gains else None
    return CaptureFacts(white_balance=balance, **values)


def _number(text: str, least: float, most: float) -> float:
    value = float(text)
    if not math.isfinite(value) or not least <= value <= most:
        raise ValueError("out of range")
    return value


def _gain(text: str) -> float:
    return _number(text, 1 / MOST_GAIN, MOST_GAIN)


def _seconds(text: str) -> float:
    above, slash, below = text.partition("/")
    return _number(str(float(above) / float(below)) if slash else text, 1 / MOST_NUMBER, MOST_NUMBER)


def _numbers(text: str, most: float) -> list[float]:
    return [_number(part, 0, most) for part in text.replace(",", " ").split()]


def _black(text: str) -> Levels:
    levels = _numbers(text, 65535)
    first, second, third, fourth = levels * 4 if len(levels) == 1 else levels
    return first, second, third, fourth


def _noise(text: str) -> tuple[float, float]:
    shot, read = _numbers(text, 1.0)
    return shot, read


def _orientation(text: str) -> int:
    if text not in map(str, FLIP_OF_ORIENTATION):
        raise ValueError("no orientation")
    return FLIP_OF_ORIENTATION[int(text)]


def _path(text: str) -> str:
    """From where the table lies, and not out of there."""
    path = PurePosixPath(_text(text))
    if path.is_absolute() or ".." in path.parts or path.suffix.lower() not in MAP_SUFFIXES:
        raise ValueError("no such file")
    return str(path)


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise ValueError("no name")
    return text


COLUMNS: dict[str, Callable[[str], Any]] = {
    "file": str,
    "red": _gain,
    "green": _gain,
    "blue": _gain,
    "exposure": _seconds,
    "iso": lambda text: _number(text, 1 / MOST_NUMBER, MOST_NUMBER),
    "black": _black,
    "noise": _noise,
    "orientation": _orientation,
    "group": _text,
    "shading": _path,
}
"""Name of a column -> what reads its cells."""

WANTED = {
    **dict.fromkeys(("red", "green", "blue"), f"a white-balance gain, {1 / MOST_GAIN:g} to {MOST_GAIN:g}"),
    "exposure": "seconds, such as 0.004 or 1/250",
    "iso": "a number above 0",
    "black": "one level of true values, or four in CFA-site order with blanks or commas between",
    "noise": "two numbers 0 to 1, shot and read noise",
    "orientation": "EXIF's number, 1 to 8",
    "shading": f"the name of a gain map ({' or '.join(MAP_SUFFIXES)}) in the folder of the table or below",
    "group": f"a name of at most {LONGEST_TEXT} letters",
}
