"""What files hold, as the program reads them: headers of all, pixels of a sample where there are many."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nas_isp.data.inspected_light import light_taken
from nas_isp.data.left_out import DESCRIPTIONS, kinds_of, visible_below
from nas_isp.data.photos import PhotoTooLargeError, is_photo_candidate, photo_size, read_photo
from nas_isp.data.pixel_sample import of_each_camera, sampled
from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.groups import SensorFacts, sensor_facts
from nas_isp.raw.image import RawImage
from nas_isp.raw.layouts import layout_of_raw
from nas_isp.raw.readers import KINDS, is_raw_candidate, read_raw, told_header
from nas_isp.raw.sensor import SensorDescription
from nas_isp.raw.tiff_pages import further_captures_in

NOISE_SIDE, LEAST_NOISE_SIDE = 1024, 64
"""Pixels a side that noise is estimated from, and without which it is not."""

Kind = Literal["raw", "photo", "unreadable"]


@dataclass(frozen=True)
class FileFacts:
    """What one file holds.

    Attributes:
        file: its path.
        kind: how the program takes it.
        width: columns of the mosaic or the photo.
        height: rows.
        cfa: phase of a mosaic, as are the following fields.
        black: levels of the sites (0,0), (0,1), (1,0), (1,1).
        white: saturation level.
        white_balance: as-shot gains with G = 1, None if the file does not say.
        light: gains of the light that the program takes, G = 1: these, or else estimated ones.
        light_source: where they are from: file, captures.tsv, sensor, or as `raw.light.Light` says it.
        color_matrix: white-balanced camera RGB to linear sRGB, None if the file does not say.
        flip: LibRaw's code of the rotation that makes it upright.
        lowest: smallest true value (of a photo: 0..255); None where pixels were not read, as are the next two.
        highest: largest true value.
        saturated: share of values at white or above.
        noise: shot and read noise as the file says them: the variance of a value x is shot x + read, in units of
            white - black; None if it does not say.
        estimated_noise: the same as the middle of the picture shows it, where the file says some.
        corrections: what the file asks to be done to its mosaic, one line each: done, or not.
        sensor: what tells its sensor from others; None of a mosaic that only decoding tells about, and was not decoded.
        layout: name of the published data set that a mosaic's place shows it to be part of, if any.
        reason: why an unreadable file is unreadable, one line.
    """

    file: str
    kind: Kind
    width: int | None = None
    height: int | None = None
    cfa: str | None = None
    black: tuple[float, float, float, float] | None = None
    white: float | None = None
    white_balance: tuple[float, float, float] | None = None
    light: tuple[float, float, float] | None = None
    light_source: str | None = None
    color_matrix: list[list[float]] | None = None
    flip: int | None = None
    lowest: int | None = None
    highest: int | None = None
    saturated: float | None = None
    noise: tuple[float, float] | None = None
    estimated_noise: tuple[float, float] | None = None
    corrections: tuple[str, ...] = ()
    sensor: SensorFacts | None = None
    layout: str | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All fields, for printing."""
        return asdict(self)


def inspect_files(
    path: Path, sensor: SensorDescription | None = None, progress: ReportsProgress = unseen
) -> list[FileFacts]:
    """Look at a file, or every RAW file and photo of a folder and its subfolders, sorted by path.

    A file that cannot be read becomes a row with the reason. Of folders with more than `WHOLE_BYTES`, pixels are read
    of a sample only.

    Args:
        path: file or folder.
        sensor: description of bare mosaics; without it the `sensor.json` beside each.
        progress: told (files done, files).

    Raises:
        InputError: nothing there, or nothing that can be read.
    """
    files = _candidates(path)
    whole = sampled(files)
    found: dict[Path, FileFacts | None] = {}
    for number, file in enumerate(files):
        found[file] = _facts(file, sensor, file in whole)
        progress(number + 1, len(files))
    untold = [file for file, fact in found.items() if fact is None]
    for file in of_each_camera(untold):
        found[file] = _facts(file, sensor, True)
    facts = [fact or FileFacts(str(file), "raw") for file, fact in found.items()]
    if all(fact.kind == "unreadable" for fact in facts):
        more = f" (and {len(facts) - 1} more files that cannot be read)" if len(facts) > 1 else ""
        raise InputError(f"{facts[0].reason}{more}")
    return facts


