"""The checkpoint of a training: written whole or not at all, read without unpickling foreign code."""

import io
from pathlib import Path
from typing import Any

import torch

from nas_isp.errors import InputError
from nas_isp.files import write_whole
from nas_isp.torch_files import read_torch_file

CHECKPOINT_FILE = "checkpoint.pt"
"""Its name in the folder of a training."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write the state (tensors and plain values) whole or not at all.

    Raises:
        UnwritableError: the folder cannot be written or has no room.
    """
    # Not written by torch, which hides what the operating system says.
    content = io.BytesIO()
    torch.save(state, content)
    write_whole(path, content.getbuffer())


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
