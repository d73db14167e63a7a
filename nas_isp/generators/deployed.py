"""The deployed form of a plain generator: the convolutions that a phone executes, in order.

Export walks this form, so it holds nothing that exists only in training. What is counted and priced is the same list
as plain data (`layers`), from which this form is built.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nas_isp.generators.conv_spec import ConvSpec, strided_padding
from nas_isp.generators.head_layers import HeadLayers


class SameConv2d(nn.Conv2d):
    """A convolution with zero padding that mobile runtimes call SAME.

    Stride 1 pads ``kernel // 2`` on every side. Stride 2 (even input sides) pads ``(kernel - 2) // 2`` before and
    ``(kernel - 1) // 2`` after, so that the output has exactly half the side and no runtime needs a padding op of
    its own.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = True
    ) -> None:
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.with_weight(x, self.weight)

    def with_weight(self, x: Tensor, weight: Tensor) -> Tensor:
        """The same convolution with another weight of the same shape, and its own bias."""
        return F.conv2d(self.padded(x), weight, self.bias, self.stride, self.padding, groups=self.groups)

    def padded(self, x: Tensor) -> Tensor:
        """``x`` with the padding that the convolution itself does not add."""
        before, after = strided_padding(self.kernel_size[0], self.stride[0])
        return F.pad(x, (before, after, before, after)) if before or after else x


def same_conv(spec: ConvSpec) -> SameConv2d:
    """A convolution as described, with whatever weights PyTorch gives it."""
    return SameConv2d(spec.in_channels, spec.out_channels, spec.kernel, spec.stride, spec.groups, spec.bias)


def activate(x: Tensor, activation: str) -> Tensor:
    """Apply an activation by name."""
    if activation == "relu":
        return F.relu(x)
    if activation == "relu6":
        return F.relu6(x)
    return torch.tanh(x) if activation == "tanh" else x


class DeployedConv(nn.Module):
    """What a runtime fuses into one piece: convolution, then addition of an earlier value, then activation.

    Attributes:
        conv: the convolution; ``conv.groups == conv.in_channels > 1`` marks a depthwise one.
        activation: "none", "relu", "relu6" or "tanh", applied last.
        residual_from: index of the value that is added, or None; see `DeployedPlain`.
    """

    def __init__(self, conv: SameConv2d, activation: str, residual_from: int | None = None) -> None:
        super().__init__()
        self.conv = conv
        self.activation = activation
        self.residual_from = residual_from

    @property
    def depthwise(self) -> bool:
        """Whether every channel is convolved on its own."""
        return self.conv.groups == self.conv.in_channels > 1

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        x = self.conv(x)
        return activate(x if residual is None else x + residual, self.activation)


class ColorHead(nn.Module):
    """Scales and shifts features by numbers computed from the whole picture; the same in training and deployed.

    ``context = mean over the picture of relu(features(packed))``, 8 numbers;
    ``y = x * (1 + scale(context)) + shift(context)``. All three maps are 1x1 convolutions, the last two on a 1x1
    picture, so that no runtime needs a reshape or a split.
    """

    def __init__(self, layers: HeadLayers) -> None:
        super().__init__()
        self.layers = layers
        self.features, self.scale, self.shift = map(same_conv, (layers.features, layers.scale, layers.shift))

    def context(self, packed: Tensor) -> Tensor:
        """The picture's numbers: packed (B, 4, h, w) -> (B, 8)."""
        return self.pooled(packed).flatten(1)

    def pooled(self, packed: Tensor) -> Tensor:
        """The picture's numbers as a picture of one pixel: packed (B, 4, h, w) -> (B, 8, 1, 1)."""
        return F.relu(self.features(packed)).mean((2, 3), keepdim=True)

    def forward(self, x: Tensor, pooled: Tensor) -> Tensor:
        return x * (1 + self.scale(pooled)) + self.shift(pooled)


class DeployedPlain(nn.Module):
    """A plain generator as a phone runs it: packed (B, 4, h, w) -> RGB (B, 3, 2h, 2w), not clipped.

    Attributes:
        layers: the trunk, `DeployedConv` in order. Value 0 is the packed input and value ``i + 1`` the output of
            ``layers[i]``; ``layers[i]`` reads value ``i`` and adds value ``residual_from`` before its activation.
            The last layer of a residual block that begins at ``i`` has ``residual_from == i``.
        head: `ColorHead` on the trunk's output before the tail, or None. It reads the packed input.
        tail: the last `DeployedConv`, to ``3 * shuffle ** 2`` channels, with the tail's activation.
        shuffle: factor of the final PixelShuffle, 2 or 4. With 4, ``layers[0]`` has stride 2 and the input's sides
            must be even.
    """

    def __init__(self, layers: list[DeployedConv], head: ColorHead | None, tail: DeployedConv, shuffle: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.head = head
        self.tail = tail
        self.shuffle = shuffle

    def context(self, packed: Tensor) -> Tensor | None:
        """The color head's numbers (B, 8) for a whole picture, shared by its tiles; None without a color head."""
        return None if self.head is None else self.head.context(packed)

    def forward(self, packed: Tensor, context: Tensor | None = None) -> Tensor:
        return F.pixel_shuffle(self.before_shuffle(packed, context), self.shuffle)

    def before_shuffle(self, packed: Tensor, context: Tensor | None = None) -> Tensor:
        """The output before PixelShuffle: (B, 3 * shuffle ** 2, h * 2 / shuffle, w * 2 / shuffle)."""
        values = [packed]
        for layer in self.layers:
            assert isinstance(layer, DeployedConv)
            residual = None if layer.residual_from is None else values[layer.residual_from]
            values.append(layer(values[-1], residual))
        features = values[-1]
        if self.head is not None:
            pooled = self.head.pooled(packed) if context is None else context[:, :, None, None]
            features = self.head(features, pooled)
        output: Tensor = self.tail(features)
        return output
