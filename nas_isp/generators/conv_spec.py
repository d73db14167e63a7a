"""`ConvSpec`: one convolution as plain data, from which everything else about it follows."""

from dataclasses import dataclass
from typing import Literal

PACKED_CHANNELS = 4
"""Of a network's input: R, G of the red row, G of the blue row, B."""

RGB_CHANNELS = 3
"""Of its output."""

Activation = Literal["none", "relu", "relu6", "tanh"]
ConvKind = Literal["conv2d", "depthwise_conv2d", "grouped_conv2d"]


@dataclass(frozen=True)
class ConvSpec:
    """One convolution with zero padding that keeps the sides, or halves them (TFLite's SAME).

    Attributes:
        name: of its parameters within its block or network, such as "depthwise".
        kernel: side of the window, odd.
        stride: 1, or 2 for half the sides.
        groups: 1; `in_channels` for a depthwise convolution.
        activation: of the sum; "sigmoid" occurs in RMFA only.
        residual: whether the block's input is added before the activation.
        bias: whether it has one.
    """

    name: str
    in_channels: int
    out_channels: int
    kernel: int = 3
    stride: int = 1
    groups: int = 1
    activation: Activation | Literal["sigmoid"] = "none"
    residual: bool = False
    bias: bool = True

    @property
    def kind(self) -> ConvKind:
        """What runtimes call it."""
        if self.groups == 1:
            return "conv2d"
        return "depthwise_conv2d" if self.groups == self.in_channels else "grouped_conv2d"

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        """(out, in / groups, kernel, kernel)."""
        return self.out_channels, self.in_channels // self.groups, self.kernel, self.kernel

    @property
    def weights(self) -> int:
        """Number of weights: multiply-accumulates of an output pixel."""
        outputs, inputs, rows, columns = self.weight_shape
        return outputs * inputs * rows * columns

    @property
    def params(self) -> int:
        """Weights and biases."""
        return self.weights + self.out_channels * self.bias

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the output for an input of so many, which the stride divides."""
        return height // self.stride, width // self.stride


def strided_padding(kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after each side for a strided SAME convolution of an even side; (0, 0) for stride 1."""
    return (0, 0) if stride == 1 or kernel == 1 else ((kernel - 2) // 2, (kernel - 1) // 2)
