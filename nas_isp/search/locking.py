"""Files that several processes meet at, or that a kill may leave with a torn line."""

import fcntl
from pathlib import Path
from typing import IO

from nas_isp.errors import InputError


def drop_torn_line(path: Path) -> None:
    """Cut off a last line without a newline, which a kill in the middle of an append leaves."""
    if not path.is_file():
        return
    with path.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)


def lock_file(path: Path, message: str) -> IO[str]:
    """Lock a file until the returned handle is closed or the process ends, however it ends.

    Raises:
        InputError: another process holds the lock; `message` is shown.
    """
    handle = path.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise InputError(message) from error
    return handle
