"""The terms of a training are those of some weight, in one order, and name together what they need."""

from dataclasses import replace

import torch

from nas_isp.recipe import TrainSettings
from nas_isp.training.active_terms import ActiveTerms
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
    values = terms.values(loss_inputs(drawn(2, 1, 3, 16, 16)))
    assert {name: weight for name, (_, weight) in values.items()} == {"moments": 0.5}
    assert (terms.views, terms.discriminators, terms.synthetic_pairs) == ((), (), False)


def test_needs_are_those_of_all_terms_together() -> None:
    terms = _of({"color": 0.3, "texture": 0.0, "content": 1.0, "synthetic": 1.0})
    assert terms.views == ("content", "color")
    assert terms.discriminators == ("color",)
    assert terms.synthetic_pairs


def test_a_term_on_synthetic_pairs_is_left_out_where_there_are_none() -> None:
    inputs = replace(loss_inputs(drawn(0, 1, 3, 16, 16)), synthetic=None)
    assert list(_of({"synthetic": 1.0, "pixel": 1.0}).values(inputs)) == ["pixel"]


def test_the_mode_without_discriminators_leaves_out_what_asks_them() -> None:
    terms = _of(TrainSettings().weights, mode="paired-no-adv")
    assert list(terms.terms) == ["content", "pixel", "total_variation", "synthetic"]
    assert terms.discriminators == ()


def test_statistics_share_their_colors() -> None:
    inputs = loss_inputs(drawn(0, 1, 3, 16, 16))
    assert inputs.colors is inputs.colors
    torch.testing.assert_close(inputs.colors.shape, torch.Size([16, 3]))
