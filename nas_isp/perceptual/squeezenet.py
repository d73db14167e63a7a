"""SqueezeNet v1.1 (Iandola et al., 2016, arXiv 1602.07360): the Caffe release as Keras HDF5, or torchvision's."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.perceptual.features import FeatureSource
from nas_isp.perceptual.network import IMAGENET, FeatureNetwork, InputRange, Layer, Role
from nas_isp.perceptual.state import fill, read_state
from nas_isp.perceptual.weight_files import WeightsFile

CAFFE_WEIGHTS = WeightsFile("squeezenet_v1.1_caffe_notop_keras.h5")
WEIGHTS = WeightsFile(
    "squeezenet1_1-b8a52dc0.pth",
    address="https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
    sha256="b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
)

_CAFFE = InputRange((122.679 / 255, 116.669 / 255, 104.006 / 255), (1 / 255, 1 / 255, 1 / 255))
_CAFFE_GAINS = {"conv1": 0.0347, "fire3": 0.0202, "fire5": 0.0225, "fire9": 0.134}
_ROLES: dict[Role, str] = {"shallow": "conv1", "middle": "fire5", "deep": "fire9"}
_TORCHVISION_FIRES = (3, 4, 6, 7, 9, 10, 11, 12)


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
        squeezed = self.squeeze1x1(features).relu_()
        return torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], dim=1).relu_()


class Gain(nn.Module):
    """Multiplies a map by a constant."""

    def __init__(self, factor: float) -> None:
        """Of all channels."""
        super().__init__()
        self.factor = factor

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) to the same shape."""
        return features * self.factor


def unfilled_squeezenet(normalize: bool = True) -> FeatureNetwork:
    """The layers conv1, fire3, fire5 and fire9 with random weights; its speed is that of the trained one."""
    return _chained(_parts(), IMAGENET, {}, normalize)


def load_caffe_squeezenet(path: Path, normalize: bool = True) -> FeatureNetwork:
    """The layers conv1, fire3, fire5 and fire9 of the Caffe release; their channels vary by about 1 over photos.

    What has stride 2 is padded by 1, unlike in the release, so that sizes are exact fractions of the image's.

    Args:
        path: the weights converted to Keras HDF5.
        normalize: see `FeatureNetwork`.

    Raises:
        InputError: file missing or not these weights, or h5py not installed.
    """
    parts = _parts()
    _fill_from_keras(parts, path)
    return _chained(parts, _CAFFE, _CAFFE_GAINS, normalize)


def load_squeezenet(path: Path, normalize: bool = True) -> FeatureNetwork:
    """The same layers from a state dictionary with torchvision's key names, as they are, without gains.

    Raises:
        InputError: the file is unreadable or holds other weights.
    """
    parts = _parts()
    state = read_state(path)
    fill([parts["conv1"]], state, ["features.0"], path)
    for fire, position in zip(list(parts.values())[1:], _TORCHVISION_FIRES, strict=True):
        inner = ("squeeze1x1", "expand1x1", "expand3x3")
        fill(
            [fire.get_submodule(part) for part in inner], state, [f"features.{position}.{part}" for part in inner], path
        )
    return _chained(parts, IMAGENET, {}, normalize)


SOURCE = FeatureSource(unfilled_squeezenet, ((CAFFE_WEIGHTS, load_caffe_squeezenet), (WEIGHTS, load_squeezenet)))


def _parts() -> dict[str, nn.Module]:
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


def _chained(
    parts: dict[str, nn.Module], expects: InputRange, gains: dict[str, float], normalize: bool
) -> FeatureNetwork:
    def layer(name: str, channels: int, stride: int, *stages: nn.Module) -> Layer:
        readout = Gain(gains[name]) if name in gains else None
        return Layer(nn.Sequential(*stages), channels, stride, readout=readout)

    fires = {name: part for name, part in parts.items() if name != "conv1"}
    layers = {
        "conv1": layer("conv1", 64, 2, parts["conv1"], nn.ReLU(inplace=True)),
        "fire3": layer("fire3", 128, 4, _halve(), fires["fire2"], fires["fire3"]),
        "fire5": layer("fire5", 256, 8, _halve(), fires["fire4"], fires["fire5"]),
        "fire9": layer("fire9", 512, 16, _halve(), *(fires[f"fire{index}"] for index in (6, 7, 8, 9))),
    }
    return FeatureNetwork("squeezenet", layers, _ROLES, expects, normalize)


def _halve() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, padding=1)


def _fill_from_keras(parts: dict[str, nn.Module], path: Path) -> None:
    """Copy the file's weights into the modules; each convolution is a group of its own in the file."""
    try:
        import h5py
    except ImportError as error:
        raise InputError(f"reading {path.name} needs the package h5py: pip install h5py, or use 'lite'") from error
    try:
        with h5py.File(path, "r") as file:
            for name, module in parts.items():
                for inner, part in module.named_modules():
                    if isinstance(part, nn.Conv2d):
                        _fill_convolution(part, file["/".join(filter(None, (name, inner)))])
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{path}: not the weights of SqueezeNet v1.1 as Keras HDF5 ({str(error).splitlines()[0]}); "
            "fetch the file again, or use 'lite'"
        ) from error
    blue_green_red = parts["conv1"].get_parameter("weight")
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
