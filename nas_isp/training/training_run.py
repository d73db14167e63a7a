"""How one training is carried out, beside what is trained on which data by which settings."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

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
        deadline: value of `time.monotonic()` after which the training ends where it is.
        weights_dir: folder of frozen networks' weights; see `load_features`.
    """

    folder: Path
    seed: int = 0
    device: str = "cpu"
    initial_weights: dict[str, Tensor] | None = None
    deadline: float = math.inf
    weights_dir: Path | None = None
