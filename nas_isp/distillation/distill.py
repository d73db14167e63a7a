"""Distils a candidate: it regresses onto its teacher's pictures, and is scored as its teacher and itself before."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nas_isp.evaluation.metrics import to_8_bit
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.bundle import Bundle, network_of
from nas_isp.preparation.prepared import Prepared
from nas_isp.progress import ReportsProgress
from nas_isp.recipe import TrainSettings
from nas_isp.training.scoring import TrainOutcome
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

CHUNK = 16


@dataclass(frozen=True)
class Run:
    """How a training is carried out.

    Attributes:
        folder: gets checkpoint, history and sample; a checkpoint of the same training is resumed.
        origin: what the bundle says about where it comes from.
        progress: told (done, total, what is trained).
        deadline: value of `time.monotonic()` after which the training ends where it is.
        weights_dir: folder of frozen networks' weights; see `load_features`.
    """

    folder: Path
    seed: int
    device: str
    origin: dict[str, Any]
    progress: ReportsProgress
    deadline: float = math.inf
    weights_dir: Path | None = None


@dataclass(frozen=True)
class Trained:
    """A finished training: the bundle, and how good it is."""

    bundle: Bundle
    outcome: TrainOutcome


def train_teacher(architecture: Architecture, prepared: Prepared, settings: TrainSettings, run: Run) -> Trained:
    """Train the teacher unpaired.

    Raises:
        TrainingDiverged: the training cannot go on.
    """
    return _trained(architecture, prepared, settings, run, "teacher", None)


def train_student(candidate: Bundle, taught: Prepared, settings: TrainSettings, run: Run) -> Trained:
    """Train the candidate's network, from its own weights, on data that is `taught_by` the `pictures_of` a teacher.

    Raises:
        TrainingDiverged: the training cannot go on.
    """
    return _trained(candidate.record.architecture, taught, settings, run, "student", candidate.weights)


def pictures_of(teacher: Bundle, prepared: Prepared, device: str, progress: ReportsProgress) -> NDArray[np.uint8]:
    """The teacher's pictures of all RAW patches, uint8 `(N, 3, S, S)`.

    Raises:
        InputError: the teacher's weights do not fit its architecture.
    """
    net = network_of(teacher, "teacher").to(device)
    data = prepared.training
    count, side = len(data.raw), data.references.shape[-1]
    pictures = np.empty((count, 3, side, side), np.uint8)
    with torch.no_grad():
        for start in range(0, count, CHUNK):
            indices = range(start, min(start + CHUNK, count))
            made = to_8_bit(net(data.raw.tensor(indices).to(device)))
            pictures[start : start + CHUNK] = made.transpose(0, 3, 1, 2)
            progress(start, count, "teacher's pictures")
    return pictures


def _trained(
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    run: Run,
    role: str,
    weights: dict[str, torch.Tensor] | None,
) -> Trained:
    trainer = Trainer(
        architecture,
        prepared,
        settings,
        TrainingRun(run.folder, run.seed, run.device, weights, run.deadline, run.weights_dir),
        lambda done, total: run.progress(done, total, role),
    )
    outcome = trainer.train()
    return Trained(trainer.bundle({"role": role, **run.origin}, outcome.to_dict()), outcome)
