"""TFLite models of single kernels and of chains of them, for timing: random weights, float32 or 8-bit integers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from nas_isp.errors import InputError
from nas_isp.formats.tflite_graph import TfliteGraph
from nas_isp.latency.kernels.kernel import WINDOW_OPS, Kernel
from nas_isp.precision import Precision

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
ROWS, COLUMNS, CHANNELS = 1, 2, 3
"""Axes of a picture."""


def single_kernel_model(kernel: Kernel, precision: Precision = "fp32") -> bytes:
    """A TFLite model that computes this kernel and nothing else, with random weights.

    Inputs are ``(1, height, width, in_channels)`` and, for whatever adds or multiplies tensors, the other operand. A
    convolution with a window that keeps the shape adds its own input, as a residual block does.

    Args:
        kernel: what to compute.
        precision: "int8" for 8-bit integers with per-channel weights at both ends and in between; else float32.

    Raises:
        InputError: an operator or activation that this program cannot write.
    """
    return kernel_chain_model([kernel], precision)


def kernel_chain_model(kernels: Sequence[Kernel], precision: Precision = "fp32") -> bytes:
    """A model like that of one kernel, in which each kernel takes the output of the one before.

    Raises:
        InputError: an operator or activation that this program cannot write.
    """
    graph = TfliteGraph(quantized=precision == "int8")
    for kernel in kernels:
        graph.output = _write(graph, kernel)
    return graph.serialized()


def _write(graph: TfliteGraph, kernel: Kernel) -> int:
    """Append a kernel; the index of its output."""
    steps = list(kernel.steps)
    fused = steps.pop(0) if kernel.op in FUSING and steps and steps[0] in FUSED_BY_OPERATOR else None
    source = graph.input(_input_shape(kernel)) if graph.output is None else graph.output
    value = _WRITERS_OF.get(kernel.op, _refuse)(graph, kernel, source, FUSED_BY_OPERATOR.get(fused or "", 0))
    while steps:
        step = steps.pop(0)
        if step in ELEMENTWISE:
            fused = steps.pop(0) if steps and steps[0] in FUSED_BY_OPERATOR else None
            other = source if _is_residual(graph, kernel, source, value) else graph.input(graph.shape(value))
            value = _combined(graph, step, value, other, FUSED_BY_OPERATOR.get(fused or "", 0))
        elif step in SEPARATE_ACTIVATIONS:
            value = graph.add(SEPARATE_ACTIVATIONS[step], [value], graph.shape(value))
        else:
            _refuse(graph, kernel, value, 0)
    return value


def _is_residual(graph: TfliteGraph, kernel: Kernel, source: int, value: int) -> bool:
    """Whether what is added is the kernel's own input; after a 1x1 convolution it mostly comes from further back."""
    return kernel.op in WINDOW_OPS and kernel.kernel != (1, 1) and graph.shape(source) == graph.shape(value)


def _combined(graph: TfliteGraph, op: str, first: int, second: int, fused: int) -> int:
    code, options_kind, options_type = ELEMENTWISE[op]
    options = options_type()
    options.fusedActivationFunction = fused
    return graph.add(code, [first, second], graph.shape(first), options_kind, options)


