"""Keeps the chatter of converters off the user's terminal."""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

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
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
