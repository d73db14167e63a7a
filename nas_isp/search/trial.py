"""The evaluator of a real search: trains generators on the study's prepared data."""

from dataclasses import dataclass
from pathlib import Path

import torch

from nas_isp import __version__
from nas_isp.generators.architecture import ARCHITECTURE
from nas_isp.generators.bundle import RAW_FOLDER, save_bundle
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import load_prepared
from nas_isp.recipe import TrainSettings
from nas_isp.search.workers import Reached, RungTask, ShouldStop, TrialFailedError, TrialInterruptedError
from nas_isp.training.trainer import Trainer, TrainingDiverged
from nas_isp.training.training_run import TrainingRun


@dataclass(frozen=True)
class TrainerFactory:
    """Makes the evaluator in a worker process.

    Every trial trains with the same seed: the same batches in the same order make candidates comparable. Their bundles
    say where the study's RAW lies.
    """

    prepared_folder: Path
    settings: TrainSettings
    seed: int
    threads: int = 1
    weights_dir: Path | None = None
    raw: Path | None = None

    def __call__(self) -> "TrainerEvaluator":
        """Load what all trials share."""
        torch.set_num_threads(self.threads)
        return TrainerEvaluator(load_prepared(self.prepared_folder), self)


class TrainerEvaluator:
    """Trains one trial after the other; keeps the last trainer for its next task."""

    def __init__(self, prepared: Prepared, factory: TrainerFactory) -> None:
        self._prepared, self._factory = prepared, factory
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._trainer: Trainer | None = None
        self._trial = -1

    def evaluate(self, task: RungTask, should_stop: ShouldStop) -> Reached:
        """Train up to the task's step and score; the last task writes `model.safetensors`."""
        trainer = self._trainer_of(task)

        def callback(done: int, total: int) -> None:
            if should_stop():
                raise TrialInterruptedError

        trainer.callback = callback
        try:
            outcome = trainer.train(task.until_step)
        except TrainingDiverged as error:
            raise TrialFailedError(str(error)) from error
        if task.is_last:
            origin = {"program": f"nas-isp {__version__}", "command": "search", "trial": task.trial}
            if self._factory.raw is not None:
                origin[RAW_FOLDER] = str(self._factory.raw.resolve())
            save_bundle(task.folder / "model.safetensors", trainer.bundle(origin, trainer.recorded(outcome)))
        return Reached(outcome.quality, outcome.score_kind, outcome.scores, outcome.step)

    def _trainer_of(self, task: RungTask) -> Trainer:
        if self._trainer is None or self._trial != task.trial:
            architecture = ARCHITECTURE.validate_json(task.architecture_json)
            factory = self._factory
            run = TrainingRun(task.folder, factory.seed, self._device, weights_dir=factory.weights_dir)
            self._trainer = Trainer(architecture, self._prepared, factory.settings, run)
            self._trial = task.trial
        return self._trainer
