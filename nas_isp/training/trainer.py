"""Trains one generator: a regression onto pictures that belong to its RAW, then balanced adversarial steps."""

import copy
import hashlib
import math
import time
from typing import Any

import torch
from torch import Tensor, nn

from nas_isp.allocator import keep_freed_memory
from nas_isp.errors import InputError
from nas_isp.evaluation.beside_classical import CLASSICAL
from nas_isp.files import make_folder
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.bundle import Bundle, BundleRecord
from nas_isp.generators.initialize import dead_share
from nas_isp.perceptual.features import load_features
from nas_isp.preparation.prepared import Prepared
from nas_isp.recipe import TrainSettings
from nas_isp.training.adversarial_step import AdversarialStep
from nas_isp.training.best_weights import BestWeights
from nas_isp.training.bundle_sensor import bundle_sensor
from nas_isp.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from nas_isp.training.feature_extractors import FeatureExtractors, layers_of, working_precision
from nas_isp.training.feature_views import FeatureViews
from nas_isp.training.generator_state import GeneratorState
from nas_isp.training.history import History
from nas_isp.training.phase import Phase
from nas_isp.training.scoring import TrainOutcome, score, score_classical, write_sample
from nas_isp.training.training_run import TrainingCallback, TrainingRun
from nas_isp.training.warm_start import WarmStart

LOG_EVERY = 20
CHECKPOINT_SECONDS = 20.0
LOST_PICTURE = 0.45
"""Mean distance from the reference that nothing leads back from; a training without a warm start begins there."""


class TrainingDiverged(Exception):  # noqa: N818 - reads as what happened
    """The training cannot go on; the message says why."""


