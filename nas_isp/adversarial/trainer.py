"""Trains one generator: a regression onto the content reference, then balanced adversarial steps."""

import copy
import hashlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.adversarial.balance import BALANCES
from nas_isp.adversarial.checkpoint import load_checkpoint, save_checkpoint
from nas_isp.adversarial.prepare import Prepared
from nas_isp.adversarial.scoring import TrainOutcome, score, write_sample
from nas_isp.adversarial.terms import (
    Views,
    build_discriminators,
    content_features,
    discriminators_loss,
    generator_terms,
    judged,
    view,
)
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord
from nas_isp.generators.initialise import dead_share
from nas_isp.perceptual.features import load_features
from nas_isp.recipe import TrainSettings

LOG_EVERY = 20
CHECKPOINT_SECONDS = 20.0
FINAL_RATE = 0.05
LOST_PICTURE = 0.45


class TrainingDiverged(Exception):  # noqa: N818 - reads as what happened
    """The training cannot go on; the message says why."""


class Trainer:
    """One training in one folder; a second trainer on the same folder goes on where the first one stopped.

    The folder gets `checkpoint.pt`, `history.jsonl` (a line every 20 steps) and `sample.png`. Batches depend on seed
    and step alone, so that a resumed training sees what an uninterrupted one would have seen.

    Args:
        on_progress: called with (steps done, total steps) after every step; an exception it raises stops the training
            after a checkpoint.
        initial_weights: state of the generator to start from; default is the architecture's own initialisation.
        deadline: value of `time.monotonic()` after which the training ends where it is.
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
    ) -> None:
        self.architecture, self.prepared, self.settings = architecture, prepared, settings
        self.folder, self.seed, self.device = folder, seed, torch.device(device)
        self.on_progress = on_progress or (lambda done, total: None)
        self.deadline = deadline
        self.weights = settings.active_weights
        _make_folder(folder)
        torch.manual_seed(seed)
        self.generator = build(architecture).to(self.device)
        self.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stubs lack it
        if initial_weights is not None:
            self.generator.load_state_dict(initial_weights)
        self.averaged = copy.deepcopy(self.generator).requires_grad_(False)
        self.features = load_features(settings.features).to(self.device)
        self.discriminators = build_discriminators(self.features).to(self.device)
        self.parameters = list(self.generator.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=settings.learning_rate, betas=(0.5, 0.9))
        self.judge_optimizer = torch.optim.Adam(
            self.discriminators.parameters(), lr=settings.discriminator_learning_rate, betas=(0.5, 0.9)
        )
        self.identity = _identity(architecture, prepared, settings, seed, initial_weights)
        self.step = 0
        self.content_cache: dict[int, Tensor] = {}
        self._resume()

    @property
    def total_steps(self) -> int:
        """Regression steps and adversarial steps."""
        return self.settings.warm_start.steps + self.settings.steps

    def train(self, until_step: int | None = None) -> TrainOutcome:
        """Train up to a step (default: all), write the checkpoint, and score the averaged generator.

        Raises:
            TrainingDiverged: a loss became NaN or infinite, or the picture was lost.
        """
        self.advance(self.total_steps if until_step is None else min(until_step, self.total_steps))
        self.save()
        return self.score()

    def advance(self, until_step: int) -> None:
        """Train up to a step or the deadline, no more; see `train`."""
        saved_at = time.monotonic()
        unlogged: dict[str, Tensor] = {}
        try:
            while self.step < until_step and time.monotonic() < self.deadline:
                unlogged = self._regress() if self.step < self.settings.warm_start.steps else self._play()
                self.step += 1
                if self.step % LOG_EVERY == 0:
                    self._log(unlogged)
                    unlogged = {}
                if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
                    self.save()
                    saved_at = time.monotonic()
                self.on_progress(self.step, self.total_steps)
            if unlogged:
                self._log(unlogged)
        except TrainingDiverged:
            raise
        except BaseException:
            self.save()
            raise
        if self.step <= self.settings.warm_start.steps:
            self.averaged.load_state_dict(self.generator.state_dict())

    def score(self) -> TrainOutcome:
        """Score the averaged generator as it is, and write `sample.png`."""
        outcome = score(self.averaged, self.prepared, self.features, self.step, self.device)
        write_sample(self.averaged, self.prepared, self.folder / "sample.png", self.device)
        return outcome

    def bundle(self, origin: dict[str, Any], scores: dict[str, Any] | None = None) -> Bundle:
        """The averaged generator as a model bundle."""
        record = BundleRecord(
            architecture=self.architecture,
            sensor=self.prepared.sensor,
            recipe=self.settings.model_dump(mode="json"),
            scores=scores or {},
            origin=origin,
        )
        return Bundle(record, {name: value.cpu() for name, value in self.averaged.state_dict().items()})

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "identity": self.identity,
            "step": self.step,
            "generator": self.generator.state_dict(),
            "averaged": self.averaged.state_dict(),
            "discriminators": self.discriminators.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "judge_optimizer": self.judge_optimizer.state_dict(),
        }
        save_checkpoint(self.folder / "checkpoint.pt", state)

    def _resume(self) -> None:
        state = load_checkpoint(self.folder / "checkpoint.pt", self.device)
        self.step = int(state["step"]) if state else 0
        if state:
            if state.get("identity") != self.identity:
                raise InputError(
                    f"{self.folder}: holds a training with another architecture, seed, settings or data; "
                    "give another folder, or delete it to start anew"
                )
            for name in ("generator", "averaged", "discriminators", "optimizer", "judge_optimizer"):
                getattr(self, name).load_state_dict(state[name])
        history = self.folder / "history.jsonl"
        if history.is_file():
            lines = [line for line in history.read_text().splitlines() if line.endswith("}")]
            kept = [line for line in lines if json.loads(line)["step"] <= self.step]
            history.write_text("".join(f"{line}\n" for line in kept))

    def _regress(self) -> dict[str, Tensor]:
        """One step of the regression onto the reference; the averaged weights follow exactly."""
        warm = self.settings.warm_start
        self._set_rate(warm.learning_rate * _cosine(self.step / warm.steps))
        packed, reference, _, _ = self.prepared.batch(self.step, self.settings.batch, self.device)
        output = self.generator(packed)
        values = {"l1": functional.l1_loss(output, reference)}
        loss = values["l1"]
        if warm.feature_weight > 0:
            with torch.no_grad():
                wanted = content_features(reference, self.features)
            values["feature"] = functional.l1_loss(content_features(output, self.features), wanted)
            loss = loss + warm.feature_weight * values["feature"]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        if self.step + 1 == warm.steps:
            self.averaged.load_state_dict(self.generator.state_dict())
        return {name: value.detach() for name, value in values.items()}

    def _play(self) -> dict[str, Tensor]:
        """One generator step and, at times, one discriminator step."""
        settings = self.settings
        self._set_rate(settings.learning_rate)
        packed, reference, photos, indices = self.prepared.batch(self.step, settings.batch, self.device)
        with torch.no_grad(), self._reduced_precision():
            real = view(photos, self.features)
        output = self.generator(packed)
        leaf = output.detach().requires_grad_()
        self.discriminators.requires_grad_(False)
        with self._reduced_precision():
            terms, fake = generator_terms(
                leaf,
                reference,
                self._content_targets(indices, reference),
                real,
                self.features,
                self.discriminators,
                self.weights,
            )
        gradients, norms = BALANCES[settings.balance](output, leaf, terms, self.parameters)
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.step()
        self._average()
        values = {name: value.detach() for name, (value, _) in terms.items()}
        values |= {f"norm_{name}": norm for name, norm in norms.items()}
        values["drift"] = (leaf.detach() - reference).abs().mean()
        if self.step % settings.discriminator_every == 0 and judged(self.weights):
            values["discriminators"] = self._judge(real, fake)
        return values

    def _judge(self, real: Views, fake: Views) -> Tensor:
        self.discriminators.requires_grad_(True)
        loss = discriminators_loss(self.discriminators, judged(self.weights), real, fake, self.settings.penalty)
        self.judge_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.discriminators.parameters(), 1.0)
        self.judge_optimizer.step()
        return loss.detach()

    def _average(self) -> None:
        with torch.no_grad():
            for average, current in zip(self.averaged.parameters(), self.generator.parameters(), strict=True):
                average.lerp_(current, 1 - self.settings.ema)

    def _content_targets(self, indices: Tensor, reference: Tensor) -> Tensor:
        """Deep features of the references: a fixed patch is looked at once in a training."""
        keys = indices.tolist()
        missing = [at for at, key in enumerate(keys) if key not in self.content_cache]
        if missing:
            with torch.no_grad():
                seen = content_features(reference[missing], self.features)
            self.content_cache |= {keys[at]: row.clone() for at, row in zip(missing, seen, strict=True)}
        return torch.stack([self.content_cache[key] for key in keys])

    def _reduced_precision(self) -> torch.autocast:
        """bfloat16 for the frozen networks where the device is fast at it."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def _set_rate(self, rate: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _log(self, values: dict[str, Tensor]) -> None:
        """Write a history line and stop a training that went wrong; the only place that waits for the device."""
        row: dict[str, float] = {name: float(value) for name, value in values.items()}
        with torch.no_grad():
            packed = self.prepared.batch(self.step, self.settings.batch, self.device)[0]
            row["dead_share"] = dead_share(self.generator, packed)
        line = json.dumps({"step": self.step, **{name: _rounded(value) for name, value in row.items()}})
        with (self.folder / "history.jsonl").open("a") as history:
            history.write(line + "\n")
        broken = [name for name, value in row.items() if not math.isfinite(value)]
        if broken:
            raise TrainingDiverged(f"step {self.step}: {', '.join(broken)} is not a finite number")
        if row.get("drift", 0.0) > LOST_PICTURE:
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


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror}); give a folder that can be written") from error


def _cosine(share: float) -> float:
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def _rounded(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None
