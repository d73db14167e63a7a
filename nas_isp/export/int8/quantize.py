"""A float TFLite network as one of 8-bit integers: weights per channel, activations per tensor."""

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from nas_isp.errors import InputError
from nas_isp.export.int8.bias_correction import with_corrected_bias
from nas_isp.export.int8.bias_rescale import hold_large_biases
from nas_isp.export.int8.calibrate import Ranges, observe_ranges
from nas_isp.export.int8.gptq import with_fitted_tail
from nas_isp.formats import tflite_file
from nas_isp.quiet import quiet_converters, without_info_lines
from nas_isp.runtimes.base import Floats

MOVING = frozenset({"DEPTH_TO_SPACE", "REDUCE_MAX"})
"""Operators whose output values are values of their input: they need no numbers of their own in 8 bits."""

JOINING = frozenset({"CONCATENATION"})
"""Operators whose inputs must have one scale and zero point."""

INT8_VERSION = 2
"""Version from which those operators take int8."""


def quantize_tflite(content: bytes, pictures: Sequence[Floats], observed: bytes | None = None) -> bytes:
    """The int8 form of a float32 TFLite network, input and output included.

    Weights are symmetric per output channel, activations have one scale and zero point a tensor (TFLite's 8-bit
    specification). The output's codes are the levels of an 8-bit picture less 128. The weights and
    biases of the last convolution are fitted to the pictures, except with `observed`.

    Args:
        content: the float network.
        pictures: packed `(4, h, w)`; the ranges of all values are observed on them.
        observed: the same network written for another size, to observe instead of `content`, where that one cannot
            be resized to the pictures.

    Raises:
        InputError: the network does not take the pictures, or is made of operators that have no 8-bit form.
    """
    quantized = quantize_with(content, observe_ranges(observed or content, pictures))
    if observed:
        return quantized
    return with_corrected_bias(content, with_fitted_tail(content, quantized, pictures), pictures)


def quantize_with(content: bytes, ranges: Ranges) -> bytes:
    """The int8 form of a float32 TFLite network whose values' ranges are known.

    Raises:
        InputError: the network is made of operators that have no 8-bit form.
    """
    calibration = {
        name: {"min": np.array([[[[low]]]], np.float32), "max": np.array([[[[high]]]], np.float32)}
        for name, (low, high) in ranges.items()
    }
    with quiet_converters(), without_info_lines():
        from ai_edge_quantizer import quantizer, recipe

        tool = quantizer.Quantizer(bytearray(_with_signatures(content)), recipe.static_wi8_ai8())
        try:
            result = tool.quantize(calibration, enable_progress_bar=False, enable_progress_report=False)
        except ValueError as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"int8: this network has no 8-bit form ({reason}); give fp16", "precision") from error
    graph = tflite_file.parse(bytes(result.quantized_model or b""))
    fold_moves(graph)
    hold_large_biases(graph, tflite_file.parse(content))
    return tflite_file.serialize(graph)


def fold_moves(graph: schema.ModelT) -> None:
    """Let operators that only move values work on the 8-bit codes themselves.

    The quantizer leaves them in float, between a DEQUANTIZE and a QUANTIZE. The codes of their result get the
    scale and zero point of their input, so nothing is rounded. Where the result is joined with others, which all have
    one scale, the QUANTIZE stays and brings the codes to that.
    """
    subgraph = graph.subgraphs[0]
    tensors, operators = subgraph.tensors, subgraph.operators
    maker = {int(index): operator for operator in operators for index in operator.outputs}
    users = {index: [operator for operator in operators if index in operator.inputs] for index in range(len(tensors))}
    dropped: set[int] = set()
    for operator in operators:
        before, after = maker.get(int(operator.inputs[0])), users[int(operator.outputs[0])]
        names = [tflite_file.operator_name(graph, one) for one in (before, operator, *after) if one is not None]
        if len(names) != 3 or names[1] not in MOVING or names[0] != "DEQUANTIZE" or names[2] != "QUANTIZE":
            continue
        assert before is not None
        moved, result = int(operator.outputs[0]), int(after[0].outputs[0])
        if any(tflite_file.operator_name(graph, user) in JOINING for user in users[result]):
            tensors[moved].type = schema.TensorType.INT8
            tensors[moved].quantization = schema.QuantizationParametersT()
        else:
            operator.outputs, moved = after[0].outputs, result
            dropped.add(id(after[0]))
        numbers, known = tensors[moved].quantization, tensors[before.inputs[0]].quantization
        numbers.scale, numbers.zeroPoint = known.scale, known.zeroPoint
        operator.inputs = np.array([before.inputs[0], *operator.inputs[1:]], np.int32)
        operator.opcodeIndex = tflite_file.operator_code(graph, operator, INT8_VERSION)
        if len(users[int(before.outputs[0])]) == 1:
            dropped.add(id(before))
    subgraph.operators = [operator for operator in operators if id(operator) not in dropped]


def _with_signatures(content: bytes) -> bytes:
    """The file with a list of signatures, if an empty one; the quantizer goes through it."""
    graph = tflite_file.parse(content)
    if graph.signatureDefs is not None:
        return content
    graph.signatureDefs = []
    return tflite_file.serialize(graph)
