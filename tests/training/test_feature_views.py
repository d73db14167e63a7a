"""Views are the layers that the settings name, seen with one pass for all that can share one."""

from pathlib import Path

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.evaluation.color import luma_picture, srgb_to_lab
from nas_isp.perceptual.features import load_features
from nas_isp.recipe import ColorSettings, TrainSettings, load_recipe
from nas_isp.training.discriminators import build_discriminators
from nas_isp.training.feature_extractors import FeatureExtractors, check_extractors, layers_of, working_precision
from nas_isp.training.feature_views import FeatureViews, blurred_picture, lightness_picture

CPU = torch.device("cpu")
LITE = TrainSettings()


def _viewer(settings: TrainSettings) -> FeatureViews:
    layers = layers_of(settings)
    return FeatureViews(layers, FeatureExtractors(list(layers.values()), CPU))


def _pictures(side: int = 64) -> torch.Tensor:
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))


def test_views_hold_what_each_discriminator_expects() -> None:
    viewer = _viewer(LITE)
    seen = viewer.see(_pictures(), viewer.names)
    assert seen.keys() == {"content", "texture_fine", "texture_coarse", "color"}
    judged = ("texture_fine", "texture_coarse", "color")
    judges = build_discriminators(LITE, viewer.shapes(judged, 64, CPU))
    assert all(judges[name](seen[name]).shape == (2,) for name in judged)


def test_a_view_is_the_layer_of_its_network_on_luma() -> None:
    features = load_features("lite")
    seen = _viewer(LITE).see(_pictures(), ("content", "texture_fine"))
    expected = features(luma_picture(_pictures()))
    torch.testing.assert_close(seen["content"], expected["deep"])
    torch.testing.assert_close(seen["texture_fine"], expected["shallow"])


def test_views_of_one_network_and_picture_share_a_pass() -> None:
    viewer = _viewer(LITE)
    (network,) = viewer.networks.values()
    passes: list[int] = []
    network.stages["shallow"].register_forward_hook(lambda *_: passes.append(1))
    viewer.see(_pictures(), ("content", "texture_fine", "texture_coarse"))
    assert len(passes) == 1
    viewer.see(_pictures(), viewer.names)
    assert len(passes) == 3  # luma again, and the blurred picture


def test_networks_of_the_published_recipe_with_one_replacement_are_two() -> None:
    settings = load_recipe("arhire2025").train.with_features("lite")
    assert len(_viewer(settings).networks) == 2  # normalized for content, not so for the discriminators


def test_content_is_blind_to_color_and_the_color_view_is_not() -> None:
    viewer = _viewer(LITE)
    gray = _pictures()[:1, :1].expand(1, 3, 64, 64) * 0.5 + 0.2
    tinted = gray + torch.tensor([0.1, -0.299 / 0.587 * 0.1, 0.0]).view(1, 3, 1, 1)  # the same luma
    first, second = viewer.see(gray, viewer.names), viewer.see(tinted, viewer.names)
    torch.testing.assert_close(first["content"], second["content"], rtol=1e-3, atol=1e-3)
    assert float((first["color"] - second["color"]).abs().mean()) > 0.05


def test_lightness_is_that_of_lab_and_goes_on_beyond_white() -> None:
    pictures = _pictures(16)
    torch.testing.assert_close(lightness_picture(pictures)[:, :1], srgb_to_lab(pictures)[:, :1] / 100)
    beyond = torch.full((1, 3, 1, 1), 1.5, requires_grad=True)
    lightness = lightness_picture(beyond)
    assert float(lightness.detach().min()) > 1
    assert float(torch.autograd.grad(lightness.sum(), beyond)[0].abs().sum()) > 0


def test_the_published_blur_is_the_gaussian_of_the_recipe() -> None:
    """Published: 21 x 21, square root of a Gaussian in 21 bins from -3.17 to 3.17 sigma, zeros outside."""
    edges = torch.linspace(-3 - 1 / 6, 3 + 1 / 6, 22, dtype=torch.float64)
    line = torch.special.ndtr(edges).diff()
    kernel = torch.outer(line, line).sqrt()
    kernel = (kernel / kernel.sum()).float()
    settings = load_recipe("arhire2025").train.color.model_copy(update={"side": None})
    impulse = torch.zeros(1, 3, 41, 41)
    impulse[..., 20, 20] = 1
    ours = blurred_picture(impulse, settings)[0, 0, 10:31, 10:31]
    assert float((ours - kernel).abs().max()) < 0.01 * float(kernel.max())
    corner = torch.nn.functional.conv2d(torch.ones(1, 1, 30, 30), kernel[None, None], padding=10)
    ours = blurred_picture(torch.ones(1, 3, 30, 30), settings)[:, :1]
    torch.testing.assert_close(ours, corner, rtol=0, atol=0.01)


def test_a_blurred_picture_is_resized_when_the_settings_say_so() -> None:
    settings = ColorSettings(shrink=1, side=32)
    assert blurred_picture(_pictures(), settings).shape == (2, 3, 32, 32)


def test_terms_without_weight_need_no_network() -> None:
    settings = load_recipe("arhire2025").train.model_copy(update={"weights": {"pixel": 0.3, "texture": 0.0}})
    assert layers_of(settings) == {}
    assert layers_of(LITE.model_copy(update={"mode": "paired-no-adv"})).keys() == {"content"}


def test_an_unknown_layer_is_one_line_that_lists_the_known_ones(tmp_path: Path) -> None:
    content = LITE.content.model_copy(update={"layer": "relu5_4"})
    with pytest.raises(InputError, match="no layer 'relu5_4': known are shallow, middle, deep"):
        check_extractors(LITE.model_copy(update={"content": content}))


def test_missing_weights_say_what_can_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nas_isp.perceptual import features

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NAS_ISP_WEIGHTS", raising=False)

    def offline(*_: object) -> Path:
        raise InputError("it cannot be fetched")

    monkeypatch.setattr("nas_isp.perceptual.download.download", offline)
    monkeypatch.setattr(features, "download", offline)
    with pytest.raises(InputError, match=r"vgg19.*weights_dir.*lite"):
        check_extractors(load_recipe("arhire2025").train, tmp_path)


def test_reduced_precision_is_for_gpus_unless_asked_for() -> None:
    assert working_precision("auto", CPU) == torch.float32
    assert working_precision("auto", torch.device("cuda")) == torch.bfloat16
    assert working_precision("bfloat16", CPU) == torch.bfloat16
    assert working_precision("float32", torch.device("cuda")) == torch.float32
