"""Who made a lock or a temporary folder, and whether that process still runs, ids being used again and elsewhere."""

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import Field

from nas_isp.settings import Settings

PROC = Path("/proc")
START_TIME = 19
"""Place of a process's start in /proc/PID/stat behind its name, which may hold blanks."""


class ProcessMark(Settings):
    """A process, as another one can look for it."""

    place: Annotated[str, Field(description="Machine, since which start, and whose process ids.")]
    pid: Annotated[int, Field(ge=1, description="Its id there.")]
    started: Annotated[str, Field(description="When, as the machine counts; empty where it does not tell.")] = ""


def this_process() -> ProcessMark:
    """The mark of the calling process."""
    return ProcessMark(place=_place(), pid=os.getpid(), started=_started(os.getpid()) or "")


def is_gone(mark: ProcessMark) -> bool | None:
    """Whether a process has ended; None where that cannot be known from here, such as on another machine."""
    if mark.place != _place():
        return None
    try:
        os.kill(mark.pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    started = _started(mark.pid)
    return bool(started and mark.started and started != mark.started)


def _place() -> str:
    boot, ids = "", ""
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    with suppress(OSError):
        ids = os.readlink(PROC / "self/ns/pid")
    return f"{platform.node()} {boot} {ids}".strip()


def _started(pid: int) -> str | None:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[START_TIME]
    except (OSError, IndexError, UnicodeDecodeError):
        return None
