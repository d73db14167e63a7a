"""Files that several processes meet at, or that a kill may leave with a torn line."""

import errno
import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from nas_isp.errors import InputError
from nas_isp.search.owner_lock import OwnerLock

HELD_BY_ANOTHER = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
"""What `flock` says of a lock that another process holds; anything else says that it does not work there."""


class Lock(Protocol):
    """What `lock_file` gives."""

    def close(self) -> None:
        """Let others have the lock."""
        ...


def drop_torn_line(path: Path) -> None:
    """Cut off a last line without a newline, which a kill in the middle of an append leaves."""
    if not path.is_file():
        return
    with path.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)


def lock_file(path: Path, message: str, note: Callable[[str], None] = lambda line: None) -> Lock:
    """Lock a file until the returned lock is closed or the process ends, however it ends.

    Where the file system has no `flock`, as some network disks, a file beside it that names its process is the lock
    (see `OwnerLock`), and `note` is told.

    Raises:
        InputError: another process holds the lock; `message` is shown.
        OSError: the folder cannot be written.
    """
    owner = OwnerLock(path.with_name(f"{path.name}{OwnerLock.SUFFIX}"), message)
    handle = path.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        owner.refuse_if_held()  # by a machine on which the same disk has no flock
    except InputError:
        handle.close()
        raise
    except OSError as error:
        handle.close()
        if error.errno in HELD_BY_ANOTHER:
            raise InputError(message) from error
        owner.take()
        note(f"note: {path.parent} is on a disk without flock ({error.strerror}); {owner.path.name} in it is the lock")
        return owner
    return handle
