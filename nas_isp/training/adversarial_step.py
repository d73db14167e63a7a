"""Adversarial steps: the generator follows its balanced terms, the discriminators follow the generator."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.preparation.prepare import Prepared
from nas_isp.recipe import TrainSettings
from nas_isp.training.content_cache import ContentCache
from nas_isp.training.discriminator_state import DiscriminatorState
from nas_isp.training.feature_views import FeatureViews
from nas_isp.training.generator_state import GeneratorState
from nas_isp.training.gradient_balance import GradientBalance
from nas_isp.training.losses import generator_terms, judged


class AdversarialStep:
    """Steps of a generator against its discriminators.

    Nothing in a step waits for the device.
    """

    def __init__(
        self,
        learner: GeneratorState,
        prepared: Prepared,
        settings: TrainSettings,
        viewer: FeatureViews,
        device: torch.device,
    ) -> None:
        self.learner, self.prepared, self.settings = learner, prepared, settings
        self.viewer, self.device = viewer, device
        self.weights = settings.active_weights
        self.judged = tuple(name for name in judged(self.weights) if name in viewer.names)
        self.judges = DiscriminatorState(settings, viewer.shapes(self.judged, settings.patch, device), device)
        self.balance = GradientBalance(settings.balance)
        self.content_targets = ContentCache(viewer)

    def step(self, step: int) -> dict[str, Tensor]:
        """One generator step and, at times, one step of the discriminators; returns what the history shows."""
        settings = self.settings
        packed, reference, photos, indices = self.prepared.batch(step, settings.batch, self.device)
        with torch.no_grad():
            real = self.viewer.see(photos, self.judged)
        synthetic = self._synthetic(step)
        output = self.learner.generator(packed if synthetic is None else torch.cat([packed, synthetic[0]]))
        leaf = output.detach().requires_grad_()
        fake_pictures = leaf[: len(packed)]
        with_content = self.weights.content > 0
        fake = self.viewer.see(fake_pictures, (*(["content"] if with_content else []), *self.judged))
        terms = generator_terms(
            fake_pictures,
            reference,
            photos,
            fake,
            real,
            self.content_targets.of(indices, reference) if with_content else None,
            self.judges.discriminators,
            self.weights,
        )
        if synthetic is not None:
            terms["synthetic"] = (functional.l1_loss(leaf[len(packed) :], synthetic[1]), self.weights.synthetic)
        gradients = self.balance.gradients(step, output, leaf, terms, self.learner.parameters)
        self.learner.step(gradients, settings.learning_rate)
        self.learner.average()
        values = {name: value.detach() for name, (value, _) in terms.items()}
        values |= {f"norm_{name}": norm for name, norm in self.balance.norms.items()}
        values["drift"] = (fake_pictures.detach() - reference).abs().mean()
        if self.judged and step % settings.discriminator_every == 0:
            values["discriminators"] = self.judges.step(real, fake)
        return values

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on exactly."""
        return {"judges": self.judges.state_dict(), "norms": self.balance.norms}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.judges.load_state_dict(state["judges"])
        self.balance.norms = {name: norm.to(self.device) for name, norm in state["norms"].items()}

    def _synthetic(self, step: int) -> tuple[Tensor, Tensor] | None:
        """Synthetic RAW and its photos, where there are some and their term has a weight."""
        if self.prepared.synthetic is None or self.weights.synthetic == 0:
            return None
        return self.prepared.synthetic.batch(step, self.settings.batch, self.device)
