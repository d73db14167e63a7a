"""Keeps chatter off the user's terminal. Whatever silences a stream of the process is here, behind one lock."""

import io
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock
from typing import BinaryIO

STDERR = 2

_SETTINGS = {"LITERT_TORCH_SHOW_PROGRESS": "n", "TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}

_STREAMS = RLock()
"""Streams, warnings and logging are the process's: a second thread would take the silence for what to go back to.

Within one thread blocks may nest. A thread that holds it must not wait for one that is going to ask for it.
"""


@contextmanager
def quiet_converters() -> Iterator[None]:
    """Silence what torch.export, litert-torch and their dependencies print, warn of and log.

    Their errors are exceptions and pass through. Their first import must happen inside.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    with _STREAMS:
        streams, disabled = (sys.stdout, sys.stderr), logging.root.manager.disable
        try:
            # By hand: Ctrl-C within contextlib's redirect_stderr can lose the stream.
            sys.stdout = sys.stderr = io.StringIO()
            logging.disable(logging.ERROR)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            sys.stdout, sys.stderr = streams
            logging.disable(disabled)


@contextmanager
def without_native_lines() -> Iterator[None]:
    """Drop what native code writes to stderr."""
    with _STREAMS, open(os.devnull, "r+b") as nowhere, _native_stderr_to(nowhere):
        yield


@contextmanager
def without_info_lines() -> Iterator[None]:
    """Drop the lines beginning with "INFO:" that native code writes to stderr; all others come after the block.

    LiteRT writes one for every interpreter and has no setting against it.
    """
    with _STREAMS, tempfile.TemporaryFile() as written:
        try:
            with _native_stderr_to(written):
                yield
        finally:
            written.seek(0)
            kept = [line for line in written if not line.startswith(b"INFO:")]
            if kept:
                with suppress(OSError), open(STDERR, "wb", closefd=False) as terminal:  # it may be gone
                    terminal.writelines(kept)


@contextmanager
def _native_stderr_to(file: BinaryIO) -> Iterator[None]:
    """Let the process's stderr be another file, if it has one, and always give it back."""
    terminal = _stderr_again()
    if terminal is None:
        yield
        return
    try:
        _flush_stderr()
        os.dup2(file.fileno(), STDERR)
        yield
    finally:
        try:
            _flush_stderr()
        finally:
            os.dup2(terminal, STDERR)
            os.close(terminal)


def _stderr_again() -> int | None:
    """Another descriptor of stderr; None where the process began without one, and a file of its own may be there."""
    if sys.__stderr__ is None:
        return None
    try:
        return os.dup(STDERR)
    except OSError:
        return None


def _flush_stderr() -> None:
    """Write what Python holds back; it may have no stream, a closed one, or one onto a full disk."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
