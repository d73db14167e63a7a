"""Weights' files that tests make, with random values under the official names."""

from pathlib import Path

import torch
from torch import Tensor, nn

from nas_isp.perceptual.alexnet import WEIGHTS


def alexnet_features() -> nn.Sequential:
    """What torchvision's `features` of AlexNet is, up to the last ReLU."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU()),
    )


def save_torchvision(features: nn.Sequential, path: Path, zipped: bool = True) -> Path:
    """Save `features` as torchvision's whole network has them; `zipped` False is the format of its older files."""
    state: dict[str, Tensor] = {f"features.{key}": value for key, value in features.state_dict().items()}
    state["classifier.6.bias"] = torch.zeros(1000)
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    return path


def save_random_alexnet(folder: Path) -> nn.Sequential:
    """Put AlexNet's file into a folder; returns the `features` it holds."""
    torch.manual_seed(0)
    features = alexnet_features()
    save_torchvision(features, folder / WEIGHTS.name)
    return features