def _convolution(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    options = schema.Conv2DOptionsT()
    _set_window(options, kernel, fused)
    shape = (kernel.out_channels, *kernel.kernel, kernel.in_channels // kernel.groups)
    inputs = [source, *graph.filter_and_bias(shape, 0, source)]
    kind = schema.BuiltinOptions.Conv2DOptions
    return graph.add(schema.BuiltinOperator.CONV_2D, inputs, _output_shape(kernel), kind, options)


def _depthwise(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    options = schema.DepthwiseConv2DOptionsT()
    _set_window(options, kernel, fused)
    options.depthMultiplier = kernel.out_channels // kernel.in_channels
    inputs = [source, *graph.filter_and_bias((1, *kernel.kernel, kernel.out_channels), CHANNELS, source)]
    kind = schema.BuiltinOptions.DepthwiseConv2DOptions
    return graph.add(schema.BuiltinOperator.DEPTHWISE_CONV_2D, inputs, _output_shape(kernel), kind, options)


def _fully_connected(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = fused
    inputs = [source, *graph.filter_and_bias((kernel.out_channels, kernel.in_channels), 0, source)]
    kind, shape = schema.BuiltinOptions.FullyConnectedOptions, (1, kernel.out_channels)
    return graph.add(schema.BuiltinOperator.FULLY_CONNECTED, inputs, shape, kind, options)


def _pool(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    options = schema.Pool2DOptionsT()
    _set_stride(options, kernel, fused)
    options.filterHeight, options.filterWidth = kernel.kernel
    average = kernel.op == "avg_pool"
    code = schema.BuiltinOperator.AVERAGE_POOL_2D if average else schema.BuiltinOperator.MAX_POOL_2D
    inputs = [source]
    return graph.add(code, inputs, _output_shape(kernel), schema.BuiltinOptions.Pool2DOptions, options)


def _two_tensors(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    second = graph.input((1, 1, 1, kernel.in_channels) if kernel.broadcast else _input_shape(kernel))
    return _combined(graph, kernel.op, source, second, fused)


def _concat(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    options = schema.ConcatenationOptionsT()
    options.axis, options.fusedActivationFunction = CHANNELS, fused
    rest = (1, kernel.height, kernel.width, max(kernel.out_channels - kernel.in_channels, 1))
    inputs = [source, graph.input(rest)]
    shape = (*rest[:3], kernel.in_channels + rest[3])
    kind = schema.BuiltinOptions.ConcatenationOptions
    return graph.add(schema.BuiltinOperator.CONCATENATION, inputs, shape, kind, options)


def _mean(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    """Over columns, then over rows, as export writes it."""
    columns = _reduced(graph, schema.BuiltinOperator.MEAN, source, (COLUMNS,))
    return _reduced(graph, schema.BuiltinOperator.MEAN, columns, (ROWS,))


def _reduce_max(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    return _reduced(graph, schema.BuiltinOperator.REDUCE_MAX, source, (ROWS, COLUMNS))


def _channel_mean(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    return _reduced(graph, schema.BuiltinOperator.MEAN, source, (CHANNELS,))


def _channel_max(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    return _reduced(graph, schema.BuiltinOperator.REDUCE_MAX, source, (CHANNELS,))


def _reduced(graph: TfliteGraph, code: int, value: int, axes: tuple[int, ...]) -> int:
    options = schema.ReducerOptionsT()
    options.keepDims = True
    shape = tuple(1 if axis in axes else side for axis, side in enumerate(graph.shape(value)))
    inputs = [value, graph.constant(np.array(axes, dtype=np.int32))]
    return graph.add(code, inputs, shape, schema.BuiltinOptions.ReducerOptions, options)


def _depth_to_space(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = kernel.kernel[0]
    inputs, kind = [source], schema.BuiltinOptions.DepthToSpaceOptions
    return graph.add(schema.BuiltinOperator.DEPTH_TO_SPACE, inputs, _output_shape(kernel), kind, options)


def _resize_bilinear(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    options = schema.ResizeBilinearOptionsT()
    options.halfPixelCenters = True
    size = graph.constant(np.array(kernel.output_size, dtype=np.int32))
    inputs, kind = [source, size], schema.BuiltinOptions.ResizeBilinearOptions
    return graph.add(schema.BuiltinOperator.RESIZE_BILINEAR, inputs, _output_shape(kernel), kind, options)


def _refuse(graph: TfliteGraph, kernel: Kernel, source: int, fused: int) -> int:
    raise InputError(
        f"kernel '{kernel.label()}' cannot be written as a model to be timed: known are {', '.join(_WRITERS_OF)} "
        f"with the activations {', '.join([*SEPARATE_ACTIVATIONS, *ELEMENTWISE])}; a table estimates it from others"
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
    "mean": _mean,
    "reduce_max": _reduce_max,
    "channel_mean": _channel_mean,
    "channel_max": _channel_max,
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


def _input_shape(kernel: Kernel) -> tuple[int, ...]:
    if kernel.op == "fully_connected":
        return 1, kernel.in_channels
    return 1, kernel.height, kernel.width, kernel.in_channels


def _output_shape(kernel: Kernel) -> tuple[int, int, int, int]:
    return 1, *kernel.output_size, kernel.out_channels
