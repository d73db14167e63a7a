"""`Kernel`: what a mobile runtime executes as one piece, and the work that it does."""

import math
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from nas_isp.latency.kernels.aliases import canonical, split_steps
from nas_isp.precision import Precision
from nas_isp.settings import Settings

Op = Literal[
    "conv2d",
    "grouped_conv2d",
    "depthwise_conv2d",
    "transpose_conv2d",
    "fully_connected",
    "add",
    "sub",
    "mul",
    "activation",
    "mean",
    "reduce_max",
    "channel_mean",
    "channel_max",
    "avg_pool",
    "max_pool",
    "concat",
    "pad",
    "softmax",
    "copy",
    "resize_bilinear",
    "resize_nearest",
    "depth_to_space",
    "space_to_depth",
]
Padding = Literal["same", "valid"]

KNOWN_OPS: tuple[str, ...] = get_args(Op)
CONVOLUTIONS = ("conv2d", "grouped_conv2d", "depthwise_conv2d")
WINDOW_OPS = (*CONVOLUTIONS, "avg_pool", "max_pool")
CLAMPS = ("relu", "relu6")
"""Activations that a runtime clamps to while it stores a value, which costs a CPU nothing either."""

Side = Annotated[int, Field(ge=1, le=65536)]


class Kernel(Settings):
    """One piece of work of a runtime: an operator, its shapes, and what is fused into it.

    `mean` and `reduce_max` reduce the picture to one pixel, `channel_mean` and `channel_max` the channels to one.

    Foreign spellings of operators and activations, one number for a square kernel, and absent or zero fields that an
    operator has no use for are accepted and made canonical, so that equal work compares equal.
    """

    op: Annotated[Op, Field(description="Operator.")]
    in_channels: Annotated[int, Field(ge=1, le=65536, description="Channels of the (first) input.")]
    out_channels: Annotated[int, Field(ge=1, le=65536, description="Channels of the output.")]
    kernel: Annotated[tuple[Side, Side], Field(description="Window; for depth_to_space and resize the factor.")] = (
        1,
        1,
    )
    stride: Annotated[tuple[Side, Side], Field(description="Step of the window.")] = (1, 1)
    groups: Annotated[int, Field(ge=1, description="Groups of a convolution.")] = 1
    height: Annotated[Side, Field(description="Rows of the input.")] = 1
    width: Annotated[Side, Field(description="Columns of the input.")] = 1
    activation: Annotated[
        str, Field(description="Fused elementwise steps in order, such as 'relu', 'add_relu' or 'none'.")
    ] = "none"
    padding: Annotated[Padding | None, Field(description="How a window treats the border; null: not stated.")] = None
    broadcast: Annotated[
        bool, Field(description="For add, sub and mul: the second input is one number a channel or a pixel.")
    ] = False
    precision: Annotated[Precision | None, Field(description="Arithmetic; null: that of the table.")] = None

    @model_validator(mode="before")
    @classmethod
    def _canonical_spelling(cls, content: Any) -> Any:
        return canonical(content) if isinstance(content, dict) else content

    @field_validator("activation")
    @classmethod
    def _known_activation(cls, text: str) -> str:
        return "_".join(split_steps(text)) or "none"

    @model_validator(mode="after")
    def _groups_divide(self) -> "Kernel":
        if self.in_channels % self.groups or (self.op in WINDOW_OPS and self.out_channels % self.groups):
            raise ValueError(
                f"{self.groups} groups do not divide {self.in_channels} input and {self.out_channels} output channels"
            )
        return self

    @property
    def steps(self) -> tuple[str, ...]:
        """The fused elementwise steps in order; empty for none."""
        return split_steps(self.activation)

    @property
    def added_tensors(self) -> int:
        """Whether a second tensor is read and added at the output: 0 or 1."""
        return int("add" in self.steps)

    @property
    def output_size(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        (rows, columns), (down, right) = self.kernel, self.stride
        if self.op in ("mean", "reduce_max", "fully_connected"):
            return 1, 1
        if self.op in ("depth_to_space", "resize_bilinear", "resize_nearest"):
            return self.height * rows, self.width * columns
        if self.op == "transpose_conv2d":
            return self.height * down, self.width * right
        if self.op == "space_to_depth":
            return max(self.height // rows, 1), max(self.width // columns, 1)
        if self.op in WINDOW_OPS and self.padding == "valid":
            return max((self.height - rows) // down + 1, 1), max((self.width - columns) // right + 1, 1)
        return math.ceil(self.height / down), math.ceil(self.width / right)

    def label(self) -> str:
        """A short text for people: operator, window, channels, size and what is fused."""
        window = f" {self.kernel[0]}x{self.kernel[1]}" if self.op in WINDOW_OPS else ""
        stride = f"/{self.stride[0]}" if self.stride[0] > 1 else ""
        fused = f" +{self.activation}" if self.activation != "none" else ""
        return f"{self.op}{window}{stride} {self.in_channels}->{self.out_channels} @ {self.height}x{self.width}{fused}"


def convolution(
    inputs: int, outputs: int, side: int, size: tuple[int, int], stride: int = 1, activation: str = "none"
) -> Kernel:
    """A convolution that keeps the size, or halves it with stride 2."""
    return Kernel(
        op="conv2d",
        in_channels=inputs,
        out_channels=outputs,
        kernel=(side, side),
        stride=(stride, stride),
        height=size[0],
        width=size[1],
        activation=activation,
        padding="same",
    )


def elementwise(op: Op, channels: int, size: tuple[int, int], broadcast: bool = False) -> Kernel:
    """An operator that keeps the channels and has no window."""
    height, width = size
    return Kernel(op=op, in_channels=channels, out_channels=channels, height=height, width=width, broadcast=broadcast)


def shuffle(channels: int, factor: int, size: tuple[int, int]) -> Kernel:
    """A pixel shuffle to so many channels."""
    return Kernel(
        op="depth_to_space",
        in_channels=channels * factor**2,
        out_channels=channels,
        kernel=(factor, factor),
        height=size[0],
        width=size[1],
    )
