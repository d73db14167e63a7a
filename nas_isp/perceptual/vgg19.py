"""VGG-19 (Simonyan and Zisserman, 2014, arXiv 1409.1556): torchvision's weights, or the shallow "normalised" ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.perceptual.features import FeatureSource
from nas_isp.perceptual.network import IMAGENET, FeatureNetwork, InputRange, Layer, Role
from nas_isp.perceptual.state import fill, read_state
from nas_isp.perceptual.weight_files import WeightsFile

WEIGHTS = WeightsFile(
    "vgg19-dcbb9e9d.pth",
    address="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
)
NORMALIZED_WEIGHTS = WeightsFile("vgg19_normalised_conv3_1.pth")

_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
_ROLES: dict[Role, str] = {"shallow": "relu2_2", "middle": "relu3_4", "deep": "relu5_4"}
_SHALLOW_ROLES: dict[Role, str] = {"shallow": "relu1_2", "middle": "relu2_2", "deep": "relu3_1"}

_DEEPER = f"these weights end there; for deeper layers get {WEIGHTS.described}"
_CAFFE = InputRange((123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255, 1 / 255, 1 / 255))
_NORMALIZED_POSITIONS = (2, 5, 9, 12, 16)


def unfilled_vgg19(normalize: bool = True) -> FeatureNetwork:
    """The layers relu1_1 to relu5_4 with random weights; its speed is that of the trained one."""
    layers = _layers(16, padding_mode="zeros")
    return FeatureNetwork("vgg19", layers, _ROLES, IMAGENET, normalize)


def load_vgg19(path: Path, normalize: bool = True) -> FeatureNetwork:
    """The layers relu1_1 to relu5_4 from a state dictionary with torchvision's key names.

    Raises:
        InputError: the file is unreadable or holds other weights.
    """
    network = unfilled_vgg19(normalize)
    state = read_state(path)
    fill(_convolutions(network), state, [f"features.{position}" for position in _torchvision_positions()], path)
    return network


def load_normalized_vgg19(path: Path, normalize: bool = True) -> FeatureNetwork:
    """The layers relu1_1 to relu3_1 of the VGG-19 that style transfer uses (its channels' mean activation is 1).

    The file's first part, a 1x1 convolution to B, G, R in 0..255 less the mean color, becomes the input
    normalization, so that `normalize` means the same for all networks. Edges are reflected, as in the original.

    Raises:
        InputError: the file is unreadable or holds other weights.
    """
    layers = _layers(len(_NORMALIZED_POSITIONS), padding_mode="reflect")
    network = FeatureNetwork("vgg19", layers, _SHALLOW_ROLES, _CAFFE, normalize, lacking=_DEEPER)
    state = read_state(path)
    _check_color_convolution(state, path)
    convolutions = _convolutions(network)
    fill(convolutions, state, [str(position) for position in _NORMALIZED_POSITIONS], path)
    blue_green_red = convolutions[0].weight
    blue_green_red.data = blue_green_red.data.flip(1).contiguous(memory_format=torch.channels_last)
    return network


SOURCE = FeatureSource(unfilled_vgg19, ((WEIGHTS, load_vgg19), (NORMALIZED_WEIGHTS, load_normalized_vgg19)))


def _layers(count: int, padding_mode: Literal["zeros", "reflect"]) -> dict[str, Layer]:
    """The first `count` convolutions, each with its ReLU, pooled before each block but the first."""
    layers: dict[str, Layer] = {}
    into = 3
    for block, (channels, convolutions) in enumerate(_BLOCKS, start=1):
        for index in range(1, convolutions + 1):
            pool = [nn.MaxPool2d(2)] if index == 1 and block > 1 else []
            convolution = nn.Conv2d(into, channels, 3, padding=1, padding_mode=padding_mode)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            stage = nn.Sequential(*pool, convolution, nn.ReLU(inplace=True))
            stride = 2 ** (block - 1)
            smallest = 2 * stride if padding_mode == "reflect" else stride
            layers[f"relu{block}_{index}"] = Layer(stage, channels, stride, smallest)
            into = channels
            if len(layers) == count:
                return layers
    return layers


def _convolutions(network: FeatureNetwork) -> list[nn.Conv2d]:
    return [part for part in network.stages.modules() if isinstance(part, nn.Conv2d)]


def _torchvision_positions() -> list[int]:
    """Where the convolutions stand in torchvision's `features`, between ReLUs and poolings."""
    positions, at = [], 0
    for _, convolutions in _BLOCKS:
        positions += [at + 2 * index for index in range(convolutions)]
        at += 2 * convolutions + 1
    return positions


def _check_color_convolution(state: Mapping[str, Tensor], path: Path) -> None:
    swap = 255 * torch.eye(3).flip(0)
    less_mean = torch.tensor([-103.939, -116.779, -123.68])
    weight, bias = state.get("0.weight"), state.get("0.bias")
    if (
        weight is None
        or bias is None
        or not (
            weight.numel() == 9
            and torch.allclose(weight.float().view(3, 3), swap)
            and torch.allclose(bias.float(), less_mean)
        )
    ):
        raise InputError(
            f"{path}: its first convolution is not the color swap of the normalized VGG-19; "
            f"give {NORMALIZED_WEIGHTS.name} as published, or {WEIGHTS.name}"
        )
