"""One whole training: its steps fitted to the time there is, trained, scored, and made a model bundle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas_isp.deadlines import seconds_left
from nas_isp.errors import InputError
from nas_isp.evaluation.beside_classical import CLASSICAL, lines_beside_classical
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.bundle import RAW_FOLDER, Bundle
from nas_isp.preparation.prepared import Prepared
from nas_isp.recipe import TrainSettings
from nas_isp.training.scoring import TrainOutcome
from nas_isp.training.time_budget import fitted_to
from nas_isp.training.trainer import Trainer, TrainingDiverged
from nas_isp.training.training_run import TrainingRun


@dataclass(frozen=True)
class Trained:
    """A finished training: the bundle, and how good it is.

    The bundle's record holds the scores, those of the classical rendering among them.
    """

    bundle: Bundle
    outcome: TrainOutcome

    @property
    def classical(self) -> dict[str, Any] | None:
        """The same scores of the classical rendering; None where there was nothing to render."""
        return self.bundle.record.scores.get(CLASSICAL)

    def said(self) -> list[str]:
        """How the model looks beside the classical rendering, and a warning where it is worse."""
        return lines_beside_classical("the model", self.outcome.scores, self.classical)


def train_in(
    run: TrainingRun,
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    origin: dict[str, Any],
    name: str = "training",
) -> Trained:
    """Carry out a training.

    Args:
        run: how.
        architecture: the network.
        prepared: the data.
        settings: of the training; with a deadline, its numbers of steps are fitted to the time that is left.
        origin: what the bundle says about where it comes from.
        name: of the training, for `progress`.

    Raises:
        InputError: the training cannot go on, or its folder holds another one.
    """
    try:
        if (seconds := seconds_left(run.deadline)) is not None:
            run.progress(0, None, f"{name}: measuring the pace")
            settings = fitted_to(seconds, architecture, prepared, settings, run)
        trainer = Trainer(architecture, prepared, settings, run, lambda done, total: run.progress(done, total, name))
        outcome = trainer.train()
    except TrainingDiverged as error:
        raise InputError(f"the training diverged: {error}; lower learning_rate in the recipe") from error
    return Trained(trainer.bundle(origin, trainer.recorded(outcome)), outcome)


def origin_of(command: str, seed: int, raw: Path | None, **more: Any) -> dict[str, Any]:
    """What a bundle says about where it comes from, with the folder of the training RAW where a user gave one."""
    origin = {"command": command, **more, "seed": seed}
    return origin if raw is None else {**origin, RAW_FOLDER: str(raw.resolve())}
