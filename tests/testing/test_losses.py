"""Every built-in loss term conforms, and faulty ones do not."""

import pytest
import torch
from torch import Tensor

from nas_isp.recipe.loss_registry import LOSSES
from nas_isp.testing.losses import LossConformance
from nas_isp.training.loss_term import LossInputs, LossTerm


class TestBuiltInLosses(LossConformance):
    @pytest.fixture(params=list(LOSSES), autouse=True)
    def each(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


def _root_of_zero(inputs: LossInputs) -> Tensor:
    return (inputs.generated - inputs.generated.detach()).square().mean().sqrt()


def _no_scalar(inputs: LossInputs) -> Tensor:
    return (inputs.generated - inputs.photos).abs().mean((1, 2, 3))


def _of_photos_alone(inputs: LossInputs) -> Tensor:
    return inputs.photos.mean()


def _random(inputs: LossInputs) -> Tensor:
    return (inputs.generated * torch.rand_like(inputs.generated)).mean()


def _overwriting(inputs: LossInputs) -> Tensor:
    return (inputs.generated - inputs.photos.mul_(0.5)).abs().mean()


def _waiting(inputs: LossInputs) -> Tensor:
    return inputs.generated.mean() * inputs.photos.max().item()


@pytest.mark.parametrize(
    ("value", "test"),
    [
        (_no_scalar, "test_it_is_a_finite_scalar"),
        (_of_photos_alone, "test_its_gradient_reaches_the_generated_pictures"),
        (_root_of_zero, "test_its_gradient_reaches_the_generated_pictures"),
        (_random, "test_it_is_a_function_of_its_inputs_which_it_leaves_as_they_are"),
        (_overwriting, "test_it_is_a_function_of_its_inputs_which_it_leaves_as_they_are"),
        (_waiting, "test_it_never_waits_for_the_device"),
    ],
)
def test_a_faulty_term_is_found(value: object, test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOSSES._registered, "faulty", LossTerm(value))  # type: ignore[arg-type]
    conformance = LossConformance()
    conformance.name = "faulty"
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(conformance, test)()
