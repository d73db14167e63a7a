"""Adversarial steps: the generator follows its balanced terms, the discriminators follow the generator."""

from typing import Any

import torch
from torch import Tensor

from nas_isp.preparation.training_data import Batch, TrainingData
from nas_isp.recipe import TrainSettings
from nas_isp.training.active_terms import ActiveTerms
from nas_isp.training.content_cache import ContentCache
from nas_isp.training.discriminator_state import DiscriminatorState
from nas_isp.training.feature_views import FeatureViews, Views
from nas_isp.training.generator_state import GeneratorState
from nas_isp.training.gradient_balance import GradientBalance
from nas_isp.training.loss_term import CONTENT_VIEW, LossInputs


class AdversarialStep:
    """The phase of a generator against its discriminators.

    Nothing in a step waits for the device.
    """

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
        self.terms = ActiveTerms.of(settings)
        self.judged = tuple(name for name in self.terms.discriminators if name in viewer.names)
        self.judges = DiscriminatorState(settings, viewer.shapes(self.judged, settings.patch, device), device)
        self.balance = GradientBalance(settings.balance)
        self.content_targets = ContentCache(viewer)

    def step(self, step: int) -> dict[str, Tensor]:
        """One generator step and, at times, one step of the discriminators; see `Phase`."""
        settings = self.settings
        batch = self.data.batch(step, settings.batch, self.device)
        real = self._views_of_photos(batch.photos)
        synthetic = self._synthetic(step)
        output = self.learner.generator(batch.packed if synthetic is None else torch.cat([batch.packed, synthetic[0]]))
        leaf = output.detach().requires_grad_()
        inputs = self._inputs(batch, leaf, real, None if synthetic is None else synthetic[1])
        terms = self.terms.values(inputs)
        gradients = self.balance.gradients(step, output, leaf, terms, self.learner.parameters)
        self.learner.step(gradients, settings.learning_rate)
        self.learner.average.follow(self.learner.generator)
        values = {name: value.detach() for name, (value, _) in terms.items()}
        values |= {f"norm_{name}": norm for name, norm in self.balance.norms.items()}
        values["drift"] = (inputs.generated.detach() - batch.wanted).abs().mean()
        if self.judged and step % settings.discriminator_every == 0:
            values["discriminators"] = self.judges.step(real, inputs.views)
        return values

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on exactly."""
        return {"judges": self.judges.state_dict(), "norms": self.balance.norms}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.judges.load_state_dict(state["judges"])
        self.balance.norms = {name: norm.to(self.device) for name, norm in state["norms"].items()}

    def _inputs(self, batch: Batch, leaf: Tensor, photo_views: Views, photos_of_synthetic: Tensor | None) -> LossInputs:
        """What the terms see of generated pictures: first those of real RAW, then those of synthetic RAW."""
        count = len(batch.packed)
        generated = leaf[:count]
        with_content = CONTENT_VIEW in self.terms.views
        return LossInputs(
            generated=generated,
            references=batch.wanted,
            photos=batch.photos,
            views=self.viewer.see(generated, self.terms.views),
            photo_views=photo_views,
            reference_content=self.content_targets.of(batch.indices, batch.wanted) if with_content else None,
            discriminators=self.judges.discriminators,
            synthetic=None if photos_of_synthetic is None else (leaf[count:], photos_of_synthetic),
        )

    @torch.no_grad()
    def _views_of_photos(self, photos: Tensor) -> Views:
        return self.viewer.see(photos, [view for view in self.terms.views if view != CONTENT_VIEW])

    def _synthetic(self, step: int) -> tuple[Tensor, Tensor] | None:
        """Synthetic RAW and its photos, where there are some and a term looks at them."""
        if self.data.synthetic is None or not self.terms.synthetic_pairs:
            return None
        return self.data.synthetic.batch(step, self.settings.batch, self.device)
