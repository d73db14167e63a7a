"""Checkpoints of a training: written whole or not at all, read without unpickling foreign code."""

import os
from pathlib import Path
from typing import Any

import torch

from nas_isp.errors import InputError


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write the state (tensors and plain values) atomically."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The saved state, or None if there is none.

    Raises:
        InputError: a file that is no checkpoint.
    """
    if not path.is_file():
        return None
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch.load raises whatever the damaged bytes make its readers raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable checkpoint ({reason}); delete it to start anew") from error
