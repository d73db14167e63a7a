"""The one interface of all frozen feature networks: named layers of a fixed network, differentiable in the image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.errors import InputError

Role = Literal["shallow", "middle", "deep"]


@dataclass(frozen=True)
class InputRange:
    """What a network expects of R, G, B in 0..1: (image - mean) / std."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = InputRange((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""What torchvision's networks were trained with."""


@dataclass(frozen=True)
class Layer:
    """One layer of a feature network.

    Attributes:
        stage: leads from the stage before (or the normalized image) to this one.
        channels: C of its map.
        stride: pixels of the image between neighboring places of the map.
        smallest: the least height and width of an image that has this layer; the stride if None.
        readout: turns what the next stage sees into the map that callers see; the same if None.
    """

    stage: nn.Module
    channels: int
    stride: int
    smallest: int | None = None
    readout: nn.Module | None = None


class FeatureNetwork(nn.Module):
    """A frozen chain of stages whose outputs are the layers that losses and discriminators look at.

    No weight ever asks for a gradient and the network stays in evaluation mode, so that a backward pass only
    reaches the images.

    Attributes:
        name: of the network, and of the weights' file where that matters, for messages.
        layers: names from shallow to deep.
        channels: layer name -> channels C.
        strides: layer name -> s; a layer of images (B, 3, H, W) is (B, C, H / s, W / s), fractions dropped, at most
            one less where the original's edges are kept (AlexNet).
        smallest: layer name -> the least height and width of images that have it.
        roles: which layer serves as `shallow` (fine texture), `middle` (coarse texture) and `deep` (content) where
            a recipe names none.
        side: images are resized to this height and width first, and H and W above are that; None if they are not.
    """

    def __init__(
        self,
        name: str,
        layers: Mapping[str, Layer],
        roles: Mapping[Role, str],
        expects: InputRange,
        normalize: bool = True,
        side: int | None = None,
        lacking: str = "",
    ) -> None:
        """Chain the layers' stages, shallow to deep.

        Args:
            name: of the network.
            layers: layer name -> layer.
            roles: role -> layer name.
            expects: the input normalization.
            normalize: whether it is done; False feeds raw 0..1 images, the defect of the published recipe.
            side: resize images to this height and width; None keeps them.
            lacking: what to tell who asks for a layer that is not there.
        """
        super().__init__()
        self.name = name
        self.layers = tuple(layers)
        self.channels = {key: layer.channels for key, layer in layers.items()}
        self.strides = {key: layer.stride for key, layer in layers.items()}
        self.smallest = {key: layer.smallest or layer.stride for key, layer in layers.items()}
        self.roles = dict(roles)
        self.normalize = normalize
        self.side = side
        self._lacking = f"; {lacking}" if lacking else ""
        self.stages = nn.ModuleDict({key: layer.stage for key, layer in layers.items()})
        self.readouts = nn.ModuleDict({key: layer.readout for key, layer in layers.items() if layer.readout})
        scale = 1 / torch.tensor(expects.std).view(1, 3, 1, 1)
        self.register_buffer("scale", scale, persistent=False)
        self.register_buffer("shift", -torch.tensor(expects.mean).view(1, 3, 1, 1) * scale, persistent=False)
        self._store_channels_last()
        self.requires_grad_(False)
        super().train(False)

    def forward(self, images: Tensor, layers: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The layers of sRGB images.

        Args:
            images: (B, 3, H, W), sRGB-encoded, 0..1; values outside are let through, not clipped.
            layers: those wanted, in any order; all if None. Nothing beyond the deepest of them is computed.

        Returns:
            Layer name -> (B, C, H / s, W / s), shallow to deep.

        Raises:
            InputError: a name that is not in `layers`, or images too small for one of them.
        """
        wanted = frozenset(self.checked(self.layers if layers is None else layers))
        features: dict[str, Tensor] = {}
        signal = self._as_expected(images)
        self._check_size(signal, wanted)
        for layer, stage in self.stages.items():
            if len(features) == len(wanted):
                break
            signal = stage(signal)
            if layer in wanted:
                features[layer] = self.readouts[layer](signal) if layer in self.readouts else signal
        return features

    def checked(self, layers: Sequence[str]) -> tuple[str, ...]:
        """The same layers, if this network has them all.

        Raises:
            InputError: it has not; the message names the layers it has.
        """
        for layer in layers:
            if layer not in self.stages:
                known = ", ".join(self.layers)
                raise InputError(
                    f"feature network '{self.name}' has no layer '{layer}': known are {known}{self._lacking}"
                )
        return tuple(layers)

    def train(self, mode: bool = True) -> Self:
        """Stays in evaluation mode, also when a model that holds this network is put into training mode."""
        return self

    def _as_expected(self, images: Tensor) -> Tensor:
        if self.side is not None and images.shape[-2:] != (self.side, self.side):
            images = functional.interpolate(images, (self.side, self.side), mode="bilinear")
        if self.normalize:
            images = torch.addcmul(self.get_buffer("shift"), images, self.get_buffer("scale"))
        return images

    def _check_size(self, images: Tensor, layers: frozenset[str]) -> None:
        side = min(images.shape[-2:])
        for layer in layers:
            if side < self.smallest[layer]:
                raise InputError(
                    f"feature network '{self.name}' has layer '{layer}' only for images of at least "
                    f"{self.smallest[layer]} pixels, not {side}: use larger patches or a shallower layer"
                )

    def _store_channels_last(self) -> None:
        """Makes every convolution run in this format, the faster one, whatever the format of the images."""
        for part in self.stages.modules():
            if isinstance(part, nn.Conv2d):
                part.weight.data = part.weight.data.contiguous(memory_format=torch.channels_last)


def feature_distance(network: FeatureNetwork, images: Tensor, others: Tensor) -> Tensor:
    """How differently a network sees two batches: LPIPS (Zhang et al., 2018) with all channel weights equal.

    At each place the channels are scaled to length 1; squared differences are summed over channels, averaged
    over places and summed over layers.

    Args:
        network: whose layers are compared, all of them.
        images: (B, 3, H, W), sRGB, 0..1.
        others: (B, 3, H, W), sRGB, 0..1.

    Returns:
        (B,), 0 for equal images; differentiable.
    """
    seen, seen_others = network(images), network(others)
    return torch.stack([_layer_distance(seen[layer], seen_others[layer]) for layer in network.layers]).sum(dim=0)


def _layer_distance(one: Tensor, other: Tensor) -> Tensor:
    difference = _unit_length(one) - _unit_length(other)
    return difference.square().sum(dim=1).mean(dim=(1, 2))


def _unit_length(features: Tensor) -> Tensor:
    """Scaled to length 1 over the channels; smooth where all channels are 0."""
    return features * torch.rsqrt(features.square().sum(dim=1, keepdim=True) + 1e-6)