class Trainer:
    """One training in one folder; a second trainer on the same folder goes on where the first one stopped.

    The folder gets `checkpoint.pt`, `history.jsonl` (a line every 20 steps), `scores.jsonl` (a line whenever weights
    were scored) and `sample.png`. Batches depend on seed and step alone, so that a resumed training sees what an
    uninterrupted one would have seen. What stops a training within a step, such as Ctrl-C, leaves the last checkpoint,
    which is at most 20 seconds old.

    Attributes:
        generator, averaged: the network in training, and the one with averaged weights.
        features: the frozen network of the scores.
    """

    def __init__(
        self,
        architecture: Architecture,
        prepared: Prepared,
        settings: TrainSettings,
        run: TrainingRun,
        callback: TrainingCallback | None = None,
    ) -> None:
        """Set everything up, and go on where the folder's checkpoint was taken, if there is one.

        Raises:
            InputError: a frozen network, loss term or score cannot be had, or the folder holds another training.
        """
        self.architecture, self.prepared, self.settings = architecture, prepared, settings
        self.folder, self.deadline, self.device = run.folder, run.deadline, torch.device(run.device)
        self.callback = callback or (lambda done, total: None)
        self.score_kind = prepared.scoring.chosen_score(settings.score)
        keep_freed_memory()
        make_folder(run.folder)
        layers = layers_of(settings)
        precision = working_precision(settings.frozen_precision, self.device)
        networks = FeatureExtractors(layers.values(), self.device, precision, weights_dir=run.weights_dir)
        self.features = load_features(settings.score_features, run.weights_dir).to(self.device)
        self.viewer = FeatureViews(layers, networks)
        self.learner = GeneratorState(architecture, settings, run.seed, self.device, run.initial_weights)
        parts = (self.learner, prepared.training, settings, self.viewer, self.device)
        self.warm_start = WarmStart(*parts)
        self.adversarial = AdversarialStep(*parts)
        self.selection = BestWeights(settings)
        self.history, self.scores = History(run.folder / "history.jsonl"), History(run.folder / "scores.jsonl")
        self.identity = _identity(architecture, prepared, settings, run)
        self.step = 0
        self._resume()

    @property
    def generator(self) -> nn.Module:
        """The network in training."""
        return self.learner.generator

    @property
    def averaged(self) -> nn.Module:
        """The network with averaged weights."""
        return self.learner.average.network

    @property
    def phase(self) -> Phase:
        """What the next step belongs to."""
        return self.warm_start if self.step < self.settings.warm_start.steps else self.adversarial

    @property
    def total_steps(self) -> int:
        """Regression steps and adversarial steps."""
        return self.settings.warm_start.steps + self.settings.steps

    def train(self, until_step: int | None = None) -> TrainOutcome:
        """Train up to a step (default: all), write the checkpoint, and score the weights that `bundle` gives.

        Raises:
            TrainingDiverged: a loss became NaN or infinite, or the picture was lost.
        """
        self.advance(self.total_steps if until_step is None else min(until_step, self.total_steps))
        self._select(last=True)
        self.save()
        return self.score()

    def advance(self, until_step: int) -> None:
        """Train up to a step or the deadline, no more; see `train`."""
        saved_at = time.monotonic()
        unlogged: dict[str, Tensor] = {}
        while self.step < until_step and time.monotonic() < self.deadline:
            unlogged = self.phase.step(self.step)
            self.step += 1
            if self.step % LOG_EVERY == 0:
                self._log(unlogged)
                unlogged = {}
            self._select()
            if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
                self.save()
                saved_at = time.monotonic()
            self._report()
        if unlogged:
            self._log(unlogged)
        if self.step <= self.settings.warm_start.steps:
            self.learner.average.restart(self.learner.generator)

    def score(self) -> TrainOutcome:
        """The score of the selected weights, or of the averaged ones where none are selected; writes `sample.png`."""
        chosen = self.chosen()
        write_sample(chosen, self.prepared.scoring, self.folder / "sample.png", self.device)
        return self.selection.outcome or self._scored(chosen)

    def classical(self) -> TrainOutcome | None:
        """The score of the classical rendering on the same material; None where there is no rendering."""
        return score_classical(self.prepared.scoring, self.features, self.device, self.score_kind)

    def recorded(self, outcome: TrainOutcome) -> dict[str, Any]:
        """What a bundle records of an outcome: its scores, and under `classical` those of the classical rendering."""
        classical = self.classical()
        return outcome.to_dict() | ({} if classical is None else {CLASSICAL: classical.to_dict()})

    def chosen(self) -> nn.Module:
        """The generator with the selected weights, or the averaged ones where none are selected."""
        if self.selection.outcome is None:
            return self.averaged
        best = copy.deepcopy(self.averaged)
        best.load_state_dict(self.selection.weights)
        return best

    def bundle(self, origin: dict[str, Any], scores: dict[str, Any] | None = None) -> Bundle:
        """The `chosen` generator as a model bundle."""
        chosen = self.chosen()
        record = BundleRecord(
            architecture=self.architecture,
            sensor=bundle_sensor(self.prepared, chosen, self.device),
            network_input=self.prepared.training.inputs.kind,
            recipe=self.settings.model_dump(mode="json"),
            scores=scores or {},
            origin=origin,
        )
        return Bundle(record, {name: value.cpu() for name, value in chosen.state_dict().items()})

    def save(self) -> None:
        """Write the checkpoint."""
        state = {name: part.state_dict() for name, part in self._parts().items()}
        save_checkpoint(self.folder / CHECKPOINT_FILE, {"identity": self.identity, "step": self.step, **state})

    def _parts(self) -> dict[str, GeneratorState | AdversarialStep | BestWeights]:
        return {"learner": self.learner, "contest": self.adversarial, "selection": self.selection}

    def _report(self) -> None:
        """Tell how far the training is. It is whole between two steps, so what stops it here may be saved."""
        try:
            self.callback(self.step, self.total_steps)
        except BaseException:
            self.save()
            raise

    def _resume(self) -> None:
        state = load_checkpoint(self.folder / CHECKPOINT_FILE)
        if state:
            if state.get("identity") != self.identity:
                raise InputError(
                    f"{self.folder}: holds a training with another architecture, seed, settings or data; "
                    "give another folder, or delete it to start anew"
                )
            try:
                self.step = range(self.total_steps + 1).index(state["step"])
                for name, part in self._parts().items():
                    part.load_state_dict(state[name])
            except Exception as error:
                # Each part runs into what is missing or of another type in its own way.
                raise InputError(
                    f"{self.folder / CHECKPOINT_FILE}: a damaged checkpoint ({type(error).__name__}); "
                    "delete it to start anew"
                ) from error
        for file in (self.history, self.scores):
            file.cut_after(self.step)

    def _select(self, last: bool = False) -> None:
        if self.selection.is_due(self.step, last):
            outcome = self._scored(self.averaged)
            self.scores.append({"step": self.step, **outcome.to_dict()})
            self.selection.consider(outcome, self.averaged)

    def _scored(self, network: nn.Module) -> TrainOutcome:
        return score(network, self.prepared.scoring, self.features, self.step, self.device, self.score_kind)

    def _log(self, values: dict[str, Tensor]) -> None:
        """Write a history line and stop a training that went wrong; waits for the device."""
        row: dict[str, float] = dict(zip(values, torch.stack(tuple(values.values())).tolist(), strict=True))
        with torch.no_grad():
            packed = self.prepared.training.batch(self.step, self.settings.batch, self.device).packed
            row["dead_share"] = dead_share(self.generator, packed)
        self.history.append({"step": self.step, **row})
        broken = [name for name, value in row.items() if not math.isfinite(value)]
        if broken:
            raise TrainingDiverged(f"step {self.step}: {', '.join(broken)} is not a finite number")
        if row.get("drift", 0.0) > LOST_PICTURE and self.settings.warm_start.steps:
            raise TrainingDiverged(
                f"step {self.step}: the output is {row['drift']:.2f} away from the reference picture"
            )


def _identity(architecture: Architecture, prepared: Prepared, settings: TrainSettings, run: TrainingRun) -> str:
    """What a checkpoint must agree in to be gone on from."""
    parts = architecture.to_json(), settings.model_dump_json(), run.seed, prepared.digest
    digest = hashlib.sha256("".join(map(str, parts)).encode())
    for name, weight in sorted((run.initial_weights or {}).items()):
        digest.update(name.encode() + weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
