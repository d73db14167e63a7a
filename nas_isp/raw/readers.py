"""Reads any RAW file into a `RawImage`, finds RAW files in a folder and sensor descriptions by name."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from nas_isp.errors import InputError
from nas_isp.files import none_in, visible_files
from nas_isp.raw.camera_files import CAMERA_SUFFIXES, read_camera_file
from nas_isp.raw.camera_header import read_camera_header
from nas_isp.raw.capture_table import CaptureFacts, facts_beside, without_maps
from nas_isp.raw.image import RawHeader, RawImage, header_of
from nas_isp.raw.layouts import layout_of_raw
from nas_isp.raw.mosaic_files import MOSAIC_SUFFIXES, read_mosaic_file, read_mosaic_header
from nas_isp.raw.sensor import SENSORS, SensorDescription
from nas_isp.raw.shading_maps import read_shading_map, without_shading
from nas_isp.settings import load_yaml

Facts = TypeVar("Facts", RawHeader, RawImage)

SENSOR_FILE = "sensor.json"
"""Name of the description that may lie beside bare mosaics."""

FOLDERS_ABOVE = 2
"""In how many folders above theirs it is looked for as well."""

KINDS = "a camera RAW file (.dng, .crw, .cr2, .nef, ...), or a .png, .tif, .npy or .raw mosaic"


def read_raw(path: Path, sensor: SensorDescription | None = None, shading: bool = True) -> RawImage:
    """Read one RAW file.

    Camera formats go through LibRaw and describe themselves. Bare mosaics (16-bit grayscale PNG or TIFF, `.npy`,
    headerless `.raw`) need a description: `sensor`, or else what `find_sensor` finds.

    Args:
        path: the file; its suffix decides how it is read.
        sensor: description for bare mosaics; camera formats ignore it.
        shading: apply the gain maps that a file brings against lens shading.

    Raises:
        InputError: missing, unreadable, truncated, of another kind than RAW, not a Bayer mosaic, at odds with its
            description, or without one.
    """
    _check_raw_file(path)
    if path.suffix.lower() in CAMERA_SUFFIXES:
        return read_camera_file(path, shading)
    return _read_mosaic(path, sensor, read_mosaic_file, shading)


def read_header(path: Path, sensor: SensorDescription | None = None, shading: bool = True) -> RawHeader:
    """What `read_raw` says of a file beside its pixels. Only camera files that `told_header` does not know are decoded.

    Raises:
        InputError: as `read_raw` does, as far as what is read shows it.
    """
    return told_header(path, sensor, shading) or header_of(read_camera_file(path, shading))


def told_header(path: Path, sensor: SensorDescription | None = None, shading: bool = True) -> RawHeader | None:
    """What `read_raw` says of a file beside its pixels, where that is told without decoding it: of bare mosaics, and of
    DNG files whose tags say it. None for other files.

    Raises:
        InputError: as `read_raw` does, as far as the header shows it.
    """
    _check_raw_file(path)
    if path.suffix.lower() in CAMERA_SUFFIXES:
        return read_camera_header(path, shading)
    return _read_mosaic(path, sensor, read_mosaic_header, shading)


def load_sensor(name_or_path: str) -> SensorDescription:
    """The sensor of a name of `SENSORS`, or of a JSON file.

    Raises:
        InputError: neither; the message lists the names. Or the file is malformed.
    """
    if name_or_path in SENSORS:
        return SENSORS[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        return load_yaml(path, SensorDescription)
    known = ", ".join(SENSORS)
    raise InputError(
        f"unknown sensor '{name_or_path}': known are {known}, or give the path of a sensor.json file", "sensor"
    )


def sensor_beside(path: Path) -> SensorDescription:
    """The description of a bare mosaic that `find_sensor` finds.

    Raises:
        InputError: there is none, or it is malformed.
    """
    found = find_sensor(path)
    if found is None:
        raise InputError(
            f"{path}: a bare mosaic says nothing about its sensor; give its sensor "
            f"({', '.join(SENSORS)} or a .json file) or put a {SENSOR_FILE} beside it",
            "sensor",
        )
    return found


def find_sensor(path: Path) -> SensorDescription | None:
    """The description of a RAW file that its place on disk gives.

    It is the `sensor.json` in its folder or in one of the two folders above (`val/raw/` of a data set), or else the
    built-in sensor of the published data set whose folder name this is (see `layouts`).

    Raises:
        InputError: a malformed `sensor.json`.
    """
    file = sensor_file(path.parent)
    if file is not None:
        status = file.stat()
        return _description(file, status.st_size, status.st_mtime_ns)
    layout = layout_of_raw(path)
    return SENSORS[layout.sensor] if layout is not None and layout.sensor is not None else None


@lru_cache(maxsize=16)
def _description(file: Path, size_bytes: int, changed_ns: int) -> SensorDescription:
    """Read once for a folder of captures; `size_bytes` and `changed_ns` tell versions of the file apart."""
    return load_yaml(file, SensorDescription)


def sensor_file(folder: Path) -> Path | None:
    """The `sensor.json` that holds for a folder, or None; see `find_sensor`."""
    near = [folder, *folder.resolve().parents[:FOLDERS_ABOVE]]
    return next((place / SENSOR_FILE for place in near if (place / SENSOR_FILE).is_file()), None)


def list_raw_files(folder: Path) -> list[Path]:
    """The files of a folder that may be RAW by their suffix, sorted by name; hidden files and subfolders are left out.

    Raises:
        InputError: not a folder, or no such file in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give a folder of RAW files")
    candidates = without_maps([path for path in visible_files(folder) if is_raw_candidate(path)])
    if not candidates:
        raise none_in(folder, "RAW file", is_raw_candidate, KINDS)
    return candidates


