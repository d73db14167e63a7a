"""Reading text files of a sensible size, writing files that appear whole or not at all, and appending to files."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nas_isp.errors import InputError, UnwritableError

AnyPath = str | Path
"""What the functions of the library take for a path."""

BUNDLE_SUFFIX = ".safetensors"
"""Of a trained model."""

UNFINISHED = ".part"
"""End of the hidden folder in which a file is written; one may stay behind where the process was killed."""

STALE_AFTER_S = 24 * 3600
"""Nothing is being written for so long: what was left unfinished before is nobody's."""

SHOWN_FOLDERS = 3
"""So many of the folders that hold what was looked for are named in a message."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """An empty file of the same name in a hidden folder, which takes the place of `path` when the block ends well.

    Whatever ends the process meanwhile, `path` is as it was or as it shall be. Several processes may write one file.
    What a killed one left unfinished of it is deleted a day later.

    Raises:
        UnwritableError: the folder does not exist or has no room, or the file cannot be replaced. What else the block
            raises passes through.
    """
    prefix = f".{path.name}."
    remove_leftovers(path.parent, prefix)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=prefix, suffix=UNFINISHED) as scratch:
            part = Path(scratch) / path.name
            part.touch()
            mode = part.stat().st_mode
            yield part
            with suppress(OSError):  # disks without permissions refuse to set them
                part.chmod(mode)  # some libraries write files that nobody else may read
            os.replace(part, path)
    except OSError as error:
        raise _unwritable(path, error) from error


def remove_leftovers(folder: Path, prefix: str) -> None:
    """Delete what killed processes left unfinished under names that start so; what cannot be deleted stays.

    Only a day later, so that no running process is hit.
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            unfinished = entry.name.startswith(prefix) and entry.name.endswith(UNFINISHED)
            if unfinished and time.time() - entry.stat(follow_symlinks=False).st_mtime > STALE_AFTER_S:
                shutil.rmtree(entry.path, ignore_errors=True)


def write_whole(path: Path, content: str | bytes | memoryview) -> None:
    """Write a file, text as UTF-8; see `whole_file`.

    Raises:
        UnwritableError: the folder does not exist, or cannot be written or has no room.
    """
    with whole_file(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def append_text(path: Path, text: str) -> None:
    """Write text, as UTF-8, at the end of a file.

    Raises:
        UnwritableError: the file cannot be written, or has no room; a part of the text may be in it.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise _unwritable(path, error) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, unless it is there.

    Raises:
        UnwritableError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"cannot be made ({error.strerror}); give a folder that can be written"
        raise UnwritableError(f"{folder}: {reason}") from error


def check_writable(path: Path) -> None:
    """Find out whether a file can be written, before work that would be lost otherwise.

    Raises:
        InputError: its folder is missing or cannot be written, or it is a folder itself.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file to write")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give a file in a writable folder") from error


def can_write_in(folder: Path) -> bool:
    """Whether files can be made in a folder, or in the nearest one above it that exists; nothing is left there."""
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            return True
    except OSError:
        return False


def check_output(path: Path, suffix: str | None = None, source: object = None) -> None:
    """Refuse an output file that could not be written at the end.

    Raises:
        InputError: its folder is missing or not writable, it is a folder itself, its name does not end in `suffix`,
            or it is the file `source` that is read, if that is a path.
    """
    if suffix is not None and path.suffix != suffix:
        raise InputError(
            f"{path}: the name of this output ends in {suffix}; give for instance {path.stem}{suffix}", "output"
        )
    if isinstance(source, AnyPath) and path.exists() and Path(source).exists() and path.samefile(source):
        raise InputError(f"{path}: is also what is read here; give another name, so that it is kept", "output")
    check_writable(path)


def visible_files(folder: Path) -> list[Path]:
    """The files of a folder, sorted by name; hidden files and subfolders are left out."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def none_in(folder: Path, kind: str, is_one: Callable[[Path], bool], accepted: str) -> InputError:
    """The error for a folder without files of a kind: says what it holds instead, and where there are such files.

    Args:
        folder: where they are missing.
        kind: what they are, such as "RAW file".
        is_one: whether a file is of that kind.
        accepted: what can be given instead of a folder without any.
    """
    below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    holding = [path.name for path in below if any(is_one(file) for file in visible_files(path))]
    if holding:
        more = f" and {len(holding) - SHOWN_FOLDERS} more" if len(holding) > SHOWN_FOLDERS else ""
        named = f"{', '.join(holding[:SHOWN_FOLDERS])}{more}"
        return InputError(f"{folder}: no {kind} in it itself, but in its folders {named}; give one of those")
    files = visible_files(folder)
    held = f"{len(files)} files, e.g. {files[0].name}" if files else f"{len(below)} folders" if below else "nothing"
    return InputError(f"{folder}: no {kind} in it (it holds {held}); give {accepted}")


def read_text(path: Path, most_bytes: int, kind: str) -> str:
    """The text of a file.

    Args:
        path: the file, UTF-8 with or without a byte order mark.
        most_bytes: size of the largest file of its kind that makes sense.
        kind: what it is to be, for messages, such as "settings file".

    Raises:
        InputError: it cannot be read, is no text, or larger.
    """
    try:
        size_bytes = path.stat().st_size
        if size_bytes > most_bytes:
            raise InputError(f"{path}: {size_bytes} bytes; a {kind} has at most {most_bytes}")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as text ({error}); give a readable {kind}") from error


def read_bytes(path: Path) -> bytes:
    """The content of a model file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a readable file") from error


def _unwritable(path: Path, error: OSError) -> UnwritableError:
    return UnwritableError(f"{path}: cannot be written ({error.strerror or error}); give a writable folder")
