"""The folder of a training and its checkpoint: written whole or not at all, read without unpickling foreign code."""

import os
from pathlib import Path
from typing import Any

import torch

from nas_isp.errors import InputError
from nas_isp.generators.torch_files import read_torch_file

CHECKPOINT_FILE = "checkpoint.pt"
"""Its name in the folder of a training."""


def make_folder(folder: Path) -> None:
    """Make the folder of a training, if it is not there.

    Raises:
        InputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror}); give a folder that can be written") from error


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write the state (tensors and plain values) atomically."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The saved state, or None if there is none.

    Its tensors are on the host: what takes them over knows which of them belong on the device. Adam's counts of steps
    do not; there, every step would wait for the device to read them.

    Raises:
        InputError: a file that is no checkpoint.
    """
    if not path.is_file():
        return None
    try:
        state = read_torch_file(path)
    except InputError as error:
        raise InputError(f"{path}: not a readable checkpoint ({error}); delete it to start anew") from error
    if not isinstance(state, dict):
        raise InputError(f"{path}: not a readable checkpoint; delete it to start anew")
    return state
