"""Readers that do what no reader may, to see that it is found."""

import ctypes
import mmap
import subprocess
from pathlib import Path

from nas_isp.errors import InputError

WHOLE = "whole"
MEMORY_BYTES = 2 << 30


def make(folder: Path) -> None:
    (folder / "a.bin").write_text(WHOLE)


def _is_whole(folder: Path) -> bool:
    return (folder / "a.bin").read_bytes() == WHOLE.encode()


def raises(folder: Path) -> None:
    if not _is_whole(folder):
        raise KeyError("field")


def names_nothing(folder: Path) -> None:
    if not _is_whole(folder):
        raise InputError("something is wrong")


def speaks_long(folder: Path) -> None:
    if not _is_whole(folder):
        raise InputError(f"{folder}: first\nsecond")


def crashes(folder: Path) -> None:
    if not _is_whole(folder):
        ctypes.string_at(0)


def hangs(folder: Path) -> None:
    while not _is_whole(folder):
        pass


def hoards(folder: Path) -> None:
    if not _is_whole(folder):
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
        mmap.mmap(-1, MEMORY_BYTES, flags=flags).close()


def executes(folder: Path) -> None:
    if not _is_whole(folder):
        subprocess.run(["true"], check=True)


def writes_elsewhere(folder: Path) -> None:
    if not _is_whole(folder):
        (folder / "../../../outside").write_text("x")


def reads_elsewhere(folder: Path) -> None:
    if not _is_whole(folder):
        (folder / "../../secret").read_text()