def raw_files_of(path: Path) -> list[Path]:
    """What may be RAW of a path that a user gives: the file itself, or the files of a folder; see `list_raw_files`.

    Raises:
        InputError: nothing there, a file of another suffix, or a folder without such a file.
    """
    if path.is_dir():
        return list_raw_files(path)
    _check_raw_file(path)
    return [path]


def is_raw_candidate(path: Path) -> bool:
    """Whether the suffix is one that `read_raw` reads."""
    return path.suffix.lower() in CAMERA_SUFFIXES | MOSAIC_SUFFIXES


def _check_raw_file(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path}: no such file; give {KINDS}")
    if not is_raw_candidate(path):
        raise InputError(f"{path}: '{path.suffix}' is not a RAW format; give {KINDS}")


def _read_mosaic(
    path: Path,
    sensor: SensorDescription | None,
    read: Callable[[Path, SensorDescription], Facts],
    shading: bool,
) -> Facts:
    described = sensor or sensor_beside(path)
    facts = facts_beside(path)
    try:
        raw = read(path, described)
        if facts is None:
            return raw
        raw = _with_facts(raw, facts)
        return raw if facts.shading is None else without_shading(raw, read_shading_map(facts.shading), shading)
    except InputError as error:
        if sensor is not None or sensor_file(path.parent) is not None:
            raise
        raise InputError(f"{error}; the sensor is that of the folder's name: give another one", "sensor") from error


def _with_facts(raw: Facts, facts: CaptureFacts) -> Facts:
    """A mosaic with what a table says of it, which counts more than the description of its sensor."""
    black = facts.black or raw.black
    if max(black) >= raw.white:
        raise InputError(f"{raw.source}: black {max(black):g} of the table beside it is not below white {raw.white:g}")
    capture = replace(raw.capture, exposure_s=facts.exposure_s, iso=facts.iso, group=facts.group)
    return replace(
        raw,
        black=black,
        white_balance=facts.white_balance or raw.white_balance,
        noise=facts.noise,
        flip=facts.flip if facts.flip is not None else raw.flip,
        capture=capture,
    )
