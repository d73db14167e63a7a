"""Trains one generator: a regression onto pictures that belong to its RAW, then balanced adversarial steps."""

import copy
import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nas_isp.allocator import keep_freed_memory
from nas_isp.errors import InputError
from nas_isp.files import make_folder
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.bundle import Bundle, BundleRecord
from nas_isp.generators.initialize import dead_share
from nas_isp.perceptual.features import load_features
from nas_isp.preparation.prepare import Prepared
from nas_isp.recipe import TrainSettings
from nas_isp.training.adversarial_step import AdversarialStep
from nas_isp.training.best_weights import BestWeights
from nas_isp.training.bundle_sensor import bundle_sensor
from nas_isp.training.checkpoint import CHECKPOINT_FILE, load_checkpoint, save_checkpoint
from nas_isp.training.feature_extractors import FeatureExtractors, layers_of, working_precision
from nas_isp.training.feature_views import FeatureViews
from nas_isp.training.generator_state import GeneratorState
from nas_isp.training.history import History
from nas_isp.training.scoring import TrainOutcome, score, write_sample
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

    Args:
        on_progress: called with (steps done, total steps) after every step; an exception it raises stops the training
            after a checkpoint.
        initial_weights: state of the generator to start from; default is the architecture's own initialization.
        deadline: value of `time.monotonic()` after which the training ends where it is.
        weights_dir: folder of frozen networks' weights; see `load_features`.

    Attributes:
        generator, averaged: the network in training, and the one with averaged weights.
        features: the frozen network of the reference-free score.
    """

    def __init__(
        self,
        architecture: Architecture,
        prepared: Prepared,
        settings: TrainSettings,
        folder: Path,
        seed: int,
        device: torch.device | str = "cpu",
        on_progress: Callable[[int, int], None] | None = None,
        initial_weights: dict[str, Tensor] | None = None,
        deadline: float = math.inf,
        weights_dir: Path | None = None,
    ) -> None:
        self.architecture, self.prepared, self.settings = architecture, prepared, settings
        self.folder, self.seed, self.device = folder, seed, torch.device(device)
        self.on_progress = on_progress or (lambda done, total: None)
        self.deadline = deadline
        keep_freed_memory()
        make_folder(folder)
        layers = layers_of(settings)
        precision = working_precision(settings.frozen_precision, self.device)
        networks = FeatureExtractors(layers.values(), self.device, precision, weights_dir=weights_dir)
        self.features = load_features(settings.score_features, weights_dir).to(self.device)
        self.viewer = FeatureViews(layers, networks)
        self.learner = GeneratorState(architecture, settings, seed, self.device, initial_weights)
        parts = (self.learner, prepared, settings, self.viewer, self.device)
        self.regression = WarmStart(*parts)
        self.contest = AdversarialStep(*parts)
        self.selection = BestWeights(settings)
        self.history, self.scores = History(folder / "history.jsonl"), History(folder / "scores.jsonl")
        self.identity = _identity(architecture, prepared, settings, seed, initial_weights)
        self.step = 0
        self._resume()

    @property
    def generator(self) -> nn.Module:
        """The network in training."""
        return self.learner.generator

    @property
    def averaged(self) -> nn.Module:
        """The network with averaged weights."""
        return self.learner.averaged

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
            phase = self.regression if self.step < self.settings.warm_start.steps else self.contest
            unlogged = phase.step(self.step)
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
            self.learner.restart_average()

    def score(self) -> TrainOutcome:
        """The score of the selected weights, or of the averaged ones where none are selected; writes `sample.png`."""
        chosen = self.chosen()
        write_sample(chosen, self.prepared, self.folder / "sample.png", self.device)
        return self.selection.outcome or self._scored(chosen)

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
        return {"learner": self.learner, "contest": self.contest, "selection": self.selection}

    def _report(self) -> None:
        """Tell how far the training is. It is whole between two steps, so what stops it here may be saved."""
        try:
            self.on_progress(self.step, self.total_steps)
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
        return score(network, self.prepared, self.features, self.step, self.device)

    def _log(self, values: dict[str, Tensor]) -> None:
        """Write a history line and stop a training that went wrong; waits for the device."""
        row: dict[str, float] = dict(zip(values, torch.stack(tuple(values.values())).tolist(), strict=True))
        with torch.no_grad():
            packed = self.prepared.batch(self.step, self.settings.batch, self.device)[0]
            row["dead_share"] = dead_share(self.generator, packed)
        self.history.append({"step": self.step, **row})
        broken = [name for name, value in row.items() if not math.isfinite(value)]
        if broken:
            raise TrainingDiverged(f"step {self.step}: {', '.join(broken)} is not a finite number")
        if row.get("drift", 0.0) > LOST_PICTURE and self.settings.warm_start.steps:
            raise TrainingDiverged(
                f"step {self.step}: the output is {row['drift']:.2f} away from the reference picture"
            )


def _identity(
    architecture: Architecture,
    prepared: Prepared,
    settings: TrainSettings,
    seed: int,
    initial_weights: dict[str, Tensor] | None,
) -> str:
    """What a checkpoint must agree in to be gone on from."""
    digest = hashlib.sha256(f"{architecture.to_json()}{settings.model_dump_json()}{seed}{prepared.digest}".encode())
    for name, weight in sorted((initial_weights or {}).items()):
        digest.update(name.encode() + weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