def of_a_sample(facts: Sequence[FileFacts]) -> list[str]:
    """Lines for the user where not all files were read whole.

    Args:
        facts: what `inspect_files` found.
    """
    readable = [fact for fact in facts if fact.kind != "unreadable"]
    read = sum(fact.lowest is not None for fact in readable)
    lines = []
    if read < len(readable):
        lines.append(
            f"values, saturation and noise measured in {read:,} of {len(readable):,} files, headers read in all"
        )
    untold = sum(fact.kind == "raw" and fact.sensor is None for fact in facts)
    if untold:
        lines.append(
            f"size, levels, light and matrix not known of {untold:,} camera files, which only decoding tells; some of "
            "each camera were decoded"
        )
    return lines


def not_read(path: Path, facts: Sequence[FileFacts]) -> list[str]:
    """Lines for the user: how many files of a folder and its subfolders are not read, and of which kinds.

    Args:
        path: as given to `inspect_files`.
        facts: what that found.
    """
    lines = [line for fact in facts if (line := further_captures_in(Path(fact.file))) is not None]
    if not path.is_dir():
        return lines
    unreadable = sum(fact.kind == "unreadable" for fact in facts)
    if unreadable:
        lines.append(f"{path}: {unreadable} of {len(facts)} RAW files and photos cannot be read")
    others = [file for file in visible_below(path) if not _is_candidate(file) and file.name not in DESCRIPTIONS]
    if others:
        lines.append(
            f"{path}: {len(others)} files not read, no RAW files or photos by their names ({kinds_of(others)})"
        )
    return lines


def _is_candidate(file: Path) -> bool:
    return is_raw_candidate(file) or is_photo_candidate(file)


def _candidates(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder; give one with RAW files or photos")
    files = visible_below(path)
    candidates = sorted(file for file in files if _is_candidate(file))
    if not candidates:
        raise InputError(f"{path}: no RAW file or photo among its {len(files)} files; give {KINDS}, or photos")
    return candidates


def _facts(file: Path, sensor: SensorDescription | None, whole: bool) -> FileFacts | None:
    """A suffix such as .png says both; then a file is a photo if it cannot be a mosaic. None: only decoding tells."""
    try:
        if is_raw_candidate(file) or not is_photo_candidate(file):
            return _raw_facts(file, sensor, whole)
        return _photo_facts(file, whole)
    except InputError as error:
        if is_raw_candidate(file) and is_photo_candidate(file):
            try:
                return _photo_facts(file, whole)
            except PhotoTooLargeError as too_large:
                return FileFacts(str(file), "unreadable", reason=str(too_large))
            except InputError:
                pass
        return FileFacts(str(file), "unreadable", reason=str(error))


def _raw_facts(file: Path, sensor: SensorDescription | None, whole: bool) -> FileFacts | None:
    raw = read_raw(file, sensor) if whole else told_header(file, sensor)
    if raw is None:
        return None
    height, width = raw.size
    layout, (light, light_source) = layout_of_raw(file), light_taken(file, raw)
    facts = FileFacts(
        str(file),
        "raw",
        width=width,
        height=height,
        cfa=raw.cfa,
        black=raw.black,
        white=raw.white,
        white_balance=raw.white_balance,
        light=light,
        light_source=light_source,
        color_matrix=None if raw.color_matrix is None else raw.color_matrix.tolist(),
        flip=raw.flip,
        noise=raw.noise,
        corrections=(*raw.applied, *raw.left),
        sensor=sensor_facts(raw),
        layout=layout.name if layout else None,
    )
    if not isinstance(raw, RawImage):
        return facts
    return replace(
        facts,
        lowest=int(raw.mosaic.min()),
        highest=int(raw.mosaic.max()),
        saturated=float(np.mean(raw.mosaic >= raw.white)),
        estimated_noise=None if raw.noise is None else _estimated_noise(raw),
    )


def _estimated_noise(raw: RawImage) -> tuple[float, float] | None:
    """Shot and read noise of the middle of a picture."""
    import torch

    from nas_isp.raw.noise import estimate_noise
    from nas_isp.raw.packing import pack

    height, width = raw.mosaic.shape
    top, left = (max(side - NOISE_SIDE, 0) // 4 * 2 for side in (height, width))
    middle = replace(raw, mosaic=raw.mosaic[top : top + NOISE_SIDE, left : left + NOISE_SIDE])
    found = estimate_noise(torch.from_numpy(pack(middle))[None]) if min(height, width) >= LEAST_NOISE_SIDE else None
    return None if found is None else (found.shot, found.read)


def _photo_facts(file: Path, whole: bool) -> FileFacts:
    if not whole:
        height, width = photo_size(file)
        return FileFacts(str(file), "photo", width=width, height=height)
    photo = read_photo(file)
    height, width, _ = photo.shape
    lowest, highest, saturated = int(photo.min()), int(photo.max()), float(np.mean(photo == 255))
    return FileFacts(
        str(file), "photo", width=width, height=height, lowest=lowest, highest=highest, saturated=saturated
    )
