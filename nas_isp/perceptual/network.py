"""The one interface of all frozen feature networks: named layers of a fixed network, differentiable in the image."""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn


class FeatureNetwork(nn.Module):
    """A frozen chain of stages whose outputs are the layers that losses and discriminators look at.

    No weight ever asks for a gradient and the network stays in evaluation mode, so that a backward pass only
    reaches the images. A layer's channels have a variance of about 1 over photos.

    Attributes:
        layers: names from shallow to deep.
        channels: layer name -> channels C.
        strides: layer name -> s; a layer of images (B, 3, H, W) is (B, C, H / s, W / s), fractions dropped.
    """

    def __init__(
        self,
        stages: Mapping[str, nn.Module],
        channels: Mapping[str, int],
        strides: Mapping[str, int],
        mean: tuple[float, float, float],
        std: tuple[float, float, float],
        gains: Mapping[str, float] | None = None,
    ) -> None:
        """Chain `stages`, shallow to deep, behind the normalisation (image - mean) / std.

        Args:
            stages: layer name -> what leads from the layer before (or the normalised image) to this one.
            channels: layer name -> channels.
            strides: layer name -> stride from the image.
            mean: subtracted from R, G, B in 0..1.
            std: divides R, G, B after that.
            gains: layer name -> factor on what `forward` returns, not on what the next stage sees; 1 if absent.
        """
        super().__init__()
        self.layers = tuple(stages)
        self.channels = {layer: channels[layer] for layer in self.layers}
        self.strides = {layer: strides[layer] for layer in self.layers}
        self.gains = dict(gains or {})
        self.stages = nn.ModuleDict(stages)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        self._store_channels_last()
        self.requires_grad_(False)
        super().train(False)

    def forward(self, images: Tensor, layers: tuple[str, ...] | None = None) -> dict[str, Tensor]:
        """The layers of sRGB images.

        Args:
            images: (B, 3, H, W), sRGB-encoded, 0..1; values outside are let through, not clipped.
            layers: those wanted, in any order; all if None. Nothing beyond the deepest of them is computed.

        Returns:
            Layer name -> (B, C, H / s, W / s), shallow to deep.

        Raises:
            ValueError: a name that is not in `layers`.
        """
        wanted = self._checked(layers)
        features: dict[str, Tensor] = {}
        signal = (images - self.get_buffer("mean")) / self.get_buffer("std")
        for layer, stage in self.stages.items():
            if len(features) == len(wanted):
                break
            signal = stage(signal)
            if layer in wanted:
                features[layer] = signal * self.gains[layer] if layer in self.gains else signal
        return features

    def train(self, mode: bool = True) -> Self:
        """Stays in evaluation mode, also when a model that holds this network is put into training mode."""
        return self

    def _store_channels_last(self) -> None:
        """Makes every convolution run in this format, the faster one, whatever the format of the images."""
        for part in self.stages.modules():
            if isinstance(part, nn.Conv2d):
                part.weight.data = part.weight.data.contiguous(memory_format=torch.channels_last)

    def _checked(self, layers: tuple[str, ...] | None) -> frozenset[str]:
        if layers is None:
            return frozenset(self.layers)
        unknown = [layer for layer in layers if layer not in self.stages]
        if unknown:
            raise ValueError(f"unknown layer '{unknown[0]}': this network has {', '.join(self.layers)}")
        return frozenset(layers)


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
