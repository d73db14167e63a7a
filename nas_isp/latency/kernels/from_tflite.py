"""The kernels of a TFLite file, read from its operators: what `latency` predicts and measures of any network."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from nas_isp.errors import InputError
from nas_isp.formats import tflite_file
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.picture_size import FULL_HD_TEXT

FUSED = {
    schema.ActivationFunctionType.NONE: "none",
    schema.ActivationFunctionType.RELU: "relu",
    schema.ActivationFunctionType.RELU6: "relu6",
}
ACTIVATIONS = {
    "RELU": "relu",
    "RELU6": "relu6",
    "TANH": "tanh",
    "LOGISTIC": "sigmoid",
    "HARD_SWISH": "hard_swish",
    "PRELU": "prelu",
    "LEAKY_RELU": "leaky_relu",
    "GELU": "gelu",
    "ELU": "elu",
}
FREE = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")
"""Operators that move nothing."""

CONVERTING = ("CAST", "QUANTIZE", "DEQUANTIZE", "SLICE", "STRIDED_SLICE")
"""Operators that write values in another form or fewer of them: at the ends of a network for an app's integers."""

ROWS, COLUMNS, CHANNELS = 1, 2, 3
"""Axes of a picture."""

_PARTNERED = {"ADD": "add", "SUB": "sub", "MUL": "mul"}


def kernels_of_tflite(content: bytes, path: Path) -> list[Kernel]:
    """The kernels of a TFLite file with static shapes, in order.

    An addition and an activation that alone read a convolution's output belong to its kernel, and two means, one
    side of the picture after the other, are one kernel: as `kernels_of` counts them from an architecture. What changes
    the form of values is a copy of no stated precision, and so is the float arithmetic around an 8-bit network, of
    which no table of 8-bit kernels knows; weights that are made float once, when the file is loaded, cost nothing.

    Args:
        content: the file.
        path: its name for messages.

    Raises:
        InputError: not a TFLite file, sides left to run time, or an operator that is no kernel this program knows.
    """
    try:
        return _Reading(tflite_file.parse(content, path), path).kernels()
    except (ValueError, TypeError, LookupError, AttributeError, ZeroDivisionError) as error:
        # An operator may have fewer inputs, another shape or other options than its kind: damaged in any case.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: an operator is damaged ({reason[:200]}); export it again") from error


class _Reading:
    """One pass over the operators, in which later ones may be taken into the kernel of an earlier one."""

    def __init__(self, model: schema.ModelT, path: Path) -> None:
        self.model, self.path, self.graph = model, path, model.subgraphs[0]
        self.taken: set[int] = set()
        self.users: dict[int, list[schema.OperatorT]] = {}
        for operator in self.graph.operators:
            for index in operator.inputs:
                self.users.setdefault(int(index), []).append(operator)
        computing = [operator for operator in self.graph.operators if self._name(operator) not in CONVERTING]
        self.in_8_bits = any(self._is_int8(operator) for operator in computing)

    def kernels(self) -> list[Kernel]:
        return [kernel for operator in self.graph.operators for kernel in self._kernel(operator)]

    def _kernel(self, operator: schema.OperatorT) -> Iterator[Kernel]:
        name = self._name(operator)
        made_at_loading = name in CONVERTING and self._is_constant(operator.inputs[0])
        if id(operator) in self.taken or name in FREE or made_at_loading:
            return
        is_int8 = self._is_int8(operator)
        if name in CONVERTING or (name in _PARTNERED and self.in_8_bits and not is_int8):
            yield Kernel.model_validate({"op": "copy"} | self._sides(operator.outputs[0], operator.outputs[0]))
            return
        read = _READERS.get(name)
        if read is None:
            raise InputError(
                f"{self.path}: operator {name} is no kernel that latency is known of; give another file, or its kernels"
                " in a .json file",
                "kernels",
            )
        fields = self._sides(operator.inputs[0], operator.outputs[0]) | read(self, operator)
        yield Kernel.model_validate(fields | {"precision": "int8" if is_int8 else "fp32"})

    def _sides(self, source: int, result: int) -> dict[str, Any]:
        shape = self.shape(source)
        rows, columns = (shape[ROWS], shape[COLUMNS]) if len(shape) == 4 else (1, 1)
        return {"height": rows, "width": columns, "in_channels": shape[-1], "out_channels": self.shape(result)[-1]}

    def shape(self, index: int) -> tuple[int, ...]:
        """Shape of a tensor."""
        tensor = self.graph.tensors[index]
        if tensor.shapeSignature is not None and any(side < 0 for side in tensor.shapeSignature):
            raise InputError(
                f"{self.path}: leaves its sides to run time; export it for one size such as {FULL_HD_TEXT}"
            )
        return tuple(int(side) for side in tensor.shape)

    def constant(self, index: int) -> list[int] | None:
        """The integers of a constant tensor; None for a computed one."""
        if not self._is_constant(index):
            return None
        data = self.model.buffers[self.graph.tensors[index].buffer].data
        return np.asarray(data, np.uint8).view(np.int32).tolist()

    def only_user(self, operator: schema.OperatorT) -> schema.OperatorT | None:
        """The operator that alone reads this one's output."""
        users = self.users.get(int(operator.outputs[0]), [])
        return users[0] if len(users) == 1 and operator.outputs[0] not in self.graph.outputs else None

    def steps(self, operator: schema.OperatorT, fused: str) -> str:
        """What is computed on an operator's output within its kernel; takes those operators."""
        steps, last = [fused], operator
        while (user := self.only_user(last)) is not None:
            name = self._name(user)
            if name in ACTIVATIONS:
                steps.append(ACTIVATIONS[name])
            elif name == "ADD" and steps == ["none"] and self._adds_two_pictures(user):
                steps += ["add", FUSED[user.builtinOptions.fusedActivationFunction]]
            else:
                break
            self.taken.add(id(user))
            last = user
        return "_".join(step for step in steps if step != "none") or "none"

    def _adds_two_pictures(self, operator: schema.OperatorT) -> bool:
        first, second = (self.shape(index) for index in operator.inputs)
        return first == second

    def _name(self, operator: schema.OperatorT) -> str:
        return tflite_file.operator_name(self.model, operator)

    def _is_constant(self, index: int) -> bool:
        return self.model.buffers[self.graph.tensors[index].buffer].data is not None

    def _is_int8(self, operator: schema.OperatorT) -> bool:
        return bool(self.graph.tensors[operator.outputs[0]].type == schema.TensorType.INT8)


