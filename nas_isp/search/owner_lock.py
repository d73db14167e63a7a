"""`OwnerLock`: a lock for file systems without `flock`, a file that is there while its process lives."""

import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from nas_isp.errors import InputError
from nas_isp.files import read_text
from nas_isp.processes import ProcessMark, is_gone, this_process
from nas_isp.settings import parse_json, validated

MOST_BYTES = 4096
TOUCHED_EVERY_S = 10.0
GIVEN_UP_AFTER_S = 300.0
"""Of another machine, whose processes cannot be looked for: so old a lock is nobody's. Times are the disk's own."""


class OwnerLock:
    """One file, made by whoever is first, with the mark of its process, and touched while that lives.

    A lock of a process that has ended on this machine is taken over at once, that of another machine when it was not
    touched for `GIVEN_UP_AFTER_S`.

    Attributes:
        path: the file.
    """

    SUFFIX = ".owner"

    def __init__(self, path: Path, message: str) -> None:
        """Nothing is locked yet; `message` is shown where another process holds the lock."""
        self.path, self._message = path, message
        self._ended = threading.Event()

    def refuse_if_held(self) -> None:
        """Refuse to go on beside a living owner; what a dead one left is removed.

        Raises:
            InputError: another process holds the lock.
        """
        known = _content(self.path)
        if known is None:
            return
        if not self._is_abandoned(known):
            raise InputError(self._message)
        # Renamed first: of several that find it abandoned, one alone gets it.
        grave = self.path.with_name(f"{self.path.name}.{uuid4().hex}")
        try:
            os.rename(self.path, grave)
        except FileNotFoundError:
            return
        if _content(grave) != known:
            # Somebody else had taken it over in between: it is theirs.
            with suppress(OSError):
                os.rename(grave, self.path)
            raise InputError(self._message)
        grave.unlink()

    def take(self) -> None:
        """Make the lock this process's.

        Raises:
            InputError: another process holds it.
            OSError: the folder cannot be written.
        """
        self.refuse_if_held()
        try:
            with self.path.open("x", encoding="utf-8") as file:
                file.write(this_process().model_dump_json())
        except FileExistsError as error:
            raise InputError(self._message) from error
        threading.Thread(target=self._keep, daemon=True, name="lock").start()

    def close(self) -> None:
        """Let others have the lock."""
        self._ended.set()
        self.path.unlink(missing_ok=True)

    def _keep(self) -> None:
        while not self._ended.wait(TOUCHED_EVERY_S):
            with suppress(OSError):
                os.utime(self.path)

    def _is_abandoned(self, content: str) -> bool:
        gone = None
        with suppress(InputError):
            gone = is_gone(validated(parse_json(content, self.path), ProcessMark, self.path))
        return self._age_s() > GIVEN_UP_AFTER_S if gone is None else gone

    def _age_s(self) -> float:
        """Seconds since the lock was touched, by the clock of the disk's machine."""
        beside = self.path.with_name(f"{self.path.name}.{uuid4().hex}")
        try:
            beside.touch()
            return beside.stat().st_mtime - self.path.lstat().st_mtime
        except FileNotFoundError:
            return 0.0
        finally:
            beside.unlink(missing_ok=True)


def _content(path: Path) -> str | None:
    """What a lock says, "" where it is damaged or no file, as in a stranger's study; None where it is not there."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return ""
        return read_text(path, MOST_BYTES, "lock")
    except FileNotFoundError:
        return None
    except InputError:
        return ""
