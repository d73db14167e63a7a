"""Temporary folders that say whose they are, so that those of killed processes are deleted and no others.

A folder `nas-isp-...` holds a file with its process's mark. Whoever makes another one first deletes those of processes
that have ended on this machine; of other users, machines and containers it deletes none.
"""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nas_isp.errors import InputError
from nas_isp.files import STALE_AFTER_S, can_write_in, read_text
from nas_isp.processes import ProcessMark, is_gone, this_process
from nas_isp.settings import parse_json, validated

PREFIX = "nas-isp-"
MARK = "process.json"
MOST_MARK_BYTES = 4096
RANDOM_CHARACTERS = 8
"""That `mkdtemp` appends."""

SHORT_FOLDERS = ("XDG_RUNTIME_DIR", "/tmp", "/var/tmp", "/dev/shm")
"""Where a path stays short: folders, and environment variables that name one."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder that lasts as long as the context, or until the next one after a kill.

    Raises:
        InputError: there is no place for temporary files.
    """
    folder = make_scratch(temporary_folder())
    inside = folder / "files"
    inside.mkdir()
    try:
        yield inside
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_scratch(base: Path, name: str = "") -> Path:
    """A new temporary folder of this process in `base`, which the caller deletes.

    Args:
        base: an existing folder.
        name: begins the folder's name, after `PREFIX`.
    """
    remove_abandoned(base)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{name}", dir=base))
    (folder / MARK).write_text(this_process().model_dump_json(), encoding="utf-8")
    return folder


def temporary_folder(most_characters: int | None = None) -> Path:
    """The folder for temporary files: that of the environment (TMPDIR), or a short one where that is too long.

    Args:
        most_characters: longest path that can be used.

    Raises:
        InputError: none can be written, or none is short enough.
    """
    try:
        usual = Path(tempfile.gettempdir())
    except FileNotFoundError as error:
        raise InputError("no folder for temporary files can be written; let TMPDIR name one") from error
    if most_characters is None or len(os.fsencode(usual)) <= most_characters:
        return usual
    for named in SHORT_FOLDERS:
        text = named if named.startswith("/") else os.environ.get(named, "")
        if text and len(os.fsencode(text)) <= most_characters and can_write_in(Path(text)):
            return Path(text)
    raise InputError(
        f"{usual}: too long for the sockets of Ray, which take {most_characters} characters, and no shorter folder for "
        "temporary files can be written; let TMPDIR name one"
    )


def remove_abandoned(base: Path) -> None:
    """Delete this user's temporary folders whose processes have ended; what cannot be deleted stays.

    One without a mark, left by a kill in its first moment, is deleted once nothing in it has changed for a day.
    """
    with suppress(OSError), os.scandir(base) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and _is_own_folder(entry) and _is_abandoned(Path(entry.path)):
                shutil.rmtree(entry.path, ignore_errors=True)


def _is_own_folder(entry: os.DirEntry[str]) -> bool:
    facts = entry.stat(follow_symlinks=False)
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()


def _is_abandoned(folder: Path) -> bool:
    path = folder / MARK
    if path.is_file() and not path.is_symlink():
        with suppress(InputError):
            content = parse_json(read_text(path, MOST_MARK_BYTES, "mark"), path)
            return is_gone(validated(content, ProcessMark, path)) is True
    return time.time() - _last_change(folder) > STALE_AFTER_S


def _last_change(folder: Path) -> float:
    """When anything in a folder was last changed; now, where that cannot be told."""
    try:
        times = [folder.lstat().st_mtime]
        for place, folders, files in os.walk(folder, onerror=_raise):
            times += [os.lstat(os.path.join(place, name)).st_mtime for name in (*folders, *files)]
        return max(times)
    except OSError:
        return time.time()


def _raise(error: OSError) -> None:
    raise error