def _convolution(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    outputs, rows, columns, per_group = reading.shape(operator.inputs[1])
    groups = reading.shape(operator.inputs[0])[CHANNELS] // per_group
    return {"op": "conv2d", "out_channels": outputs, "groups": groups} | _window(reading, operator, (rows, columns))


def _depthwise(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    _, rows, columns, _ = reading.shape(operator.inputs[1])
    return {"op": "depthwise_conv2d"} | _window(reading, operator, (rows, columns))


def _average_pool(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "avg_pool"} | _window(reading, operator, _pool_window(operator))


def _max_pool(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "max_pool"} | _window(reading, operator, _pool_window(operator))


def _pool_window(operator: schema.OperatorT) -> tuple[int, int]:
    return operator.builtinOptions.filterHeight, operator.builtinOptions.filterWidth


def _window(reading: _Reading, operator: schema.OperatorT, window: tuple[int, int]) -> dict[str, Any]:
    options = operator.builtinOptions
    return {
        "kernel": window,
        "stride": (options.strideH, options.strideW),
        "padding": "valid" if options.padding == schema.Padding.VALID and window != (1, 1) else "same",
        "activation": reading.steps(operator, FUSED[options.fusedActivationFunction]),
    }


def _fully_connected(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    fused = FUSED[operator.builtinOptions.fusedActivationFunction]
    return {"op": "fully_connected", "activation": reading.steps(operator, fused)}


def _two_tensors(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    op = _PARTNERED[tflite_file.operator_name(reading.model, operator)]
    first, second = (reading.shape(index) for index in operator.inputs)
    fused = FUSED[operator.builtinOptions.fusedActivationFunction]
    return {"op": op, "broadcast": first != second, "activation": reading.steps(operator, fused)}


def _activation(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "activation", "activation": ACTIVATIONS[tflite_file.operator_name(reading.model, operator)]}


def _mean(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    axes = _axes(reading, operator)
    after = reading.only_user(operator)
    if axes == {COLUMNS} and after is not None and tflite_file.operator_name(reading.model, after) == "MEAN":
        axes |= _axes(reading, after)
        reading.taken.add(id(after))
    return {"op": _over(reading, axes, "mean", "channel_mean")}


def _maximum(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": _over(reading, _axes(reading, operator), "reduce_max", "channel_max")}


def _axes(reading: _Reading, operator: schema.OperatorT) -> set[int]:
    rank = len(reading.shape(operator.inputs[0]))
    return {axis % rank for axis in reading.constant(operator.inputs[1]) or ()}


def _over(reading: _Reading, axes: set[int], picture: str, channels: str) -> str:
    if axes == {ROWS, COLUMNS}:
        return picture
    if axes == {CHANNELS}:
        return channels
    raise InputError(f"{reading.path}: reduces axes {sorted(axes)}, which is no kernel that latency is known of")


def _concat(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "concat"}


def _pad(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "pad"}


def _depth_to_space(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "depth_to_space", "kernel": (operator.builtinOptions.blockSize,) * 2}


def _space_to_depth(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "space_to_depth", "kernel": (operator.builtinOptions.blockSize,) * 2}


def _bilinear(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "resize_bilinear", "kernel": _factors(reading, operator)}


def _nearest(reading: _Reading, operator: schema.OperatorT) -> dict[str, Any]:
    return {"op": "resize_nearest", "kernel": _factors(reading, operator)}


def _factors(reading: _Reading, operator: schema.OperatorT) -> tuple[int, int]:
    (_, rows, columns, _), (_, taller, wider, _) = (
        reading.shape(index) for index in (operator.inputs[0], operator.outputs[0])
    )
    if taller % rows or wider % columns:
        raise InputError(
            f"{reading.path}: resizes by {taller / rows:g} x {wider / columns:g}; only whole factors are known"
        )
    return taller // rows, wider // columns


_READERS: dict[str, Callable[[_Reading, schema.OperatorT], dict[str, Any]]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "AVERAGE_POOL_2D": _average_pool,
    "MAX_POOL_2D": _max_pool,
    **dict.fromkeys(_PARTNERED, _two_tensors),
    **dict.fromkeys(ACTIVATIONS, _activation),
    "MEAN": _mean,
    "REDUCE_MAX": _maximum,
    "CONCATENATION": _concat,
    "PAD": _pad,
    "DEPTH_TO_SPACE": _depth_to_space,
    "SPACE_TO_DEPTH": _space_to_depth,
    "RESIZE_BILINEAR": _bilinear,
    "RESIZE_NEAREST_NEIGHBOR": _nearest,
}
