"""Measures a generator step against the published one: same batch, same networks, same terms, one process.

Run: python benchmarks/train_step.py [--recipe arhire2025] [--features lite] [--batch 4] [--side 256] [--threads 2]
     [--repeats 3] [--device cpu] [--json]

The reference is the step of arXiv 2505.10420 as its code takes it: every view is a pass of its own, the real pictures'
too and with their graph; five backward passes for the norms of the terms' gradients, five more to log the weighted
norms, one for the update; weight gradients of the transformer and of the discriminators are built, as nothing freezes
them there. Ours is the trainer's own step, balanced at the parameters as published, without a discriminator step.
Weights are random: they change no time. Steps are timed in turns, after a round that is not timed; ratios are of the
least times.

The terms are those of `--recipe`: with VGG-19, AlexNet and ViT-B/16 in arhire2025; `--features` puts one network in all
places.
Rows: `all frozen` is the published step without any weight gradient but the generator's; `float32` and `bfloat16` name
the precision of the frozen networks in ours; `first sight` sees the references for the first time, the other rows have
their features from an earlier step; `at output` measures norms at the output, as the default recipe does, and has
another gradient; `running` measures them every 16 steps.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.generators.published import PUBLISHED
from nas_isp.perceptual.features import unfilled_features
from nas_isp.preparation.training_data import Batch
from nas_isp.recipe import BalanceSettings, TrainSettings, load_recipe
from nas_isp.training.adversarial_step import AdversarialStep
from nas_isp.training.content_cache import ContentCache
from nas_isp.training.discriminators import relativistic_loss
from nas_isp.training.feature_extractors import FeatureExtractors, key_of, layers_of
from nas_isp.training.feature_views import FeatureViews
from nas_isp.training.generator_state import GeneratorState
from nas_isp.training.losses import low_frequency_distance, total_variation

AS_IN_RECIPE = "recipe"
RUNNING_EVERY = 16
FIRST_STEP, LATER_STEP = RUNNING_EVERY, RUNNING_EVERY + 1
"""The first one measures norms where they are measured every 16 steps."""
NEVER = 1_000_000


class FixedBatch:
    """Stands for the training data: the same batch at every step."""

    synthetic = None

    def __init__(self, batch: int, side: int, device: torch.device) -> None:
        drawn = torch.Generator().manual_seed(0)
        shapes = ((batch, 4, side // 2, side // 2), (batch, 3, side, side), (batch, 3, side, side))
        smooth = [torch.rand(shape, generator=drawn).to(device) for shape in shapes]
        self.packed, self.reference, self.photos = (functional.avg_pool2d(x, 5, 1, 2) for x in smooth)
        self.indices = torch.arange(batch)

    def batch(self, step: int, size: int, device: torch.device) -> Batch:
        """See `TrainingData.batch`."""
        return Batch(self.packed, self.reference, self.photos, self.indices)


class PublishedStep:
    """The step of the published code, for any networks."""

    def __init__(self, contest: AdversarialStep, data: FixedBatch, frozen: bool = False) -> None:
        self.contest, self.data, self.frozen = contest, data, frozen
        self.generator = contest.learner.generator
        self.logged: dict[str, float] = {}

    def __call__(self) -> None:
        """Leave the update's gradient in the generator's parameters."""
        contest = self.contest
        unfrozen = (
            []
            if self.frozen
            else [contest.viewer.networks[key_of(contest.settings.color)], contest.judges.discriminators]
        )
        for module in unfrozen:
            module.requires_grad_(True)
        generated = self.generator(self.data.packed)
        weights = contest.settings.weights
        content = self._view("content", generated), self._view("content", self.data.reference)
        terms = {
            "content": (2 * functional.mse_loss(*content), weights["content"]),
            "total_variation": (total_variation(generated), weights["total_variation"]),
        }
        if "pixel" in weights:
            terms["pixel"] = (low_frequency_distance(generated, self.data.reference), weights["pixel"])
        for name in contest.judged:
            judge = contest.judges.discriminators[name]
            fake, real = self._view(name, generated), self._view(name, self.data.photos)
            terms[name] = (relativistic_loss(judge(fake), judge(real)), weights[name.split("_")[0]])
        scales = {name: weight / (self._norm(value) + 1e-8) for name, (value, weight) in terms.items()}
        weighted = {name: scales[name] * value for name, (value, _) in terms.items()}
        total = torch.stack(list(weighted.values())).sum()
        self.logged = {name: float(value.detach()) for name, value in weighted.items()}
        self.logged |= {f"norm_{name}": float(self._norm(value)) for name, value in weighted.items()}
        self.generator.zero_grad()
        total.backward()
        contest.learner.optimizer.step()
        for module in unfrozen:
            module.requires_grad_(False)
            module.zero_grad()

    def _view(self, name: str, images: Tensor) -> Tensor:
        return self.contest.viewer.see(images, [name])[name]

    def _norm(self, value: Tensor) -> Tensor:
        self.generator.zero_grad()
        value.backward(retain_graph=True)
        norms = [parameter.grad.norm() for parameter in self.generator.parameters() if parameter.grad is not None]
        return torch.stack(norms).norm()


def measure(settings: TrainSettings, repeats: int, device: torch.device) -> list[dict[str, Any]]:
    """Time the published step and ours; a row each, with the ratio and how far the gradients are apart."""
    data = FixedBatch(settings.batch, settings.patch, device)
    exact = _contest(settings, data, device, torch.float32)
    reduced = _contest(settings, data, device, torch.bfloat16)
    every_step = BalanceSettings(norms="parameters")
    running = BalanceSettings(norms="parameters", every=RUNNING_EVERY, decay=0.9)
    at_output = BalanceSettings(norms="output")

    def step(
        contest: AdversarialStep, balance: BalanceSettings = every_step, at: int = FIRST_STEP, first_sight: bool = False
    ) -> None:
        contest.balance.settings = balance
        if first_sight:
            contest.content_targets = ContentCache(contest.viewer)
        contest.step(at)

    ways: dict[str, Callable[[], None]] = {
        "published": PublishedStep(exact, data),
        "published, all frozen": PublishedStep(exact, data, frozen=True),
        "float32, at output": lambda: step(exact, at_output),
        "float32": lambda: step(exact),
        "float32, first sight": lambda: step(exact, first_sight=True),
        "float32, running": lambda: step(exact, running, at=LATER_STEP),
        "bfloat16": lambda: step(reduced),
        "bfloat16, first sight": lambda: step(reduced, first_sight=True),
        "bfloat16, running": lambda: step(reduced, running, at=LATER_STEP),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    gradients: dict[str, Tensor] = {}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            learner = (reduced if name.startswith("bfloat16") else exact).learner
            state = {key: value.clone() for key, value in learner.generator.state_dict().items()}
            began = _now(device)
            way()
            if turn:  # the first round warms up
                times[name].append(_now(device) - began)
            gradients[name] = _gradient(learner.generator)
            learner.generator.load_state_dict(state)
    seconds = {name: min(taken) for name, taken in times.items()}
    for precision in ("float32", "bfloat16"):
        between = (RUNNING_EVERY - 1) * seconds[f"{precision}, running"]
        seconds[f"{precision}, running"] = (between + seconds[precision]) / RUNNING_EVERY
    return [_row(name, seconds, gradients[name], gradients["published"]) for name in ways]


def _row(name: str, seconds: dict[str, float], gradient: Tensor, published: Tensor) -> dict[str, Any]:
    return {
        "step": name,
        "seconds": round(seconds[name], 4),
        "times_faster": round(seconds["published"] / seconds[name], 2),
        "relative_gradient_difference": float((gradient - published).norm() / published.norm()),
        "gradient_cosine": float(functional.cosine_similarity(gradient, published, dim=0)),
    }


def _contest(
    settings: TrainSettings, data: FixedBatch, device: torch.device, precision: torch.dtype
) -> AdversarialStep:
    torch.manual_seed(0)
    layers = layers_of(settings)
    networks = FeatureExtractors(
        layers.values(), device, precision, load=lambda key: unfilled_features(key.features, key.normalize)
    )
    learner = GeneratorState(PUBLISHED["efficient-isp"], settings, seed=0, device=device)
    torch.manual_seed(0)
    return AdversarialStep(learner, data, settings, FeatureViews(layers, networks), device)


def _gradient(generator: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in generator.parameters() if p.grad is not None]).double().cpu()


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def settings_for(recipe_name: str, features: str, batch: int, side: int) -> TrainSettings:
    """A recipe's terms on a batch; the start is ours, so that no term begins with dead units."""
    recipe = load_recipe(recipe_name).train
    chosen = recipe if features == AS_IN_RECIPE else recipe.with_features(features)
    return chosen.model_copy(
        update={"batch": batch, "patch": side, "initialization": "rendering", "discriminator_every": NEVER}
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="arhire2025")
    parser.add_argument("--features", default=AS_IN_RECIPE)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    rows = measure(
        settings_for(given.recipe, given.features, given.batch, given.side), given.repeats, torch.device(given.device)
    )
    if given.json:
        print(json.dumps({**vars(given), "rows": rows}))
        return
    for row in rows:
        print(
            "  ".join(
                f"{name} {value:.4g}" if isinstance(value, float) else f"{value:24}" for name, value in row.items()
            )
        )


if __name__ == "__main__":
    main()
