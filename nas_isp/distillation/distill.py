"""Distils a candidate: its teacher's pictures become the reference that it regresses onto."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nas_isp.adversarial.prepare import Prepared
from nas_isp.adversarial.scoring import TrainOutcome
from nas_isp.adversarial.trainer import Trainer
from nas_isp.evaluation.metrics import to_8_bit
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle
from nas_isp.recipe import TrainSettings

CHUNK = 16

Progress = Callable[[float, float | None, str | None], None]


@dataclass(frozen=True)
class Trained:
    """A finished training: the bundle, and how good it is."""

    bundle: Bundle
    outcome: TrainOutcome


def train_teacher(
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    folder: Path,
    seed: int,
    device: str,
    origin: dict[str, Any],
    progress: Progress,
    deadline: float = math.inf,
) -> Trained:
    """Train the teacher unpaired; a folder with a checkpoint of the same training is resumed.

    Raises:
        TrainingDiverged: the training cannot go on.
    """
    return _trained(architecture, prepared, settings, folder, seed, device, origin, progress, "teacher", deadline)


def train_student(
    candidate: Bundle,
    teacher: Bundle,
    prepared: Prepared,
    settings: TrainSettings,
    folder: Path,
    seed: int,
    device: str,
    origin: dict[str, Any],
    progress: Progress,
    deadline: float = math.inf,
) -> Trained:
    """Train the candidate's network, from the candidate's weights, on the teacher's pictures of the training RAW.

    Raises:
        TrainingDiverged: the training cannot go on.
    """
    pictures = pictures_of(teacher, prepared, device, progress)
    return _trained(
        candidate.record.architecture,
        prepared.with_references(pictures),
        settings,
        folder,
        seed,
        device,
        origin,
        progress,
        "student",
        deadline,
        candidate.weights,
    )


def pictures_of(teacher: Bundle, prepared: Prepared, device: str, progress: Progress) -> NDArray[np.uint8]:
    """The teacher's pictures of all RAW patches, uint8 `(N, 3, S, S)`."""
    net = loaded(teacher).to(device)
    count, side = len(prepared.raw), prepared.references.shape[-1]
    pictures = np.empty((count, 3, side, side), np.uint8)
    with torch.no_grad():
        for start in range(0, count, CHUNK):
            indices = range(start, min(start + CHUNK, count))
            pictures[start : start + CHUNK] = to_8_bit(net(prepared.raw.tensor(indices).to(device))).transpose(
                0, 3, 1, 2
            )
            progress(start, count, "teacher's pictures")
    return pictures


def loaded(bundle: Bundle) -> nn.Module:
    """The training network of a bundle with its weights, frozen."""
    net = build(bundle.record.architecture)
    net.load_state_dict(bundle.weights)
    return net.eval().requires_grad_(False)


def _trained(
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    folder: Path,
    seed: int,
    device: str,
    origin: dict[str, Any],
    progress: Progress,
    role: str,
    deadline: float,
    weights: dict[str, torch.Tensor] | None = None,
) -> Trained:
    trainer = Trainer(
        architecture,
        prepared,
        settings,
        folder,
        seed,
        device,
        on_progress=lambda done, total: progress(done, total, role),
        initial_weights=weights,
        deadline=deadline,
    )
    outcome = trainer.train()
    scores = {"quality": outcome.quality, "score_kind": outcome.score_kind, **outcome.scores}
    return Trained(trainer.bundle({"role": role, **origin}, scores), outcome)
