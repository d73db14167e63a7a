"""Operator codes of a TFLite file as every reader expects them: written in both fields, in the version that is needed.

A code below 127 is written twice, for readers from before and after the field that takes larger ones; where a tool
leaves the old field at 0, its operator is an ADD to some of them. The versions are those of `GetBuiltinOperatorVersion`
in tensorflow/lite/tools/versioning/op_version.cc, TensorFlow commit 0208740, for the types that this package writes:
float32, float16 that becomes float32, 8-bit codes, and 32-bit integers at the ends.
"""

import math
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from nas_isp.formats import tflite_file

TYPES = schema.TensorType
OPS = schema.BuiltinOperator

OF_CODES = {
    **dict.fromkeys(
        (
            *(OPS.ADD, OPS.SUB, OPS.MUL, OPS.MEAN, OPS.REDUCE_MAX, OPS.REDUCE_MIN, OPS.SUM, OPS.MAXIMUM, OPS.MINIMUM),
            *(OPS.TANH, OPS.LOGISTIC, OPS.RELU, OPS.RELU6, OPS.SOFTMAX, OPS.CONCATENATION, OPS.PAD, OPS.PADV2),
            *(OPS.DEPTH_TO_SPACE, OPS.SPACE_TO_DEPTH, OPS.AVERAGE_POOL_2D, OPS.MAX_POOL_2D, OPS.RESIZE_BILINEAR),
            *(OPS.RESIZE_NEAREST_NEIGHBOR, OPS.TRANSPOSE, OPS.SLICE, OPS.STRIDED_SLICE, OPS.DEQUANTIZE),
        ),
        2,
    ),
    **dict.fromkeys((OPS.CONV_2D, OPS.DEPTHWISE_CONV_2D, OPS.CAST), 3),
    OPS.FULLY_CONNECTED: 4,
}
"""Versions from which operators take 8-bit codes."""

OF_HALF = {OPS.DEQUANTIZE: 3, OPS.CAST: 5}
"""Versions from which operators take float16."""

OF_MANY_AXES = {OPS.PAD: 4, OPS.PADV2: 4, OPS.TRANSPOSE: 4, OPS.SLICE: 5, OPS.STRIDED_SLICE: 4}
"""Versions from which operators take more than `MOST_AXES` axes."""

MOST_AXES = 4

PER_CHANNEL = {OPS.DEQUANTIZE: 5, OPS.QUANTIZE: 3}
"""Versions from which conversions take codes with a scale for each channel."""


def complete_operator_codes(model: schema.ModelT) -> None:
    """Write every operator's code in both fields, in the version that its types need, but never in an older one.

    Codes that no operator uses are left out; the others keep their order.
    """
    users = [(operator, graph) for graph in model.subgraphs for operator in graph.operators]
    used = [
        (
            int(operator.opcodeIndex),
            max(model.operatorCodes[operator.opcodeIndex].version, needed_version(model, graph, operator)),
        )
        for operator, graph in users
    ]
    kept = sorted(set(used))
    for (operator, _), code in zip(users, used, strict=True):
        operator.opcodeIndex = kept.index(code)
    model.operatorCodes = [_complete(model.operatorCodes[index], version) for index, version in kept]


def needed_version(model: schema.ModelT, graph: schema.SubGraphT, operator: schema.OperatorT) -> int:
    """The least version of an operator that has its types, axes and options."""
    code = tflite_file.builtin_code(model.operatorCodes[operator.opcodeIndex])
    tensors = [graph.tensors[index] for index in operator.inputs if index >= 0]
    result = graph.tensors[operator.outputs[0]]
    kinds = {tensor.type for tensor in (tensors[0], result)}
    needed = [1, _of_options(code, operator, len(operator.inputs))]
    if TYPES.INT8 in ((tensors[0].type,) if code != OPS.CAST else kinds):
        needed.append(OF_CODES.get(code, 1))
    if TYPES.FLOAT16 in kinds:
        needed.append(OF_HALF.get(code, 1))
    if len(tensors[0].shape) > MOST_AXES:
        needed.append(OF_MANY_AXES.get(code, 1))
    if max(len(_scales(tensors[0])), len(_scales(result))) > 1:
        needed.append(PER_CHANNEL.get(code, 1))
    if code == OPS.MUL and _is_coarse_product(tensors, result):
        needed.append(3)
    return max(needed)


def _of_options(code: int, operator: schema.OperatorT, inputs: int) -> int:
    """The version from which an operator has its options."""
    options: Any = operator.builtinOptions
    if code == OPS.FULLY_CONNECTED:
        return 6 if inputs < 3 else 5 if options.keepNumDims else 1
    if code == OPS.RESIZE_BILINEAR and options.halfPixelCenters:
        return 3
    if code == OPS.RESIZE_NEAREST_NEIGHBOR and (options.halfPixelCenters or options.alignCorners):
        return 3
    return 1


def _is_coarse_product(tensors: list[schema.TensorT], result: schema.TensorT) -> bool:
    """Whether a product of codes has steps as wide as its result's, or wider."""
    scales = [_scales(tensor) for tensor in (*tensors, result)]
    return all(len(one) for one in scales) and bool(math.prod(one[0] for one in scales[:-1]) >= scales[-1][0])


def _complete(known: schema.OperatorCodeT, version: int) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    vars(code).update(vars(known))
    tflite_file.set_builtin_code(code, tflite_file.builtin_code(known))
    code.version = version
    return code


def _scales(tensor: schema.TensorT) -> Any:
    numbers = tensor.quantization
    return np.asarray(() if numbers is None or numbers.scale is None else numbers.scale, np.float64)
