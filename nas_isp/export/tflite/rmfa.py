"""RMFA in the operators of a TFLite model."""

import copy

import torch
from torch import Tensor, nn

from nas_isp.generators.conv_spec import PACKED_CHANNELS, RGB_CHANNELS
from nas_isp.generators.rmfa import MISSING, RmfaNet

SITES = ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2))
"""Row, column and color of the packed planes R, G1, G2, B."""


class NhwcRmfa(nn.Module):
    """An `RmfaNet` with channels last at both ends: packed (1, h, w, 4) -> RGB (1, 2h, 2w, 3).

    The three sparse color planes come from a 1x1 convolution of zeros and input gains, whose bias holds the input
    offsets and fills in the missing sites, and a DEPTH_TO_SPACE.
    """

    def __init__(self, net: RmfaNet) -> None:
        super().__init__()
        self.net = copy.deepcopy(net)
        self.spread = nn.Conv2d(PACKED_CHANNELS, 4 * RGB_CHANNELS, 1)
        weight, bias = torch.zeros_like(self.spread.weight), torch.full((4 * RGB_CHANNELS,), MISSING)
        for plane, (row, column, color) in enumerate(SITES):
            channel = (2 * row + column) * RGB_CHANNELS + color
            weight[channel, plane] = net.input_gain[0, plane]
            bias[channel] = net.input_offset[0, plane, 0, 0]
        self.spread.weight, self.spread.bias = nn.Parameter(weight), nn.Parameter(bias)
        self.eval()

    def forward(self, packed: Tensor) -> Tensor:
        from nas_isp.export.tflite.depth_to_space import depth_to_space

        sites = self.spread(packed.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).contiguous()
        x = self.net.input_module(depth_to_space(sites, 2).permute(0, 3, 1, 2))
        for block in self.net.rmfa_blocks:
            x = block(x)
        rgb: Tensor = self.net.output_module(x).permute(0, 2, 3, 1)
        return rgb
