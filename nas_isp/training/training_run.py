"""How one training is carried out, beside what is trained on which data by which settings."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from nas_isp.progress import ReportsProgress, unseen
from nas_isp.training.checkpoint import CHECKPOINT_FILE

TrainingCallback = Callable[[int, int], None]
"""Told (steps done, total steps) after every step; an exception it raises stops the training after a checkpoint."""


@dataclass(frozen=True)
class TrainingRun:
    """Where and from what a training runs.

    Attributes:
        folder: gets checkpoint, history, scores and a sample; a checkpoint of the same training is resumed.
        seed: of the generator's first weights.
        device: a name that PyTorch knows.
        initial_weights: state of the generator to start from; default is the architecture's own initialization.
        deadline: value of `time.monotonic()` at which the training ends where it is; `train_in` fits its steps to it.
        weights_dir: folder of frozen networks' weights; see `load_features`.
        progress: told (done, total, what is trained) by `train_in`.
    """

    folder: Path
    seed: int = 0
    device: str = "cpu"
    initial_weights: dict[str, Tensor] | None = None
    deadline: float = math.inf
    weights_dir: Path | None = None
    progress: ReportsProgress = unseen

    def forget_checkpoint(self) -> None:
        """Delete the checkpoint, once what was trained is kept elsewhere."""
        (self.folder / CHECKPOINT_FILE).unlink(missing_ok=True)
