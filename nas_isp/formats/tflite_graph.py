"""A TFLite graph written operator by operator as a flatbuffer, in float32 or 8-bit integers, without any converter."""

import math
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from nas_isp.formats import tflite_file
from nas_isp.formats.tflite_versions import complete_operator_codes

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
        self._model = tflite_file.new_model()
        self._graph = self._model.subgraphs[0]

    def shape(self, value: int) -> tuple[int, ...]:
        """Shape of a value."""
        return tuple(map(int, self._graph.tensors[value].shape))

    def input(self, shape: tuple[int, ...]) -> int:
        """Another input of the model."""
        index = self._value(shape, VALUE_SCALE, VALUE_ZERO)
        self._graph.inputs.append(index)
        return index

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
        bias_scales = scales.reshape(-1) * self._graph.tensors[value].quantization.scale[0]
        return [
            self._quantized(np.round(weights / scales).astype(np.int8), scales.reshape(-1), channel_axis),
            self._quantized(np.round(biases / bias_scales).astype(np.int32), bias_scales, 0),
        ]

    def constant(self, content: NDArray[Any]) -> int:
        """A constant of type float32, int32 or int8."""
        return tflite_file.add_constant(self._model, self._next_name(), content)

    def add(
        self, code: int, inputs: list[int], shape: tuple[int, ...], options_kind: int = 0, options: Any = None
    ) -> int:
        """Append an operator; the index of its output."""
        output = self._value(shape, *FIXED_OUTPUTS.get(code, (VALUE_SCALE, VALUE_ZERO)))
        operator = tflite_file.new_operator(self._model, code, inputs, output, options_kind, options)
        self._graph.operators.append(operator)
        return output

    def serialized(self) -> bytes:
        """The TFLite file."""
        self._graph.outputs = [self.output]
        complete_operator_codes(self._model)
        return tflite_file.serialize(self._model)

    def _value(self, shape: tuple[int, ...], scale: float, zero: int) -> int:
        kind = schema.TensorType.INT8 if self.quantized else schema.TensorType.FLOAT32
        index = tflite_file.add_tensor(self._model, self._next_name(), kind, shape)
        if self.quantized:
            self._graph.tensors[index].quantization = tflite_file.quantization(np.array([scale]), zero)
        return index

    def _quantized(self, content: NDArray[Any], scales: NDArray[np.float64], axis: int) -> int:
        index = self.constant(content)
        self._graph.tensors[index].quantization = tflite_file.quantization(scales, axis=axis)
        return index

    def _next_name(self) -> str:
        return f"t{len(self._graph.tensors)}"


def smallest_model() -> bytes:
    """A file that adds two numbers: the least that a runtime can be made to load."""
    graph = TfliteGraph()
    options = schema.AddOptionsT()
    numbers = [graph.input((1, 1, 1, 1)) for _ in range(2)]
    graph.output = graph.add(
        schema.BuiltinOperator.ADD, numbers, (1, 1, 1, 1), schema.BuiltinOptions.AddOptions, options
    )
    return graph.serialized()
