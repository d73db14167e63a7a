"""VGG-19 is torchvision's by its key names, and the normalized one's shallow part; deeper layers are refused."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.errors import InputError
from nas_isp.perceptual.features import load_features
from nas_isp.perceptual.vgg19 import NORMALIZED_WEIGHTS, WEIGHTS, load_normalized_vgg19, load_vgg19
from tests.weights_files import save_torchvision

CONFIGURATION_E = (64, 64, "M", 128, 128, "M", *(256,) * 4, "M", *(512,) * 4, "M", *(512,) * 4, "M")


def torchvision_form() -> nn.Sequential:
    """What torchvision's `features` of VGG-19 is: configuration E of the paper, one module after the other."""
    parts: list[nn.Module] = []
    into = 3
    for item in CONFIGURATION_E:
        if isinstance(item, int):
            parts += [nn.Conv2d(into, item, 3, padding=1), nn.ReLU()]
            into = item
        else:
            parts.append(nn.MaxPool2d(2, 2))
    return nn.Sequential(*parts)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy, as published"])
def test_layers_are_those_of_the_network_that_the_key_names_describe(tmp_path: Path, zipped: bool) -> None:
    torch.manual_seed(0)
    reference = torchvision_form()
    save_torchvision(reference, tmp_path / WEIGHTS.name, zipped)
    network = load_vgg19(tmp_path / WEIGHTS.name)
    images = torch.rand(1, 3, 32, 48)
    mean, std = (torch.tensor(of).view(1, 3, 1, 1) for of in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    signal, at_relus = (images - mean) / std, []
    with torch.no_grad():
        for part in reference:
            signal = part(signal)
            if isinstance(part, nn.ReLU):
                at_relus.append(signal)
    features = network(images)
    assert next(iter(features)) == "relu1_1"
    assert list(features)[8:12] == ["relu4_1", "relu4_2", "relu4_3", "relu4_4"]
    assert list(features)[-1] == "relu5_4"
    for values, expected in zip(features.values(), at_relus, strict=True):
        torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)


def test_normalized_weights_see_what_their_own_chain_sees(shared_data: Path) -> None:
    state = torch.load(shared_data / "weights" / NORMALIZED_WEIGHTS.name, map_location="cpu", weights_only=True)
    images = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    signal = functional.conv2d(images, state["0.weight"], state["0.bias"])
    expected = {}
    for layer, position in (("relu1_1", 2), ("relu1_2", 5), ("relu2_1", 9), ("relu2_2", 12), ("relu3_1", 16)):
        if position in (9, 16):
            signal = functional.max_pool2d(signal, 2)
        padded = functional.pad(signal, (1, 1, 1, 1), mode="reflect")
        signal = functional.conv2d(padded, state[f"{position}.weight"], state[f"{position}.bias"]).relu()
        expected[layer] = signal
    features = load_normalized_vgg19(shared_data / "weights" / NORMALIZED_WEIGHTS.name)(images)
    assert list(features) == list(expected)
    for layer, values in features.items():
        torch.testing.assert_close(values, expected[layer], rtol=1e-3, atol=1e-3)


def test_layers_beyond_the_normalized_weights_are_refused_with_where_to_get_them(shared_data: Path) -> None:
    network = load_features("vgg19", shared_data / "weights")
    with pytest.raises(InputError, match=rf"'relu5_4'.*relu3_1.*{WEIGHTS.name}.*https://.*SHA-256"):
        network.checked(["relu5_4"])


def test_torchvisions_weights_are_preferred_where_both_are(tmp_path: Path) -> None:
    save_torchvision(torchvision_form(), tmp_path / WEIGHTS.name)
    (tmp_path / NORMALIZED_WEIGHTS.name).touch()
    assert load_features("vgg19", tmp_path).layers[-1] == "relu5_4"


@pytest.mark.parametrize("swap", [torch.eye(3), torch.ones(2, 3)], ids=["other colors", "other shape"])
def test_another_first_convolution_is_refused(tmp_path: Path, swap: Tensor) -> None:
    torch.save({"0.weight": swap[..., None, None], "0.bias": torch.zeros(len(swap))}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="first convolution"):
        load_normalized_vgg19(tmp_path / "other.pth")
