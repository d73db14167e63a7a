"""Foreign spellings of a kernel made this program's own, so that equal work compares equal.

Kernel lists come from profilers and other people's tables: they name the same operator in a dozen ways, write one
number for a square window, and fill fields that an operator has no use for with 0, null or a dash. Faults are left for
the validation to name.
"""

import re
from functools import lru_cache
from typing import Any

_OPS: dict[str, tuple[str, ...]] = {
    "conv2d": ("conv", "convolution", "convolution2d", "pointwiseconv2d"),
    "grouped_conv2d": (
        *("conv2dgroup", "conv2dgrouped", "convolution2dgrouped", "groupconv", "groupconv2d", "groupedconv"),
        "groupedconvolution",
    ),
    "depthwise_conv2d": (
        *("depthwise", "depthwiseconv", "depthwiseconvolution", "depthwiseconvolution2d", "dwconv", "dwconv2d"),
    ),
    "transpose_conv2d": (
        *("transposeconv", "transposedconv", "transposedconv2d", "convtranspose", "conv2dtranspose"),
        *("convolutiontransposed", "deconv", "deconv2d", "deconvolution"),
    ),
    "fully_connected": ("fc", "dense", "linear", "innerproduct", "gemm"),
    "concat": ("concatenation", "concatenate", "concatv2", "cat"),
    "avg_pool": (
        *("pool", "pool2d", "pooling", "pooling2d", "avgpool2d", "averagepool", "averagepool2d"),
        *("averagepooling", "averagepooling2d"),
    ),
    "max_pool": ("maxpool2d", "maxpooling", "maxpooling2d"),
    "mean": (
        *("reducemean", "gap", "globalpool", "globalavgpool", "globalavgpool2d", "globalaveragepool"),
        *("globalaveragepooling", "globalaveragepooling2d"),
    ),
    "add": ("addition", "addv2", "eltwiseadd", "elementwiseadd", "residualadd"),
    "sub": ("subtract", "subtraction"),
    "mul": ("multiply", "multiplication", "eltwisemul", "elementwisemul"),
    "pad": ("padding", "padv2", "mirrorpad"),
    "copy": ("slice", "stridedslice", "split", "transpose", "reshape", "channelshuffle", "identity", "squeeze"),
    "resize_bilinear": ("resize", "upsample", "upsampling", "bilinear", "upsamplebilinear"),
    "resize_nearest": ("resizenearestneighbor", "nearest", "upsamplenearest"),
    "depth_to_space": ("pixelshuffle",),
    "space_to_depth": ("pixelunshuffle",),
    **dict.fromkeys(("reduce_max", "channel_mean", "channel_max", "activation", "softmax"), ()),
}
_OP_OF = {spelling.replace("_", ""): op for op, spellings in _OPS.items() for spelling in (op, *spellings)}
"""By the letters and digits of a spelling alone."""

_STEPS = {
    "relu": ("relu_n1_to_1", "relun1to1", "relu1", "clip", "clamp"),
    "relu6": ("relu_6",),
    "hard_swish": ("hardswish", "hswish", "h_swish"),
    "hard_sigmoid": ("hardsigmoid", "hsigmoid", "h_sigmoid"),
    "swish": ("silu", "swish6"),
    "sigmoid": ("logistic",),
    "leaky_relu": ("leakyrelu", "lrelu", "leaky"),
    "add": ("addition", "bias_add", "residual"),
    "sub": ("subtract",),
    "mul": ("multiply", "multiplication"),
    "minimum": ("min",),
    "maximum": ("max",),
    "none": ("linear", "identity", "null", "no", "batch_norm", "batchnorm", "bn"),
}
_ACTIVATIONS = (
    *("none", "relu", "relu6", "tanh", "sigmoid", "hard_sigmoid", "hard_swish", "swish", "gelu", "mish", "prelu"),
    *("leaky_relu", "elu", "softplus", "abs", "exp", "square", "sqrt", "rsqrt", "pow", "neg", "div"),
)
ACTIVATION_PARTS = (*_ACTIVATIONS, "add", "sub", "mul", "minimum", "maximum")
_STEP_OF = {part: part for part in ACTIVATION_PARTS}
_STEP_OF |= {spelling: step for step, spellings in _STEPS.items() for spelling in spellings}
_LONGEST_STEP = max(spelling.count("_") for spelling in _STEP_OF) + 1

_FIELDS = {
    "op": ("operation", "operator", "type", "op_type"),
    "in_channels": ("input_channels", "input_channel", "in_channel", "in_ch", "cin", "c_in"),
    "out_channels": (
        "output_channels",
        "output_channel",
        "out_channel",
        "out_ch",
        "filters",
        "filter",
        "cout",
        "c_out",
    ),
    "kernel": ("kernel_size", "kernel_shape", "filter_size", "window", "ksize"),
    "stride": ("strides",),
    "groups": ("group",),
    "height": ("input_height", "in_height", "input_h", "h"),
    "width": ("input_width", "in_width", "input_w", "w"),
    "activation": ("act", "fused", "fused_activation", "activation_function"),
}
_FIELD_OF = {spelling: field for field, spellings in _FIELDS.items() for spelling in spellings}
_SIDES = ("input_size", "input_shape", "size", "resolution")
_NOTHING: tuple[object, ...] = (None, "", "-", 0, "0", [], [0, 0], (0, 0))

