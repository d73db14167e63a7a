"""TFLite models of a single kernel, written as flatbuffers without any converter, for timing on this machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from nas_isp.errors import InputError
from nas_isp.latency.kernel import WINDOW_OPS, Kernel

FUSED_BY_OPERATOR = {"relu": schema.ActivationFunctionType.RELU, "relu6": schema.ActivationFunctionType.RELU6}
"""Activations that TFLite operators carry as an option."""

FUSING = (*WINDOW_OPS, "fully_connected", "add", "sub", "mul", "concat")
"""Operators that carry such an option."""

SEPARATE_ACTIVATIONS = {
    "relu": schema.BuiltinOperator.RELU,
    "relu6": schema.BuiltinOperator.RELU6,
    "tanh": schema.BuiltinOperator.TANH,
    "sigmoid": schema.BuiltinOperator.LOGISTIC,
    "hard_swish": schema.BuiltinOperator.HARD_SWISH,
}
ELEMENTWISE = {
    "add": (schema.BuiltinOperator.ADD, schema.BuiltinOptions.AddOptions, schema.AddOptionsT),
    "sub": (schema.BuiltinOperator.SUB, schema.BuiltinOptions.SubOptions, schema.SubOptionsT),
    "mul": (schema.BuiltinOperator.MUL, schema.BuiltinOptions.MulOptions, schema.MulOptionsT),
}
SCHEMA_VERSION = 3
FILE_IDENTIFIER = b"TFL3"


def single_kernel_model(kernel: Kernel) -> bytes:
    """A float32 TFLite model that computes this kernel and nothing else, with random weights.

    Inputs are ``(1, height, width, in_channels)`` and, for whatever adds or multiplies tensors, the other operand.

    Raises:
        InputError: an operator or activation that this program cannot write.
    """
    return kernel_chain_model([kernel])


def kernel_chain_model(kernels: Sequence[Kernel]) -> bytes:
    """A model like that of one kernel, in which each kernel takes the output of the one before.

    Raises:
        InputError: an operator or activation that this program cannot write.
    """
    graph = _Graph(np.random.default_rng(0))
    for kernel in kernels:
        graph.output = _write(graph, kernel)
    return graph.serialised()


def _write(graph: "_Graph", kernel: Kernel) -> int:
    """Append a kernel; the index of its output."""
    steps = list(kernel.steps)
    fused = steps.pop(0) if kernel.op in FUSING and steps and steps[0] in FUSED_BY_OPERATOR else None
    value = _WRITERS_OF.get(kernel.op, _refuse)(graph, kernel, FUSED_BY_OPERATOR.get(fused or "", 0))
    while steps:
        step = steps.pop(0)
        if step in ELEMENTWISE:
            fused = steps.pop(0) if steps and steps[0] in FUSED_BY_OPERATOR else None
            other = graph.input(graph.shape(value))
            value = graph.elementwise(step, value, other, FUSED_BY_OPERATOR.get(fused or "", 0))
        elif step in SEPARATE_ACTIVATIONS:
            value = graph.add(SEPARATE_ACTIVATIONS[step], [value], graph.shape(value))
        else:
            _refuse(graph, kernel, 0)
    return value


@dataclass
class _Graph:
    """A TFLite subgraph that grows by one operator at a time; values are tensor indices."""

    rng: np.random.Generator
    tensors: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])
    operators: list[Any] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    output: int | None = None
    """Of the kernels so far."""

    def shape(self, value: int) -> tuple[int, ...]:
        return tuple(self.tensors[value].shape)

    def first_input(self, kernel: Kernel) -> int:
        """What a kernel works on: the output so far, or an input of the model."""
        return self.input(_input_shape(kernel)) if self.output is None else self.output

    def input(self, shape: tuple[int, ...]) -> int:
        self.inputs.append(self._tensor(shape))
        return self.inputs[-1]

    def weights(self, *shape: int) -> int:
        spread = math.prod(shape[1:]) ** -0.5
        return self.constant((self.rng.standard_normal(shape) * spread).astype(np.float32))

    def constant(self, content: "np.ndarray[Any, Any]") -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content.tobytes(), dtype=np.uint8)
        self.buffers.append(buffer)
        kind = schema.TensorType.FLOAT32 if content.dtype == np.float32 else schema.TensorType.INT32
        return self._tensor(content.shape, kind, len(self.buffers) - 1)

    def add(
        self, code: int, inputs: list[int], shape: tuple[int, ...], options_kind: int = 0, options: Any = None
    ) -> int:
        """Append an operator; the index of its output."""
        operator = schema.OperatorT()
        if code not in self.codes:
            self.codes.append(code)
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs, operator.outputs = inputs, [self._tensor(shape)]
        operator.builtinOptionsType, operator.builtinOptions = options_kind, options
        self.operators.append(operator)
        return int(operator.outputs[0])

    def elementwise(self, op: str, first: int, second: int, fused: int) -> int:
        code, options_kind, options_type = ELEMENTWISE[op]
        options = options_type()
        options.fusedActivationFunction = fused
        return self.add(code, [first, second], self.shape(first), options_kind, options)

    def serialised(self) -> bytes:
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs = self.inputs, [self.output]
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = SCHEMA_VERSION, [subgraph], self.buffers
        model.operatorCodes = [self._code(code) for code in self.codes]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(self, shape: tuple[int, ...], kind: int = schema.TensorType.FLOAT32, buffer: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.buffer = list(shape), kind, buffer
        tensor.name = f"t{len(self.tensors)}".encode()
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    @staticmethod
    def _code(builtin: int) -> Any:
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
        return code


def _convolution(graph: _Graph, kernel: Kernel, fused: int) -> int:
    options = schema.Conv2DOptionsT()
    _set_window(options, kernel, fused)
    per_group = kernel.in_channels // kernel.groups
    weights = graph.weights(kernel.out_channels, *kernel.kernel, per_group)
    inputs = [graph.first_input(kernel), weights, graph.weights(kernel.out_channels)]
    kind = schema.BuiltinOptions.Conv2DOptions
    return graph.add(schema.BuiltinOperator.CONV_2D, inputs, _output_shape(kernel), kind, options)


def _depthwise(graph: _Graph, kernel: Kernel, fused: int) -> int:
    options = schema.DepthwiseConv2DOptionsT()
    _set_window(options, kernel, fused)
    options.depthMultiplier = kernel.out_channels // kernel.in_channels
    weights = graph.weights(1, *kernel.kernel, kernel.out_channels)
    inputs = [graph.first_input(kernel), weights, graph.weights(kernel.out_channels)]
    kind = schema.BuiltinOptions.DepthwiseConv2DOptions
    return graph.add(schema.BuiltinOperator.DEPTHWISE_CONV_2D, inputs, _output_shape(kernel), kind, options)


def _fully_connected(graph: _Graph, kernel: Kernel, fused: int) -> int:
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = fused
    weights = graph.weights(kernel.out_channels, kernel.in_channels)
    inputs = [graph.input((1, kernel.in_channels)), weights, graph.weights(kernel.out_channels)]
    kind, shape = schema.BuiltinOptions.FullyConnectedOptions, (1, kernel.out_channels)
    return graph.add(schema.BuiltinOperator.FULLY_CONNECTED, inputs, shape, kind, options)


def _pool(graph: _Graph, kernel: Kernel, fused: int) -> int:
    options = schema.Pool2DOptionsT()
    _set_stride(options, kernel, fused)
    options.filterHeight, options.filterWidth = kernel.kernel
    average = kernel.op == "avg_pool"
    code = schema.BuiltinOperator.AVERAGE_POOL_2D if average else schema.BuiltinOperator.MAX_POOL_2D
    inputs = [graph.first_input(kernel)]
    return graph.add(code, inputs, _output_shape(kernel), schema.BuiltinOptions.Pool2DOptions, options)


def _two_tensors(graph: _Graph, kernel: Kernel, fused: int) -> int:
    first = graph.first_input(kernel)
    second = graph.input((1, 1, 1, kernel.in_channels) if kernel.broadcast else _input_shape(kernel))
    return graph.elementwise(kernel.op, first, second, fused)


def _concat(graph: _Graph, kernel: Kernel, fused: int) -> int:
    options = schema.ConcatenationOptionsT()
    options.axis, options.fusedActivationFunction = 3, fused
    rest = (*_input_shape(kernel)[:3], max(kernel.out_channels - kernel.in_channels, 1))
    inputs = [graph.first_input(kernel), graph.input(rest)]
    shape = (*rest[:3], kernel.in_channels + rest[3])
    kind = schema.BuiltinOptions.ConcatenationOptions
    return graph.add(schema.BuiltinOperator.CONCATENATION, inputs, shape, kind, options)


def _reduce(graph: _Graph, kernel: Kernel, fused: int) -> int:
    options = schema.ReducerOptionsT()
    options.keepDims = True
    axes = [3] if kernel.op.startswith("channel") else [1, 2]
    code = schema.BuiltinOperator.MEAN if kernel.op.endswith("mean") else schema.BuiltinOperator.REDUCE_MAX
    inputs = [graph.first_input(kernel), graph.constant(np.array(axes, dtype=np.int32))]
    return graph.add(code, inputs, _output_shape(kernel), schema.BuiltinOptions.ReducerOptions, options)


def _depth_to_space(graph: _Graph, kernel: Kernel, fused: int) -> int:
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = kernel.kernel[0]
    inputs, kind = [graph.first_input(kernel)], schema.BuiltinOptions.DepthToSpaceOptions
    return graph.add(schema.BuiltinOperator.DEPTH_TO_SPACE, inputs, _output_shape(kernel), kind, options)


def _resize_bilinear(graph: _Graph, kernel: Kernel, fused: int) -> int:
    options = schema.ResizeBilinearOptionsT()
    options.halfPixelCenters = True
    size = graph.constant(np.array(kernel.output_size, dtype=np.int32))
    inputs, kind = [graph.first_input(kernel), size], schema.BuiltinOptions.ResizeBilinearOptions
    return graph.add(schema.BuiltinOperator.RESIZE_BILINEAR, inputs, _output_shape(kernel), kind, options)


def _refuse(graph: _Graph, kernel: Kernel, fused: int) -> int:
    raise InputError(
        f"kernel '{kernel.label()}' cannot be timed on this machine: it times {', '.join(_WRITERS_OF)} "
        f"with the activations {', '.join([*SEPARATE_ACTIVATIONS, *ELEMENTWISE])}"
    )


_WRITERS_OF = {
    "conv2d": _convolution,
    "grouped_conv2d": _convolution,
    "depthwise_conv2d": _depthwise,
    "fully_connected": _fully_connected,
    "avg_pool": _pool,
    "max_pool": _pool,
    "add": _two_tensors,
    "sub": _two_tensors,
    "mul": _two_tensors,
    "concat": _concat,
    "mean": _reduce,
    "reduce_max": _reduce,
    "channel_mean": _reduce,
    "channel_max": _reduce,
    "depth_to_space": _depth_to_space,
    "resize_bilinear": _resize_bilinear,
}


def _set_window(options: Any, kernel: Kernel, fused: int) -> None:
    _set_stride(options, kernel, fused)
    options.dilationHFactor = options.dilationWFactor = 1


def _set_stride(options: Any, kernel: Kernel, fused: int) -> None:
    options.padding = schema.Padding.VALID if kernel.padding == "valid" else schema.Padding.SAME
    options.strideH, options.strideW = kernel.stride
    options.fusedActivationFunction = fused


def _input_shape(kernel: Kernel) -> tuple[int, int, int, int]:
    return 1, kernel.height, kernel.width, kernel.in_channels


def _output_shape(kernel: Kernel) -> tuple[int, int, int, int]:
    return 1, *kernel.output_size, kernel.out_channels
