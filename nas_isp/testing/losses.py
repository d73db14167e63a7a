"""Conformance of loss terms: a scalar of what a step shows, from which a gradient reaches the generated pictures."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import torch
from ray import cloudpickle
from torch import Tensor

from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.recipe import TrainSettings
from nas_isp.recipe.loss_registry import LOSSES
from nas_isp.recipe.train_settings import WarmStartSettings
from nas_isp.testing.material import PATCH, prepared_demo
from nas_isp.training.discriminators import build_discriminators
from nas_isp.training.loss_term import CONTENT_VIEW, VIEWS, LossInputs
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

VIEW_SHAPE = (8, 16, 16)
"""Channels, rows and columns of the feature maps that a term is shown."""

STEPS = 2


class LossConformance:
    """All that a loss term promises.

    Attributes:
        name: of the term in `LOSSES`.
    """

    name: str

    def test_it_is_a_finite_scalar(self) -> None:
        """Of ordinary pictures, of black and white ones, and of such as a generator gives before they are clipped."""
        for level, spread in ((0.2, 0.6), (0.0, 0.0), (1.0, 0.0), (-0.3, 1.6)):
            for part, value in self._values(_inputs(level, spread)).items():
                kind = tuple(value.shape), value.dtype
                assert kind == ((), torch.float32), f"{part} is of shape and type {kind}, not a float32 scalar"
                assert value.isfinite(), f"{part} is {value.item()} of pictures from {level} to {level + spread}"

    def test_its_gradient_reaches_the_generated_pictures(self) -> None:
        """It is finite everywhere and not 0 everywhere."""
        inputs = _inputs()
        shown = [inputs.generated, *([inputs.synthetic[0]] if inputs.synthetic else [])]
        for part, value in self._values(inputs).items():
            found = torch.autograd.grad(value, shown, retain_graph=True, allow_unused=True)
            gradients = [gradient for gradient in found if gradient is not None]
            assert gradients, f"{part} does not depend on the generated pictures"
            assert all(gradient.isfinite().all() for gradient in gradients), f"{part} has a gradient that is not finite"
            assert any(gradient.any() for gradient in gradients), f"{part} has a gradient of 0"

    def test_it_is_a_function_of_its_inputs_which_it_leaves_as_they_are(self) -> None:
        """Without random numbers, so that a training can be repeated."""
        inputs = _inputs()
        before = {name: tensor.detach().clone() for name, tensor in _tensors(inputs).items()}
        first, second = self._values(inputs), self._values(replace(inputs))
        for part, value in first.items():
            assert torch.equal(value, second[part]), f"{part} differs the second time"
        changed = [name for name, tensor in _tensors(inputs).items() if not torch.equal(tensor, before[name])]
        assert not changed, f"it changes {', '.join(changed)}"

    def test_it_never_waits_for_the_device(self) -> None:
        """It takes tensors without numbers, from which none can be read."""
        for part, value in self._values(_inputs(device="meta")).items():
            assert value.is_meta, f"{part} is computed on {value.device} where its inputs are not"

    def test_workers_of_a_search_can_be_sent_it(self) -> None:
        """As the driver sends what it has registered."""
        copy = cloudpickle.loads(cloudpickle.dumps(LOSSES[self.name]))
        assert copy.views == LOSSES[self.name].views

    def test_a_generator_trains_with_it(self, tmp_path: Path) -> None:
        """As the only term of a recipe, for a few steps on the demo set."""
        weights, warm = {self.name: 1.0}, WarmStartSettings(steps=0)
        settings = TrainSettings(weights=weights, steps=STEPS, warm_start=warm, batch=2, patch=PATCH, selections=0)
        architecture = PlainArchitecture(blocks=(Block(kind="conv3", channels=8),))
        trainer = Trainer(architecture, prepared_demo(), settings, TrainingRun(tmp_path))
        before = [parameter.detach().clone() for parameter in trainer.generator.parameters()]
        outcome = trainer.train()
        assert outcome.step == STEPS
        moved = [not torch.equal(*pair) for pair in zip(trainer.generator.parameters(), before, strict=True)]
        assert any(moved), "no parameter of the generator has moved"

    def _values(self, inputs: LossInputs) -> dict[str, Tensor]:
        """What the term makes of inputs, of which it is shown what it says that it looks at."""
        term = LOSSES[self.name]
        shown = replace(
            inputs,
            views={view: inputs.views[view] for view in term.views},
            photo_views={view: inputs.photo_views[view] for view in term.views if view != CONTENT_VIEW},
            reference_content=inputs.reference_content if CONTENT_VIEW in term.views else None,
            synthetic=inputs.synthetic if term.synthetic_pairs else None,
        )
        value = term.value(shown)
        parts = {f"{self.name}_{part}": value[part] for part in value} if isinstance(value, Mapping) else None
        return parts or {self.name: value}  # type: ignore[dict-item]


def _inputs(level: float = 0.2, spread: float = 0.6, device: str = "cpu") -> LossInputs:
    """All that a step can show, of two pictures with values from `level` to `level + spread`, or on "meta" without any.

    Views of generated pictures are functions of them, as those of frozen networks are.
    """
    random = torch.Generator().manual_seed(0)

    def drawn(low: float, high: float) -> Tensor:
        return (low + (high - low) * torch.rand(2, 3, PATCH, PATCH, generator=random)).to(device)

    generated = drawn(level, level + spread).requires_grad_()
    references, photos = drawn(0.2, 0.8), drawn(0.1, 0.7)
    torch.manual_seed(0)
    judges = build_discriminators(TrainSettings(), dict.fromkeys(VIEWS[1:], VIEW_SHAPE)).to(device)
    return LossInputs(
        generated=generated,
        references=references,
        photos=photos,
        views={view: _view_of(generated) for view in VIEWS},
        photo_views={view: _view_of(photos) for view in VIEWS if view != CONTENT_VIEW},
        reference_content=_view_of(references),
        discriminators=judges,
        synthetic=(drawn(level, level + spread).requires_grad_(), drawn(0.2, 0.8)),
    )


def _view_of(pictures: Tensor) -> Tensor:
    """Feature maps of `VIEW_SHAPE`: fixed mixtures of the colors of 4x4 means."""
    channels = VIEW_SHAPE[0]
    mixture = torch.linspace(-1, 1, 3 * channels, device=pictures.device).view(channels, 3, 1, 1)
    means = torch.nn.functional.avg_pool2d(pictures, PATCH // VIEW_SHAPE[1])
    return torch.nn.functional.conv2d(means, mixture)


def _tensors(inputs: LossInputs) -> dict[str, Tensor]:
    """Every tensor of the inputs by name."""
    found: dict[str, Tensor] = {}
    for field in fields(inputs):
        value = getattr(inputs, field.name)
        if isinstance(value, Tensor):
            found[field.name] = value
        elif isinstance(value, tuple):
            found |= {f"{field.name} {index}": tensor for index, tensor in enumerate(value)}
        elif isinstance(value, dict):
            found |= {f"{field.name} {name}": tensor for name, tensor in value.items()}
    return found | dict(inputs.discriminators.named_parameters())
