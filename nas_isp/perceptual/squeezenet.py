"""SqueezeNet v1.1 (Iandola et al., 2016, arXiv 1602.07360), Caffe release, from a local Keras HDF5 file."""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.perceptual.network import FeatureNetwork

WEIGHTS_NAME = "squeezenet_v1.1_caffe_notop_keras.h5"
WEIGHTS_VARIABLE = "NAS_ISP_WEIGHTS"

_CHANNELS = {"conv1": 64, "fire3": 128, "fire5": 256, "fire9": 512}
_STRIDES = {"conv1": 2, "fire3": 4, "fire5": 8, "fire9": 16}
_GAINS = {"conv1": 0.0347, "fire3": 0.0202, "fire5": 0.0225, "fire9": 0.134}
_MEAN = (122.679 / 255, 116.669 / 255, 104.006 / 255)
_STD = (1 / 255, 1 / 255, 1 / 255)


class Fire(nn.Module):
    """1x1 down to few channels, then 1x1 and 3x3 side by side up to many; ReLU after each convolution."""

    def __init__(self, into: int, squeezed: int, expanded: int) -> None:
        """Expands to `expanded` channels twice: 1x1 and 3x3."""
        super().__init__()
        self.squeeze1x1 = nn.Conv2d(into, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """(B, into, h, w) -> (B, 2 * expanded, h, w)."""
        squeezed = self.squeeze1x1(features).relu()
        return torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1).relu()


def load_squeezenet(weights_dir: Path | None = None) -> FeatureNetwork:
    """The layers conv1, fire3, fire5 and fire9.

    What has stride 2 is padded by 1, unlike in the release, so that sizes are exact fractions of the image's.

    Args:
        weights_dir: folder that holds the weights' file; else the environment variable NAS_ISP_WEIGHTS names it.

    Raises:
        InputError: no folder given, file missing or not these weights, or h5py not installed.
    """
    path = _weights_file(weights_dir)
    convolutions = _unfilled()
    _fill(convolutions, path)
    fires = {name: part for name, part in convolutions.items() if name != "conv1"}
    stages = {
        "conv1": nn.Sequential(convolutions["conv1"], nn.ReLU()),
        "fire3": nn.Sequential(_halve(), fires["fire2"], fires["fire3"]),
        "fire5": nn.Sequential(_halve(), fires["fire4"], fires["fire5"]),
        "fire9": nn.Sequential(_halve(), fires["fire6"], fires["fire7"], fires["fire8"], fires["fire9"]),
    }
    return FeatureNetwork(stages, _CHANNELS, _STRIDES, _MEAN, _STD, _GAINS)


def _weights_file(weights_dir: Path | None) -> Path:
    folder = weights_dir or (Path(os.environ[WEIGHTS_VARIABLE]) if os.environ.get(WEIGHTS_VARIABLE) else None)
    if folder is None:
        raise InputError(
            f"feature network 'squeezenet' needs {WEIGHTS_NAME}: name its folder in the environment variable "
            f"{WEIGHTS_VARIABLE}, or use 'lite', which needs no file"
        )
    if not (folder / WEIGHTS_NAME).is_file():
        raise InputError(f"no {WEIGHTS_NAME} in {folder}: give the folder that holds it, or use 'lite'")
    return folder / WEIGHTS_NAME


def _unfilled() -> dict[str, nn.Module]:
    return {
        "conv1": nn.Conv2d(3, 64, 3, stride=2, padding=1),
        "fire2": Fire(64, 16, 64),
        "fire3": Fire(128, 16, 64),
        "fire4": Fire(128, 32, 128),
        "fire5": Fire(256, 32, 128),
        "fire6": Fire(256, 48, 192),
        "fire7": Fire(384, 48, 192),
        "fire8": Fire(384, 64, 256),
        "fire9": Fire(512, 64, 256),
    }


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, padding=1)


def _fill(modules: dict[str, nn.Module], path: Path) -> None:
    """Copy the file's weights into the modules; each convolution is a group of its own in the file."""
    try:
        import h5py
    except ImportError as error:
        raise InputError(f"reading {path.name} needs the package h5py: pip install h5py, or use 'lite'") from error
    try:
        with h5py.File(path, "r") as file:
            for name, module in modules.items():
                for inner, part in module.named_modules():
                    if isinstance(part, nn.Conv2d):
                        _fill_convolution(part, file["/".join(filter(None, (name, inner)))])
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{path}: not the weights of SqueezeNet v1.1 as Keras HDF5 ({str(error).splitlines()[0]}); "
            f"give the file {WEIGHTS_NAME}, or use 'lite'"
        ) from error
    blue_green_red = modules["conv1"].get_parameter("weight")
    blue_green_red.data = blue_green_red.data.flip(1)


def _fill_convolution(convolution: nn.Conv2d, group: Any) -> None:
    """Take the one kernel (h, w, in, out) and the one bias (out,) that lie somewhere below an HDF5 group."""
    arrays: dict[int, Tensor] = {}
    group.visititems(
        lambda _, node: arrays.update({node.ndim: torch.from_numpy(node[()])} if hasattr(node, "ndim") else {})
    )
    with torch.no_grad():
        convolution.weight.copy_(arrays[4].permute(3, 2, 0, 1))
        convolution.get_parameter("bias").copy_(arrays[1])