_CHANNELS_KEPT = (
    *("mean", "reduce_max", "avg_pool", "max_pool", "activation", "pad", "softmax", "copy", "add", "sub", "mul"),
)
_WITHOUT_WINDOW = (
    *("mean", "reduce_max", "channel_mean", "channel_max", "concat", "fully_connected", "add", "sub", "mul"),
    *("activation", "pad", "softmax", "copy"),
)
_WITHOUT_GROUPS = (*_WITHOUT_WINDOW, "avg_pool", "max_pool")
_PRECISIONS = {"float32": "fp32", "float16": "fp16", "half": "fp16"}


def canonical(content: dict[str, Any]) -> dict[str, Any]:
    """The same record of a kernel with this program's names of fields and operators."""
    kernel: dict[str, Any] = {}
    for name, value in content.items():
        field = _FIELD_OF.get(name, name)
        if field == name or field not in content:
            kernel[field] = value
    kernel = {name: value for name, value in kernel.items() if name == "in_channels" or value not in _NOTHING}
    _spread_sides(kernel)
    for name in ("kernel", "stride"):
        kernel[name] = _pair(kernel.get(name, 1))
    if isinstance(kernel.get("activation"), list):
        kernel["activation"] = "_".join(str(step) for step in kernel["activation"])
    _name_operator(kernel)
    _name_padding_and_precision(kernel)
    return _with_shapes(kernel)


@lru_cache(maxsize=1024)
def split_steps(text: str) -> tuple[str, ...]:
    """The elementwise steps that an activation text names in order, without 'none'.

    Node numbers and the word 'linked' of a GPU delegate's kernel names are skipped.

    Raises:
        ValueError: an unknown step; the message lists the known ones.
    """
    words = [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word and not word.isdigit() and word != "linked"]
    steps: list[str] = []
    while words:
        taken = next((n for n in range(_LONGEST_STEP, 0, -1) if "_".join(words[:n]) in _STEP_OF), 0)
        if not taken:
            known = ", ".join(ACTIVATION_PARTS)
            raise ValueError(f"unknown activation '{text}': known steps, joined by '_', are {known}")
        steps.append(_STEP_OF["_".join(words[:taken])])
        words = words[taken:]
    return tuple(step for step in steps if step != "none")


def fields_known() -> frozenset[str]:
    """Every spelling of a field of a kernel that `canonical` understands, apart from the fields themselves."""
    return frozenset({*_FIELD_OF, *_SIDES})


def _spread_sides(kernel: dict[str, Any]) -> None:
    for name in _SIDES:
        if name in kernel:
            sides = _pair(kernel.pop(name))
            if isinstance(sides, list | tuple) and len(sides) == 2:
                kernel.setdefault("height", sides[0])
                kernel.setdefault("width", sides[1])
            elif "height" not in kernel:
                kernel[name] = sides  # else a picture of another spelling would count as one pixel
    if "height" in kernel:
        kernel.setdefault("width", kernel["height"])


def _name_operator(kernel: dict[str, Any]) -> None:
    if not isinstance(kernel.get("op"), str):
        return
    op = kernel["op"].strip().lower()
    letters = re.sub(r"[\s\-_./]+", "", op)
    step = _STEP_OF.get(re.sub(r"[\s\-]+", "_", op))
    if step is not None and step != "none" and letters not in _OP_OF:
        kernel.setdefault("activation", step)
        letters = "activation"
    kernel["op"] = _OP_OF.get(letters, op)


def _name_padding_and_precision(kernel: dict[str, Any]) -> None:
    if isinstance(kernel.get("padding"), str):
        kernel["padding"] = kernel["padding"].strip().lower()
    elif "padding" in kernel:  # a number of border pixels, as PyTorch has it
        kernel["padding"] = "same"
    if isinstance(kernel.get("precision"), str):
        precision = kernel["precision"].strip().lower()
        kernel["precision"] = _PRECISIONS.get(precision, precision)
        if precision == "float":
            del kernel["precision"]


def _with_shapes(kernel: dict[str, Any]) -> dict[str, Any]:
    op, groups = kernel.get("op"), _number(kernel.get("groups", 1))
    channels = _number(kernel.get("in_channels"))
    outputs = _number(kernel.get("out_channels"))
    if op in _CHANNELS_KEPT:
        kernel["in_channels"] = kernel.get("in_channels") or outputs
        kernel["out_channels"] = kernel["in_channels"]
    if op in ("conv2d", "grouped_conv2d") and channels and groups:
        op = kernel["op"] = _convolution_by_groups(groups, channels)
    if op == "depthwise_conv2d" and channels and channels > 0:
        kernel["groups"] = channels
        if outputs is None or outputs % channels:
            kernel["out_channels"] = channels * (outputs or 1)
    if op in _WITHOUT_GROUPS:
        kernel.pop("groups", None)
    if op in _WITHOUT_WINDOW:
        kernel.update(kernel=(1, 1), stride=(1, 1))
    if op == "fully_connected":
        kernel.update(height=1, width=1)
    return kernel


def _convolution_by_groups(groups: int, channels: int) -> str:
    if groups <= 1:
        return "conv2d"
    return "depthwise_conv2d" if groups == channels else "grouped_conv2d"


def _number(value: Any) -> int | None:
    """A whole number however it is written; None for anything else."""
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _pair(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\s*\d+\s*[x×*,]\s*\d+\s*", value):
        return [int(side) for side in re.findall(r"\d+", value)]
    number = _number(value)
    return value if number is None else (number, number)
