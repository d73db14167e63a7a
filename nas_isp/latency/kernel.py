"""`Kernel`: what a mobile runtime executes as one piece, and the work that it does."""

import math
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

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
    "resize_bilinear",
    "resize_nearest",
    "depth_to_space",
    "space_to_depth",
]
Padding = Literal["same", "valid"]
Precision = Literal["fp32", "fp16", "int8"]

KNOWN_OPS: tuple[str, ...] = get_args(Op)
CONVOLUTIONS = ("conv2d", "grouped_conv2d", "depthwise_conv2d")
WINDOW_OPS = (*CONVOLUTIONS, "avg_pool", "max_pool")
ACTIVATION_PARTS = (
    *("none", "relu", "relu6", "tanh", "sigmoid", "hard_swish", "swish", "gelu", "prelu", "leaky_relu", "elu"),
    *("add", "sub", "mul", "minimum", "maximum"),
)

_OP_SPELLINGS = {
    "conv": "conv2d",
    "conv_2d": "conv2d",
    "depthwise_conv_2d": "depthwise_conv2d",
    "conv_2d_group": "grouped_conv2d",
    "conv2d_grouped": "grouped_conv2d",
    "concatenation": "concat",
    "dense": "fully_connected",
    "linear": "fully_connected",
    "pool": "avg_pool",
    "average_pool": "avg_pool",
    "average_pool_2d": "avg_pool",
    "avg_pool2d": "avg_pool",
    "max_pool_2d": "max_pool",
    "max_pool2d": "max_pool",
    "global_avg_pool": "mean",
}
_ACTIVATION_SPELLINGS = {"hswish": "hard_swish", "hardswish": "hard_swish", "leakyrelu": "leaky_relu"}

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
        return _canonical(content) if isinstance(content, dict) else content

    @field_validator("activation")
    @classmethod
    def _known_activation(cls, text: str) -> str:
        return "_".join(split_activation(text)) or "none"

    @model_validator(mode="after")
    def _groups_divide(self) -> "Kernel":
        if self.in_channels % self.groups or (self.op in WINDOW_OPS and self.out_channels % self.groups):
            raise ValueError(f"{self.groups} groups divide neither {self.in_channels} nor {self.out_channels} channels")
        return self

    @property
    def steps(self) -> tuple[str, ...]:
        """The fused elementwise steps in order; empty for none."""
        return split_activation(self.activation)

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
            return self.height // rows, self.width // columns
        if self.op in WINDOW_OPS and self.padding == "valid":
            return max((self.height - rows) // down + 1, 1), max((self.width - columns) // right + 1, 1)
        return math.ceil(self.height / down), math.ceil(self.width / right)

    def label(self) -> str:
        """A short text for people: operator, window, channels, size and what is fused."""
        window = f" {self.kernel[0]}x{self.kernel[1]}" if self.op in WINDOW_OPS else ""
        stride = f"/{self.stride[0]}" if self.stride[0] > 1 else ""
        fused = f" +{self.activation}" if self.activation != "none" else ""
        return f"{self.op}{window}{stride} {self.in_channels}->{self.out_channels} @ {self.height}x{self.width}{fused}"


@lru_cache(maxsize=1024)
def split_activation(text: str) -> tuple[str, ...]:
    """The elementwise steps that an activation text names, without 'none'.

    Raises:
        ValueError: an unknown step; the message lists the known ones.
    """
    words = text.lower().replace("+", "_").replace(" ", "_").replace("-", "_")
    for spelling, name in _ACTIVATION_SPELLINGS.items():
        words = words.replace(spelling, name)
    steps = []
    while words := words.strip("_"):
        step = next((part for part in sorted(ACTIVATION_PARTS, key=len, reverse=True) if _starts(words, part)), None)
        if step is None:
            raise ValueError(
                f"unknown activation '{text}': known steps, joined by '_', are {', '.join(ACTIVATION_PARTS)}"
            )
        words = words[len(step) :]
        steps.append(step)
    return tuple(step for step in steps if step != "none")


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


def _starts(words: str, part: str) -> bool:
    return words == part or words.startswith(part + "_")


def _canonical(content: dict[str, Any]) -> dict[str, Any]:
    """The same record with this program's spelling; faults are left for the validation to name."""
    kernel = {name: value for name, value in content.items() if value is not None}
    if isinstance(kernel.get("op"), str):
        op = kernel["op"].strip().lower()
        kernel["op"] = _OP_SPELLINGS.get(op, op)
    for name in ("kernel", "stride"):
        value = kernel.get(name)
        kernel[name] = _pair(value)
        if kernel[name] in ((0, 0), [0, 0]):
            del kernel[name]
    for name in ("groups", "height", "width"):
        if kernel.get(name) == 0:
            del kernel[name]
    return _canonical_shapes(kernel)


def _canonical_shapes(kernel: dict[str, Any]) -> dict[str, Any]:
    op, channels, groups = kernel.get("op"), kernel.get("in_channels"), kernel.get("groups", 1)
    if op in ("conv2d", "grouped_conv2d") and isinstance(channels, int) and isinstance(groups, int):
        op = _convolution_by_groups(groups, channels)
    if op == "depthwise_conv2d" and isinstance(channels, int) and channels > 0:
        kernel["groups"] = channels
        outputs = kernel.get("out_channels", channels)
        if isinstance(outputs, int) and outputs % channels:
            kernel["out_channels"] = channels * outputs
    if (
        op in ("mean", "reduce_max", "avg_pool", "max_pool", "activation", "pad", "softmax")
        and "out_channels" not in kernel
    ):
        kernel["out_channels"] = channels
    if op in (
        "mean",
        "reduce_max",
        "channel_mean",
        "channel_max",
        "concat",
        "fully_connected",
        "add",
        "sub",
        "mul",
        "activation",
        "pad",
        "softmax",
    ):
        kernel.update(kernel=(1, 1), stride=(1, 1))
    if op == "fully_connected":
        kernel.update(height=1, width=1)
    return kernel | ({"op": op} if op is not None else {})


def _convolution_by_groups(groups: int, channels: int) -> str:
    if groups <= 1:
        return "conv2d"
    return "depthwise_conv2d" if groups == channels else "grouped_conv2d"


def _pair(value: Any) -> Any:
    if value is None:
        return (1, 1)
    return (value, value) if isinstance(value, int) else value
