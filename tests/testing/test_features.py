"""Every built-in feature network conforms, and faulty ones do not."""

import pytest
import torch
from torch import nn

from nas_isp.perceptual.features import FEATURE_NETWORKS, FeatureSource
from nas_isp.perceptual.lite import unfilled_lite
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.testing.features import FeatureNetworkConformance

LARGE = "vit-b16"
SMALL = [name for name in FEATURE_NETWORKS if name != LARGE]


class TestBuiltInFeatureNetworks(FeatureNetworkConformance):
    @pytest.fixture(params=[*SMALL, pytest.param(LARGE, marks=pytest.mark.slow)], autouse=True)
    def each(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


def _learning(normalize: bool) -> FeatureNetwork:
    return unfilled_lite(normalize).requires_grad_(True)


def _wrong_stride(normalize: bool) -> FeatureNetwork:
    network = unfilled_lite(normalize)
    network.strides["deep"] = 16
    return network


def _noisy(normalize: bool) -> FeatureNetwork:
    network = unfilled_lite(normalize)
    network.stages["middle"] = nn.Sequential(network.stages["middle"], nn.Dropout(0.5).train())
    return network


def _drawing(normalize: bool) -> FeatureNetwork:
    torch.manual_seed(7)
    return unfilled_lite(normalize)


@pytest.mark.parametrize(
    ("make", "test", "message"),
    [
        (_learning, "test_its_weights_are_frozen", "asks for a gradient"),
        (_wrong_stride, "test_its_layers_have_the_channels_and_strides_that_it_says", "deep is 8x8; its stride says 4"),
        (_noisy, "test_it_computes_the_same_every_time", "differs the second time"),
    ],
)
def test_a_faulty_one_is_found(make: object, test: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = FeatureSource(make, packaged=make)  # type: ignore[arg-type]
    monkeypatch.setitem(FEATURE_NETWORKS._registered, "faulty", source)
    conformance = FeatureNetworkConformance()
    conformance.name = "faulty"
    with pytest.raises(AssertionError, match=message):
        getattr(conformance, test)()


def test_a_network_that_seeds_the_generator_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FEATURE_NETWORKS._registered, "drawing", FeatureSource(_drawing, packaged=_drawing))
    conformance = FeatureNetworkConformance()
    conformance.name = "drawing"
    conformance.test_loading_it_leaves_the_random_numbers_as_they_are()
