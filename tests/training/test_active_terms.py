"""The terms of a training are those of some weight, in one order, and name together what they need."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.recipe import TrainSettings
from nas_isp.recipe.loss_registry import LOSSES
from nas_isp.training.active_terms import ActiveTerms
from nas_isp.training.loss_term import LossInputs, LossTerm
from tests.training.loss_inputs import drawn, loss_inputs


def _of(weights: dict[str, float], **fields: object) -> ActiveTerms:
    return ActiveTerms.of(TrainSettings().model_copy(update={"weights": weights, **fields}))


def test_values_come_in_the_order_in_which_gradients_are_added() -> None:
    """The order is part of a training's numbers: sums of floats depend on it."""
    everything = {"synthetic": 1.0, "sliced_wasserstein": 0.7, "color_histogram": 0.6, "moments": 0.5, "color": 0.4}
    everything |= {"texture": 0.3, "total_variation": 0.2, "pixel": 0.1, "content": 0.9}
    values = _of(everything).values(loss_inputs(drawn(0, 2, 3, 16, 16).requires_grad_()))
    assert {name: weight for name, (_, weight) in values.items()} == {
        **{"content": 0.9, "pixel": 0.1, "total_variation": 0.2, "texture_fine": 0.3, "texture_coarse": 0.3},
        **{"color": 0.4, "moments": 0.5, "color_histogram": 0.6, "sliced_wasserstein": 0.7, "synthetic": 1.0},
    }
    order = ["content", "pixel", "total_variation", "texture_fine", "texture_coarse", "color"]
    assert list(values) == [*order, "moments", "color_histogram", "sliced_wasserstein", "synthetic"]


def test_only_terms_of_some_weight_are_computed() -> None:
    terms = _of({"moments": 0.5, "content": 0.0})
    values = terms.values(loss_inputs(drawn(2, 1, 3, 16, 16).requires_grad_()))
    assert {name: weight for name, (_, weight) in values.items()} == {"moments": 0.5}
    assert (terms.views, terms.discriminators, terms.synthetic_pairs) == ((), (), False)


def test_needs_are_those_of_all_terms_together() -> None:
    terms = _of({"color": 0.3, "texture": 0.0, "content": 1.0, "synthetic": 1.0})
    assert terms.views == ("content", "color")
    assert terms.discriminators == ("color",)
    assert terms.synthetic_pairs


def test_a_term_on_synthetic_pairs_is_left_out_where_there_are_none() -> None:
    inputs = replace(loss_inputs(drawn(0, 1, 3, 16, 16).requires_grad_()), synthetic=None)
    assert list(_of({"synthetic": 1.0, "pixel": 1.0}).values(inputs)) == ["pixel"]


def test_the_mode_without_discriminators_leaves_out_what_asks_them() -> None:
    terms = _of(TrainSettings().weights, mode="paired-no-adv")
    assert list(terms.terms) == ["content", "pixel", "total_variation", "synthetic"]
    assert terms.discriminators == ()


def test_statistics_share_their_colors() -> None:
    inputs = loss_inputs(drawn(0, 1, 3, 16, 16))
    assert inputs.colors is inputs.colors
    torch.testing.assert_close(inputs.colors.shape, torch.Size([16, 3]))


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (lambda inputs: inputs.generated.mean((1, 2, 3)), r"a tensor of shape \(2,\)"),
        (lambda inputs: inputs.generated.detach().mean(), "a scalar that no gradient comes from"),
        (lambda inputs: {"part": 1.0}, "a float"),
    ],
)
def test_a_term_that_gives_no_scalar_with_a_gradient_is_refused_by_name(
    value: Callable[[LossInputs], object], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LOSSES._registered, "faulty", LossTerm(value))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=f"loss term 'faulty' gives {fault}"):
        _of({"faulty": 1.0}).values(loss_inputs(drawn(0, 2, 3, 16, 16).requires_grad_()))


def test_what_is_no_term_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOSSES._registered, "number", 3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="loss term 'number' is a int"):
        _of({"number": 1.0})
