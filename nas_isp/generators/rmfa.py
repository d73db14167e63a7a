"""RMFA as published with arXiv 2505.10420: a full-resolution network on the three color planes of the mosaic.

Known from the published weights and description: the modules, their kernels, widths and names; the input (missing
sites filled with 1.0); texture by a 1x1 and a 3x3 convolution; tone by an average-pooling pyramid with bilinear
enlargement; channel attention, then 7x7 spatial attention; and the cost, 35.2 GMACs for full HD, which only fits a
pyramid whose levels work at 1/2, 1/4 and 1/4 of the side. Inferred: the activations, the residual around a block, and
how the levels are combined, ``x + (level1 + level2) * level3``. Of 252 such wirings tried with the published
weights this one came nearest to the one true pair at hand, 31.7 dB. That pair chose the wiring, so the figure says
nothing about quality: take pictures of the published weights for close, not for equal.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_isp.generators.architecture import RmfaArchitecture
from nas_isp.generators.conv_spec import PACKED_CHANNELS, ConvSpec
from nas_isp.generators.plain import check_packed
from nas_isp.generators.rmfa_layers import RmfaBlockLayers

MISSING = 1.0
"""Value of a color plane where the mosaic has another color."""


class RmfaNet(nn.Module):
    """Packed (B, 4, h, w) -> RGB (B, 3, 2h, 2w) in 0..1; sides of at least 2.

    Channel attention reads the whole picture, so that tiles of one picture do not agree exactly. The buffers
    `input_gain` and `input_offset` (1, 4, 1, 1) map packed values to those that imported weights were trained on; they
    cannot be folded into the first convolution, which also sees the constant of missing sites. Else they do nothing.
    """

    input_gain: Tensor
    input_offset: Tensor

    def __init__(self, architecture: RmfaArchitecture) -> None:
        super().__init__()
        layers = architecture.layers
        self.register_buffer("input_gain", torch.ones(1, PACKED_CHANNELS, 1, 1))
        self.register_buffer("input_offset", torch.zeros(1, PACKED_CHANNELS, 1, 1))
        self.input_module = nn.Sequential(_conv(layers.first), _conv(layers.second))
        self.rmfa_blocks = nn.ModuleList(RmfaBlock(layers.block) for _ in range(layers.depth))
        self.output_module = nn.Sequential(_conv(layers.last), nn.Sigmoid())

    def context(self, packed: Tensor) -> None:
        """None: nothing that tiles of one picture could share."""
        check_packed(packed)

    def forward(self, packed: Tensor, context: Tensor | None = None) -> Tensor:
        check_packed(packed)
        x = self.input_module(color_planes(packed * self.input_gain + self.input_offset))
        for block in self.rmfa_blocks:
            x = block(x)
        output: Tensor = self.output_module(x)
        return output


class RmfaBlock(nn.Module):
    """(B, C, H, W) -> the same shape: texture and tone, fused, weighted by both attentions, added to the input."""

    def __init__(self, layers: RmfaBlockLayers) -> None:
        super().__init__()
        self.texture_module = TextureModule(layers)
        self.tone_mapping = ToneMapping(layers)
        self.fusion = nn.Sequential(_conv(layers.fusion), nn.ReLU())
        self.channel_attention = ChannelAttention(layers)
        self.spatial_attention = SpatialAttention(layers)

    def forward(self, x: Tensor) -> Tensor:
        fused = self.fusion(torch.cat([self.texture_module(x), self.tone_mapping(x)], 1))
        fused = fused * self.channel_attention(fused)
        return x + fused * self.spatial_attention(fused)


class TextureModule(nn.Module):
    """Half of the channels from single pixels, half from 3x3 neighborhoods."""

    def __init__(self, layers: RmfaBlockLayers) -> None:
        super().__init__()
        self.high_freq = nn.Sequential(_conv(layers.high_freq), nn.ReLU())
        self.low_freq = nn.Sequential(_conv(layers.low_freq), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.high_freq(x), self.low_freq(x)], 1)


class ToneMapping(nn.Module):
    """A correction of the input from its surroundings at 1/2 and 1/4 of the side."""

    def __init__(self, layers: RmfaBlockLayers) -> None:
        super().__init__()
        level1, level2, level3 = map(_conv, layers.levels)
        self.level1 = nn.Sequential(nn.AvgPool2d(2), level1, nn.ReLU())
        self.level2 = nn.Sequential(nn.AvgPool2d(2), level2, nn.ReLU())
        self.level3 = nn.Sequential(level3, nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        level1 = self.level1(x)
        level2 = self.level2(level1)
        level3 = self.level3(level2)
        return x + (_enlarged(level1, x) + _enlarged(level2, x)) * _enlarged(level3, x)


class ChannelAttention(nn.Module):
    """One factor a channel from its mean and maximum over the picture (CBAM, Woo et al. 2018): (B, C, 1, 1)."""

    def __init__(self, layers: RmfaBlockLayers) -> None:
        super().__init__()
        self.fc = nn.Sequential(_conv(layers.squeeze), nn.ReLU(), _conv(layers.excite))

    def forward(self, x: Tensor) -> Tensor:
        mean, largest = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        return torch.sigmoid(self.fc(mean) + self.fc(largest))


class SpatialAttention(nn.Module):
    """One factor a pixel from the mean and maximum over its channels (CBAM): (B, 1, H, W)."""

    def __init__(self, layers: RmfaBlockLayers) -> None:
        super().__init__()
        self.conv = _conv(layers.spatial)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.conv(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)))


def color_planes(packed: Tensor) -> Tensor:
    """Packed (B, 4, h, w) -> the mosaic's three colors apart, 1.0 where there is none: (B, 3, 2h, 2w)."""
    red, green1, green2, blue = packed.unbind(1)
    none = torch.full_like(red, MISSING)
    sites = (red, none, none, none, none, green1, green2, none, none, none, none, blue)
    return F.pixel_shuffle(torch.stack(sites, 1), 2)


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def _conv(spec: ConvSpec) -> nn.Conv2d:
    return nn.Conv2d(spec.in_channels, spec.out_channels, spec.kernel, padding=spec.kernel // 2, bias=spec.bias)
