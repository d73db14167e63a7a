"""A TFLite graph written operator by operator as a flatbuffer, in float32 or 8-bit integers, without any converter."""

import math
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

SCHEMA_VERSION = 3
FILE_IDENTIFIER = b"TFL3"
LARGEST_CODE_OF_OLD_FIELD = 127

VALUE_SCALE, VALUE_ZERO = 1 / 32, 0
"""8-bit values lie in -4..4. Integer arithmetic takes as long for any other range."""

WEIGHT_LEVELS = 127
FIXED_OUTPUTS = {
    schema.BuiltinOperator.TANH: (1 / 128, 0),
    schema.BuiltinOperator.LOGISTIC: (1 / 256, -128),
}
"""Scale and zero point that TFLite's 8-bit specification demands of an operator's output."""


class TfliteGraph:
    """A TFLite subgraph that grows by one operator at a time; values are tensor indices.

    Weights are random. In 8 bits they have a scale per channel, biases are 32-bit integers, and values keep one
    scale, as TFLite's 8-bit specification demands.

    Attributes:
        quantized: whether values are 8-bit integers instead of float32.
        output: value that the last kernel computed; None before the first.
    """

    def __init__(self, quantized: bool = False) -> None:
        self.quantized = quantized
        self.output: int | None = None
        self._rng = np.random.default_rng(0)
        self._tensors: list[Any] = []
        self._buffers: list[Any] = [schema.BufferT()]
        self._operators: list[Any] = []
        self._codes: list[int] = []
        self._inputs: list[int] = []

    def shape(self, value: int) -> tuple[int, ...]:
        """Shape of a value."""
        return tuple(self._tensors[value].shape)

    def input(self, shape: tuple[int, ...]) -> int:
        """Another input of the model."""
        self._inputs.append(self._value(shape, VALUE_SCALE, VALUE_ZERO))
        return self._inputs[-1]

    def filter_and_bias(self, shape: tuple[int, ...], channel_axis: int, value: int) -> list[int]:
        """Random weights of that shape, which keep the spread of values, and a bias; both for an operator on `value`.

        Args:
            shape: of the weights.
            channel_axis: axis of the output channels.
            value: what the weights are applied to.
        """
        channels = shape[channel_axis]
        weights = self._rng.standard_normal(shape) * (math.prod(shape) / channels) ** -0.5
        biases = self._rng.standard_normal(channels) * channels**-0.5
        if not self.quantized:
            return [self.constant(weights.astype(np.float32)), self.constant(biases.astype(np.float32))]
        others = tuple(axis for axis in range(len(shape)) if axis != channel_axis)
        scales = np.abs(weights).max(axis=others, keepdims=True) / WEIGHT_LEVELS
        bias_scales = scales.reshape(-1) * self._tensors[value].quantization.scale[0]
        return [
            self._quantized(np.round(weights / scales).astype(np.int8), scales.reshape(-1), channel_axis),
            self._quantized(np.round(biases / bias_scales).astype(np.int32), bias_scales, 0),
        ]

    def constant(self, content: NDArray[Any]) -> int:
        """A constant of type float32, int32 or int8."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content.tobytes(), dtype=np.uint8)
        self._buffers.append(buffer)
        return self._tensor(content.shape, _TYPES[content.dtype.name], len(self._buffers) - 1)

    def add(
        self, code: int, inputs: list[int], shape: tuple[int, ...], options_kind: int = 0, options: Any = None
    ) -> int:
        """Append an operator; the index of its output."""
        operator = schema.OperatorT()
        if code not in self._codes:
            self._codes.append(code)
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs = inputs
        operator.outputs = [self._value(shape, *FIXED_OUTPUTS.get(code, (VALUE_SCALE, VALUE_ZERO)))]
        operator.builtinOptionsType, operator.builtinOptions = options_kind, options
        self._operators.append(operator)
        return int(operator.outputs[0])

    def serialized(self) -> bytes:
        """The TFLite file."""
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self._tensors, self._operators
        subgraph.inputs, subgraph.outputs = self._inputs, [self.output]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = SCHEMA_VERSION, [subgraph], self._buffers
        model.operatorCodes = [_operator_code(code) for code in self._codes]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
        return bytes(builder.Output())

    def _value(self, shape: tuple[int, ...], scale: float, zero: int) -> int:
        if not self.quantized:
            return self._tensor(shape, schema.TensorType.FLOAT32)
        index = self._tensor(shape, schema.TensorType.INT8)
        self._tensors[index].quantization = _quantization(np.array([scale]), 0, zero)
        return index

    def _quantized(self, content: NDArray[Any], scales: NDArray[np.float64], axis: int) -> int:
        index = self.constant(content)
        self._tensors[index].quantization = _quantization(scales, axis)
        return index

    def _tensor(self, shape: tuple[int, ...], kind: int, buffer: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(shape), kind, buffer
        tensor.name = f"t{len(self._tensors)}".encode()
        self._tensors.append(tensor)
        return len(self._tensors) - 1


_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
}


def _quantization(scales: NDArray[np.float64], axis: int, zero: int = 0) -> Any:
    parameters = schema.QuantizationParametersT()
    parameters.scale = scales.astype(np.float32)
    parameters.zeroPoint = np.full(len(scales), zero, np.int64)
    parameters.quantizedDimension = axis
    return parameters


def _operator_code(builtin: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = builtin, 1
    code.deprecatedBuiltinCode = min(builtin, LARGEST_CODE_OF_OLD_FIELD)
    return code


def smallest_model() -> bytes:
    """A file that adds two numbers: the least that a runtime can be made to load."""
    graph = TfliteGraph()
    options = schema.AddOptionsT()
    numbers = [graph.input((1, 1, 1, 1)) for _ in range(2)]
    graph.output = graph.add(
        schema.BuiltinOperator.ADD, numbers, (1, 1, 1, 1), schema.BuiltinOptions.AddOptions, options
    )
    return graph.serialized()
