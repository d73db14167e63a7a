"""AlexNet is torchvision's by its key names, with its edges."""

from pathlib import Path

import torch
from torch import nn

from nas_isp.perceptual.alexnet import WEIGHTS, load_alexnet
from tests.weights_files import save_random_alexnet


def test_layers_are_those_of_the_network_that_the_key_names_describe(tmp_path: Path) -> None:
    reference = save_random_alexnet(tmp_path)
    images = torch.rand(1, 3, 64, 95)
    mean, std = (torch.tensor(of).view(1, 3, 1, 1) for of in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    signal, at_relus = (images - mean) / std, []
    with torch.no_grad():
        for part in reference:
            signal = part(signal)
            if isinstance(part, nn.ReLU):
                at_relus.append(signal)
    features = load_alexnet(tmp_path / WEIGHTS.name)(images)
    assert list(features) == ["relu1", "relu2", "relu3", "relu4", "relu5"]
    for values, expected in zip(features.values(), at_relus, strict=True):
        torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)
