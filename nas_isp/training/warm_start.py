"""The warm start: regression of the generator onto pictures that belong to its RAW."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.preparation.training_data import TrainingData
from nas_isp.recipe import TrainSettings
from nas_isp.training.feature_views import FeatureViews
from nas_isp.training.generator_state import GeneratorState

FINAL_RATE = 0.05


class WarmStart:
    """The phase of L1 regression onto photos, from synthetic RAW of them, and onto references of real RAW."""

    def __init__(
        self,
        learner: GeneratorState,
        data: TrainingData,
        settings: TrainSettings,
        viewer: FeatureViews,
        device: torch.device,
    ) -> None:
        self.learner, self.data, self.settings = learner, data, settings
        self.viewer, self.device = viewer, device
        self.synthetic_share = 0.0 if data.synthetic is None else settings.warm_start.synthetic_share

    def step(self, step: int) -> dict[str, Tensor]:
        """One step; see `Phase`. After the last one the averaged weights are the present ones."""
        warm, size = self.settings.warm_start, self.settings.batch
        values: dict[str, Tensor] = {}
        losses = []
        for name, (packed, wanted, share) in self._batches(step, size).items():
            output = self.learner.generator(packed)
            values[f"l1_{name}"] = functional.l1_loss(output, wanted)
            losses.append(share * values[f"l1_{name}"])
            if warm.feature_weight > 0:
                values[f"feature_{name}"] = self._feature_distance(output, wanted)
                losses.append(share * warm.feature_weight * values[f"feature_{name}"])
        loss = torch.stack(losses).sum()
        gradients = torch.autograd.grad(loss, self.learner.parameters, materialize_grads=True)
        self.learner.step(list(gradients), warm.learning_rate * _cosine(step / warm.steps))
        if step + 1 == warm.steps:
            self.learner.average.restart(self.learner.generator)
        return {name: value.detach() for name, value in values.items()}

    def _batches(self, step: int, size: int) -> dict[str, tuple[Tensor, Tensor, float]]:
        """Packed RAW, wanted pictures and share of the loss, for each kind that has a share."""
        batches = {}
        if self.data.synthetic is not None and self.synthetic_share > 0:
            batches["synthetic"] = (*self.data.synthetic.batch(step, size, self.device), self.synthetic_share)
        if self.synthetic_share < 1:
            batch = self.data.batch(step, size, self.device)
            batches["reference"] = (batch.packed, batch.wanted, 1 - self.synthetic_share)
        return batches

    def _feature_distance(self, output: Tensor, reference: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.viewer.see(reference, ["content"])["content"]
        return functional.l1_loss(self.viewer.see(output, ["content"])["content"], wanted)


def _cosine(share: float) -> float:
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
