"""LPIPS with AlexNet (Zhang et al., 2018, arXiv 1801.03924), version 0.1: the published learned image distance."""

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from nas_isp.errors import InputError
from nas_isp.perceptual.features import FEATURE_NETWORKS, load_features
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.perceptual.state import read_state
from nas_isp.perceptual.weight_files import find_weights

_EPSILON = 1e-8
_HEADS = "functional/image/lpips_models/alex.pth"


class Lpips:
    """The distance of two pictures: 0 for equal ones, towards 1 for unrelated ones.

    Attributes:
        smallest_side: the least height and width of pictures that it can see.
    """

    def __init__(self, network: FeatureNetwork, heads: dict[str, Tensor]) -> None:
        """`heads` holds a non-negative weight for each channel, (C,), of each layer of `network` that counts."""
        self.smallest_side = max(network.smallest[layer] for layer in heads)
        self._network = network
        self._heads = heads

    @torch.no_grad()
    def __call__(self, pictures: Tensor, truths: Tensor) -> Tensor:
        """Distances (B,) of sRGB pictures (B, 3, H, W) in 0..1, sides of at least `smallest_side`.

        Channels are scaled to length 1 at each place, squared differences weighed by channel, averaged over places
        and summed over layers.
        """
        layers = tuple(self._heads)
        seen, truly = self._network(pictures, layers), self._network(truths, layers)
        return torch.stack([_distance(seen[layer], truly[layer], self._heads[layer]) for layer in layers]).sum(0)


def load_lpips(weights_dir: Path | None = None) -> Lpips | None:
    """LPIPS, if AlexNet's weights are on this machine; nothing is downloaded. Its heads come with torchmetrics.

    Raises:
        InputError: the weights are there but unreadable, or a weights folder is named that does not exist.
    """
    heads_file = _heads_file()
    if heads_file is None or find_weights(FEATURE_NETWORKS["alexnet"].files, weights_dir) is None:
        return None
    network = load_features("alexnet", weights_dir)
    return Lpips(network, _heads(heads_file, network))


def _heads_file() -> Path | None:
    spec = find_spec("torchmetrics")
    path = Path(spec.origin).parent / _HEADS if spec and spec.origin else None
    return path if path and path.is_file() else None


def _heads(path: Path, network: FeatureNetwork) -> dict[str, Tensor]:
    state = read_state(path)
    heads = {layer: state.get(f"lin{index}.model.1.weight") for index, layer in enumerate(network.layers)}
    found = {layer: head.flatten() for layer, head in heads.items() if head is not None}
    if {layer: len(head) for layer, head in found.items()} != network.channels:
        raise InputError(f"{path}: not the heads of LPIPS v0.1 for AlexNet; install torchmetrics again")
    return found


def _distance(picture: Tensor, truth: Tensor, head: Tensor) -> Tensor:
    difference = _unit_length(picture) - _unit_length(truth)
    return (difference.square() * head.view(1, -1, 1, 1)).sum(1).mean((1, 2))


def _unit_length(features: Tensor) -> Tensor:
    return features / (features.square().sum(1, keepdim=True) + _EPSILON).sqrt()
