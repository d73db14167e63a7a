"""One whole training: its steps fitted to the time there is, trained, scored, and made a model bundle."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from nas_isp.deadlines import seconds_left
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.bundle import RAW_FOLDER, Bundle
from nas_isp.preparation.prepare import Prepared
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.recipe import TrainSettings
from nas_isp.training.checkpoint import CHECKPOINT_FILE
from nas_isp.training.scoring import TrainOutcome
from nas_isp.training.time_budget import fitted_to
from nas_isp.training.trainer import Trainer, TrainingDiverged


@dataclass(frozen=True)
class TrainingRun:
    """How a training is carried out.

    Attributes:
        folder: gets checkpoint, history and sample; a checkpoint of the same training is resumed.
        seed: of everything random.
        compute: the processor, as torch calls it.
        deadline: value of `time.monotonic()` that the steps are fitted to and after which the training ends where it
            is; infinity trains the planned steps.
        weights_dir: folder of frozen networks' weights; see `load_features`.
        progress: told (done, total, what is trained).
    """

    folder: Path
    seed: int = 0
    compute: str = "cpu"
    deadline: float = math.inf
    weights_dir: Path | None = None
    progress: ReportsProgress = unseen

    def forget_checkpoint(self) -> None:
        """Delete the checkpoint, once what was trained is kept elsewhere."""
        (self.folder / CHECKPOINT_FILE).unlink(missing_ok=True)


@dataclass(frozen=True)
class Trained:
    """A finished training: the bundle, and how good it is."""

    bundle: Bundle
    outcome: TrainOutcome


def train_in(
    run: TrainingRun,
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    origin: dict[str, Any],
    name: str = "training",
    initial_weights: dict[str, Tensor] | None = None,
) -> Trained:
    """Carry out a training.

    Args:
        run: how.
        architecture: the network.
        prepared: the data.
        settings: of the training; with a deadline, its numbers of steps are fitted to the time that is left.
        origin: what the bundle says about where it comes from.
        name: of the training, for `progress`.
        initial_weights: to start from; None initializes the network.

    Raises:
        InputError: the training cannot go on, or its folder holds another one.
    """
    try:
        if (seconds := seconds_left(run.deadline)) is not None:
            run.progress(0, None, f"{name}: measuring the pace")
            settings = fitted_to(seconds, architecture, prepared, settings, run.folder, run.compute, run.weights_dir)
        trainer = Trainer(
            architecture,
            prepared,
            settings,
            run.folder,
            run.seed,
            run.compute,
            on_progress=lambda done, total: run.progress(done, total, name),
            initial_weights=initial_weights,
            deadline=run.deadline,
            weights_dir=run.weights_dir,
        )
        outcome = trainer.train()
    except TrainingDiverged as error:
        raise InputError(f"the training diverged: {error}; lower learning_rate in the recipe") from error
    return Trained(trainer.bundle(origin, outcome.to_dict()), outcome)


def origin_of(command: str, seed: int, raw: Path | None, **more: Any) -> dict[str, Any]:
    """What a bundle says about where it comes from, with the folder of the training RAW where a user gave one."""
    origin = {"command": command, **more, "seed": seed}
    return origin if raw is None else {**origin, RAW_FOLDER: str(raw.resolve())}
