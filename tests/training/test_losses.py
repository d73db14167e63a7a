"""Loss terms have the values that arithmetic gives them, and all of them can be balanced."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from nas_isp.recipe import LOSSES
from nas_isp.training.loss_term import VIEWS, LossTerm
from nas_isp.training.losses import low_frequency_distance, total_variation
from tests.training.loss_inputs import drawn, loss_inputs

STATISTICS = ("moments", "color_histogram", "sliced_wasserstein")


def test_total_variation_of_a_ramp() -> None:
    ramp = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 3, 4, 4)
    assert float(total_variation(ramp)) == 1.0
    assert float(total_variation(torch.full((1, 3, 4, 4), 0.3))) == 0.0


def test_low_frequencies_ignore_texture_and_see_color() -> None:
    checker = (torch.arange(8)[:, None] + torch.arange(8)) % 2
    texture = (checker - 0.5).expand(1, 3, 8, 8)
    flat = torch.zeros(1, 3, 8, 8)
    assert float(low_frequency_distance(flat + texture, flat)) == 0.0
    assert float(low_frequency_distance(flat + 0.25, flat)) == 0.25


def test_terms_towards_known_pictures_are_their_distances() -> None:
    inputs = loss_inputs(drawn(0, 2, 3, 16, 16))
    content, pixel, synthetic = (LOSSES[name].value(inputs) for name in ("content", "pixel", "synthetic"))
    assert float(content) == float((inputs.views["content"] - inputs.reference_content).square().mean())
    assert float(pixel) == float(low_frequency_distance(inputs.generated, inputs.references))
    assert float(synthetic) == float(functional.l1_loss(*inputs.synthetic))


def test_discriminators_are_answered_pair_by_pair() -> None:
    inputs = loss_inputs(drawn(0, 2, 3, 16, 16))
    fake, real = (inputs.discriminators["color"](views["color"]) for views in (inputs.views, inputs.photo_views))
    assert float(LOSSES["color"].value(inputs)) == float(functional.softplus(real - fake).mean())
    assert LOSSES["texture"].value(inputs).keys() == {"fine", "coarse"}


@pytest.mark.parametrize("name", STATISTICS)
def test_statistics_see_a_tint_and_no_rearrangement_and_have_gradients(name: str) -> None:
    photos = drawn(1, 2, 3, 16, 16) * 0.6 + 0.1
    tint = torch.tensor([0.1, 0.0, -0.05]).view(1, 3, 1, 1)
    output = (photos + tint).requires_grad_()
    distance = LOSSES[name].value(loss_inputs(output, photos))
    (gradient,) = torch.autograd.grad(distance, output)
    assert float(distance.detach()) > 0.005
    assert float((gradient * tint).sum()) > 0  # going further in the tint makes it worse
    assert float(LOSSES[name].value(loss_inputs(photos.flip(3), photos))) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_a_term_has_a_gradient_and_needs_only_what_it_names(name: str) -> None:
    term = LOSSES[name]
    pictures = drawn(0, 2, 3, 16, 16).requires_grad_()
    given = loss_inputs(pictures)
    shown = replace(
        given,
        views={view: maps for view, maps in given.views.items() if view in term.views},
        photo_views={view: maps for view, maps in given.photo_views.items() if view in term.views},
        reference_content=given.reference_content if "content" in term.views else None,
        discriminators=torch.nn.ModuleDict({view: given.discriminators[view] for view in term.discriminators}),
        synthetic=given.synthetic if term.synthetic_pairs else None,
    )
    value = term.value(shown)
    for scalar in (value,) if isinstance(value, torch.Tensor) else value.values():
        assert scalar.shape == ()
        (gradient,) = torch.autograd.grad(scalar, pictures, retain_graph=True)
        assert 0 < float(gradient.norm()) < float("inf")


def test_needs_that_no_recipe_can_show_are_refused() -> None:
    with pytest.raises(ValueError, match=f"view 'luma': known are {', '.join(VIEWS)}"):
        LossTerm(torch.mean, views=("luma",))
    with pytest.raises(ValueError, match="discriminator of 'color': name that view"):
        LossTerm(torch.mean, discriminators=("color",))
    with pytest.raises(ValueError, match="discriminator of 'content'"):
        LossTerm(torch.mean, views=("content",), discriminators=("content",))
