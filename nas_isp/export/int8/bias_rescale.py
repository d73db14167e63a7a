"""The biases of an 8-bit network, where they are too large for the 32 bits that the quantizer gives them.

A bias counts in steps of its channel's weight scale times its input's scale. A channel whose weights are all 0, or
nearly, gets so small a scale that its bias ends at the limit of 32 bits, and the channel is wrong everywhere.
"""

from collections.abc import Iterator

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from nas_isp.export.tflite.integer_io import CONVOLUTIONS
from nas_isp.formats import tflite_file

LARGEST_BIAS = 2.0**24
"""In steps. The result has 8 bits of it, so finer weights beside it would change nothing."""


def hold_large_biases(graph: schema.ModelT, exact: schema.ModelT) -> None:
    """Give channels with a large bias and small weights a coarser scale, in place.

    Args:
        graph: the quantized network.
        exact: the float network it was made of.
    """
    for weights in dict.fromkeys(int(operator.inputs[1]) for operator in _convolutions(graph)):
        pairs = [
            (operator, tflite_file.constant(exact, int(original.inputs[2]), np.float32).astype(np.float64))
            for operator, original in zip(_convolutions(graph), _convolutions(exact), strict=True)
            if int(operator.inputs[1]) == weights
        ]
        filters = graph.subgraphs[0].tensors[weights]
        before = np.asarray(filters.quantization.scale, np.float64)
        needed = [np.abs(bias) / (LARGEST_BIAS * _input_scale(graph, operator)) for operator, bias in pairs]
        after = np.maximum(before, np.max(needed, axis=0))
        if (after == before).all():
            continue
        codes = tflite_file.constant(graph, weights, np.int8) * _along_channels(before / after, filters)
        _store(graph, weights, np.rint(codes).astype(np.int8), after)
        for operator, bias in pairs:
            steps = after * _input_scale(graph, operator)
            _store(graph, int(operator.inputs[2]), np.rint(bias / steps).astype(np.int32), steps)


def _convolutions(graph: schema.ModelT) -> Iterator[schema.OperatorT]:
    """The convolutions with a bias, in their order."""
    for operator in graph.subgraphs[0].operators:
        if tflite_file.operator_name(graph, operator) in CONVOLUTIONS and len(operator.inputs) > 2:
            yield operator


def _input_scale(graph: schema.ModelT, operator: schema.OperatorT) -> float:
    return float(graph.subgraphs[0].tensors[operator.inputs[0]].quantization.scale[0])


def _along_channels(values: NDArray[np.float64], filters: schema.TensorT) -> NDArray[np.float64]:
    """One value a channel, in a shape that multiplies the filters."""
    shape = np.ones(len(filters.shape), int)
    shape[filters.quantization.quantizedDimension] = -1
    return values.reshape(shape)


def _store(graph: schema.ModelT, index: int, codes: NDArray[np.int8] | NDArray[np.int32], scale: object) -> None:
    graph.subgraphs[0].tensors[index].quantization.scale = np.asarray(scale, np.float32)
    tflite_file.set_constant(graph, index, codes)
