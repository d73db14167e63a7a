"""The evaluator of a real search: trains generators on the study's prepared data."""

from dataclasses import dataclass
from pathlib import Path

import torch

from nas_isp import __version__
from nas_isp.adversarial.prepare import Prepared
from nas_isp.adversarial.trainer import Trainer, TrainingDiverged
from nas_isp.generators.architecture import ARCHITECTURE
from nas_isp.generators.bundle import RAW_FOLDER, save_bundle
from nas_isp.recipe import TrainSettings
from nas_isp.search.workers import Reached, ShouldStop, Stage, StageFailedError, StageInterruptedError


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
        return TrainerEvaluator(Prepared.load(self.prepared_folder), self)


class TrainerEvaluator:
    """Trains one trial after the other; keeps the last trainer for its next stage."""

    def __init__(self, prepared: Prepared, factory: TrainerFactory) -> None:
        self._prepared, self._factory = prepared, factory
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._trainer: Trainer | None = None
        self._trial = -1

    def evaluate(self, stage: Stage, should_stop: ShouldStop) -> Reached:
        """Train up to the stage's step and score; the last stage writes `model.safetensors`."""
        trainer = self._trainer_of(stage)

        def on_progress(done: int, total: int) -> None:
            if should_stop():
                raise StageInterruptedError

        trainer.on_progress = on_progress
        try:
            outcome = trainer.train(stage.until_step)
        except TrainingDiverged as error:
            raise StageFailedError(str(error)) from error
        if stage.is_last:
            origin = {"program": f"nas-isp {__version__}", "command": "search", "trial": stage.trial}
            if self._factory.raw is not None:
                origin[RAW_FOLDER] = str(self._factory.raw.resolve())
            save_bundle(stage.folder / "model.safetensors", trainer.bundle(origin, outcome.to_dict()))
        return Reached(outcome.quality, outcome.score_kind, outcome.scores, outcome.step)

    def _trainer_of(self, stage: Stage) -> Trainer:
        if self._trainer is None or self._trial != stage.trial:
            architecture = ARCHITECTURE.validate_json(stage.architecture_json)
            factory = self._factory
            self._trainer = Trainer(
                architecture,
                self._prepared,
                factory.settings,
                stage.folder,
                factory.seed,
                self._device,
                weights_dir=factory.weights_dir,
            )
            self._trial = stage.trial
        return self._trainer
