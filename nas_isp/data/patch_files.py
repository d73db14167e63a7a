"""Arrays of patches in memory-mapped files: made, and read again unless they hold what they cannot."""

import os
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas_isp.data.raw_writer import ABOUT_FILE
from nas_isp.errors import InputError
from nas_isp.files import whole_file
from nas_isp.raw.sensor import SensorDescription
from nas_isp.settings import Settings, parse_json, validated


class GroupCount(Settings):
    """Captures of one sensor among those of a cache."""

    name: Annotated[str, Field(description="What tells it from the others, for the user.")]
    captures: Annotated[int, Field(ge=1, description="How many files are of it.")]


class PatchFacts(Settings):
    """What a cache says about its patches."""

    stems: Annotated[list[str], Field(min_length=1, description="For each patch the file it is from.")]
    skipped: Annotated[list[str], Field(description="One line for each file that could not be used.")]
    sensor: Annotated[SensorDescription | None, Field(description="Of RAW patches.")] = None
    corrections: Annotated[dict[str, int], Field(description="What was done to RAW files, and to how many.")] = {}
    groups: Annotated[list[GroupCount], Field(description="Of RAW patches, the largest first.")] = []


def read_facts(folder: Path) -> PatchFacts:
    """The facts about the patches of a cache folder.

    Raises:
        InputError: no cache there, or a damaged one.
    """
    path = folder / ABOUT_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    return validated(parse_json(text, path), PatchFacts, path)


def read_array(path: Path, kind: str, shape: tuple[int | None, ...]) -> NDArray[Any]:
    """An array of a `.npy` file, memory-mapped, so that a claimed size is one that the file has.

    Args:
        path: the file.
        kind: dtype that it must have, such as "<u2".
        shape: that it must have; None for any length.

    Raises:
        InputError: unreadable, or of another type or shape.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        # numpy fails on a damaged header in too many ways to list.
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable .npy file ({reason})") from error
    check_array(array, path, kind, shape)
    return array


def new_array(path: Path, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """A new array of a type such as "<u2" in a `.npy` file, memory-mapped, zero until it is written.

    Raises:
        InputError: the file cannot be made, or there is no room for it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        array = np.lib.format.open_memmap(path, "w+", np.dtype(kind), shape)
        if hasattr(os, "posix_fallocate"):
            # Where the disk is full, writing into a map ends the process; so its room is taken now.
            with path.open("rb+") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give a folder with room") from error
    return array


def store_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array into a `.npy` file, unless it lies there already."""
    if isinstance(array, np.memmap) and path.is_file() and Path(str(array.filename)) == path.resolve():
        array.flush()
    else:
        with whole_file(path) as part:
            np.save(part, array)


def check_array(array: Any, name: Path | str, kind: str, shape: tuple[int | None, ...]) -> None:
    """Refuse an array of another type or shape; see `read_array`.

    Raises:
        InputError: it is one; `name` says which.
    """
    if not isinstance(array, np.ndarray):
        raise InputError(f"{name}: an archive of arrays, not one array")
    fits = len(array.shape) == len(shape) and all(
        wanted in (None, side) for wanted, side in zip(shape, array.shape, strict=True)
    )
    if array.dtype != np.dtype(kind) or not array.dtype.isnative or not fits:
        wanted = "x".join("any" if side is None else str(side) for side in shape)
        given = "x".join(map(str, array.shape))
        raise InputError(f"{name}: holds {str(array.dtype)[:40]} of shape {given}, not {np.dtype(kind)} of {wanted}")
