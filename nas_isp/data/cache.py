"""Folders of arrays that are made once for given inputs and appear whole or not at all."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nas_isp.errors import InputError
from nas_isp.files import UNFINISHED, remove_leftovers

KEY_FILE = "key.json"


class ArrayWriter:
    """Writes a `.npy` file item by item; the number of items becomes known only at the end."""

    def __init__(self, path: Path, item_shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.count = 0
        self._item_shape, self._dtype = item_shape, np.dtype(dtype)
        self._file = path.open("wb")
        self._header_bytes = self._write_header()

    def append(self, item: NDArray[Any]) -> None:
        """Add one item of the given shape."""
        if item.shape != self._item_shape:
            raise ValueError(f"item of shape {item.shape}; this file holds {self._item_shape}")
        self._file.write(np.ascontiguousarray(item, self._dtype).tobytes())
        self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        with self._file:
            if kind is None:
                self._file.seek(0)
                # numpy pads the header so that the first axis may grow in place.
                if self._write_header() != self._header_bytes:
                    raise RuntimeError("the .npy header changed its size")

    def _write_header(self) -> int:
        shape = (self.count, *self._item_shape)
        header = {"descr": self._dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        return self._file.tell()


def file_facts(files: Sequence[Path]) -> list[list[Any]]:
    """Name, size and time of change of files: what decides whether they are still the same."""
    return [[file.name, status.st_size, status.st_mtime_ns] for file in files for status in [file.stat()]]


def cached_folder(cache_dir: Path, kind: str, key: Mapping[str, Any], fill: Callable[[Path], None]) -> Path:
    """The folder `kind-<hash of key>` in `cache_dir`, filled by `fill(folder)` if no earlier run has made it.

    `key` is anything JSON holds and is kept in the folder as `key.json`. Folders of other keys stay. Two processes
    may make the same folder at once; the first to finish wins.

    Raises:
        InputError: the cache cannot be written. What `fill` raises passes through; nothing is left behind.
    """
    text = json.dumps(key, sort_keys=True)
    folder = cache_dir / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if (folder / KEY_FILE).is_file():
        return folder
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        remove_leftovers(cache_dir, ".")
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=UNFINISHED, dir=cache_dir))
    except OSError as error:
        raise InputError(f"{cache_dir}: cannot be written ({error.strerror}); give a writable folder") from error
    try:
        fill(partial)
        (partial / KEY_FILE).write_text(text, encoding="utf-8")
        partial.chmod(0o755)
        _put_in_place(partial, folder)
    except OSError as error:
        raise InputError(f"{cache_dir}: cannot be written ({error.strerror}); give a folder with room") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _put_in_place(partial: Path, folder: Path) -> None:
    try:
        os.replace(partial, folder)
    except OSError:
        if not (folder / KEY_FILE).is_file():
            raise
