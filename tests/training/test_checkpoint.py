"""A checkpoint is written whole, or the old one stays and one line says why."""

from pathlib import Path

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.training.checkpoint import load_checkpoint, save_checkpoint
from tests.full_disk import REASON, room_for


def test_a_full_disk_gives_one_line_and_leaves_the_old_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, {"step": 1})

    with room_for(10_000), pytest.raises(InputError, match=rf"checkpoint\.pt: cannot be written .*{REASON}"):
        save_checkpoint(path, {"step": 2, "weights": torch.zeros(100_000)})

    assert load_checkpoint(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]
