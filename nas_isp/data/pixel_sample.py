"""Which files of a folder are read whole: reading thousands of them takes minutes, and their headers seconds."""

from collections.abc import Sequence
from pathlib import Path

from nas_isp.raw.camera_files import CAMERA_SUFFIXES
from nas_isp.raw.capture import capture_of_tags

WHOLE_BYTES = 64 << 20
"""Folders of less than this are read whole."""

MOST_SAMPLED = 16
"""Files of each kind whose pixels are read in larger folders."""

LEAST_A_CAMERA = 2


def sampled(files: Sequence[Path]) -> set[Path]:
    """Files whose pixels are to be read: all of a small folder, else some camera files and some others, spread."""
    if sum(file.stat().st_size for file in files) <= WHOLE_BYTES:
        return set(files)
    camera = [file for file in files if file.suffix.lower() in CAMERA_SUFFIXES]
    other = [file for file in files if file.suffix.lower() not in CAMERA_SUFFIXES]
    return {*spread(camera, MOST_SAMPLED), *spread(other, MOST_SAMPLED)}


def of_each_camera(files: Sequence[Path]) -> set[Path]:
    """A sample of camera files with some of each camera, by what their tags name; those without names are one."""
    cameras: dict[tuple[str, str], list[Path]] = {}
    for file in files:
        cameras.setdefault((capture_of_tags(file).camera, file.suffix.lower()), []).append(file)
    share = max(LEAST_A_CAMERA, MOST_SAMPLED // max(len(cameras), 1))
    return {file for group in cameras.values() for file in spread(group, share)}


def spread(files: Sequence[Path], most: int) -> list[Path]:
    """At most so many of them, evenly spread."""
    if len(files) <= most:
        return list(files)
    return [files[index * len(files) // most] for index in range(most)]
