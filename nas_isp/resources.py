"""Finds the shipped spaces, recipes and tables, in a checkout and in an installed wheel, and the user's cache."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal

from nas_isp.errors import InputError
from nas_isp.files import can_write_in
from nas_isp.scratch import temporary_folder

Kind = Literal["search_spaces", "distill", "latency_tables"]

_NOUN: dict[Kind, str] = {"search_spaces": "space", "distill": "recipe", "latency_tables": "device"}
_SUFFIX: dict[Kind, str] = {"search_spaces": ".yaml", "distill": ".yaml", "latency_tables": ".json"}


def user_cache() -> Path:
    """A folder of this program that can be written, in the user's cache folder (XDG); it may not exist yet.

    Where there is none, as on clusters with read-only homes: one for temporary files.

    Raises:
        InputError: neither can be used.
    """
    usual = home_cache()
    return usual if usual is not None and can_write_in(usual) else _temporary_cache()


def home_cache() -> Path | None:
    """This program's folder in the user's cache folder, to read from; it may not exist. None without a home."""
    named = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(named) if named else Path.home() / ".cache") / "nas_isp"
    except RuntimeError:
        return None


def _temporary_cache() -> Path:
    folder = temporary_folder() / f"nas_isp-cache-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    facts = folder.lstat() if os.path.lexists(folder) else None
    if facts is None or not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        # In a folder that all may write, others may have put something there.
        raise InputError(f"{folder}: is not this user's folder; let XDG_CACHE_HOME name a folder that can be written")
    return folder


def folder(kind: Kind) -> Path:
    """The shipped folder: inside the package in a wheel, beside the package in a checkout."""
    package = Path(__file__).resolve().parent
    shipped = package / "_shipped" / kind
    return shipped if shipped.is_dir() else package.parent / kind


def names(kind: Kind) -> list[str]:
    """The shipped names of a kind, sorted."""
    return sorted(path.stem for path in folder(kind).glob(f"*{_SUFFIX[kind]}"))


def find(kind: Kind, name_or_path: str) -> Path:
    """The file for a shipped name, or the path itself if it is a file.

    Raises:
        InputError: neither; the message lists the known names.
    """
    if name_or_path in names(kind):
        return folder(kind) / f"{name_or_path}{_SUFFIX[kind]}"
    path = Path(name_or_path)
    if path.is_file():
        return path
    raise InputError(
        f"unknown {_NOUN[kind]} '{name_or_path}': known are {', '.join(names(kind)) or '(none)'}, "
        f"or give the path of a {_SUFFIX[kind]} file",
        _NOUN[kind],
    )
