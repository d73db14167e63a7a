"""Keeps the chatter of converters and runtimes off the user's terminal."""

import io
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

STDERR = 2
_SETTINGS = {"LITERT_TORCH_SHOW_PROGRESS": "n", "TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}


@contextmanager
def quiet_converters() -> Iterator[None]:
    """Silence what torch.export, litert-torch and their dependencies print, warn of and log.

    Their errors are exceptions and pass through. Their first import must happen inside.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def without_info_lines() -> Iterator[None]:
    """Drop the lines beginning with "INFO:" that native code writes to stderr; all others come after the block.

    LiteRT writes one for every interpreter and has no setting against it.
    """
    try:
        terminal = os.dup(STDERR)
    except OSError:  # there is no stderr
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), STDERR)
        try:
            yield
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(terminal, STDERR)
            os.close(terminal)
            written.seek(0)
            os.write(STDERR, b"".join(line for line in written if not line.startswith(b"INFO:")))
