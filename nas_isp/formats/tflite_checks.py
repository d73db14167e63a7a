"""Refuses a TFLite file whose 8-bit codes mean nothing: LiteRT ends the process on some of them instead of refusing."""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from nas_isp.errors import InputError
from nas_isp.formats import tflite_file

ZERO_POINTS = {
    schema.TensorType.INT8: (-128, 127),
    schema.TensorType.UINT8: (0, 255),
    schema.TensorType.INT32: (0, 0),
}
"""Of codes by type; 32 bits are those of biases."""

LEAST_SCALE, MOST_SCALE = 2.0**-60, 2.0**20
"""A bias has the product of two scales, and a dead channel a small one."""

FINEST_SUM = 2.0**19
"""How many times finer than its inputs a sum may be for LiteRT's fixed-point arithmetic, which aborts beyond."""


def refuse_meaningless_codes(model: schema.ModelT, path: Path) -> None:
    """Check the scales and zero points of every tensor of codes.

    Raises:
        InputError: one that no quantizer gives, or none for 8-bit codes.
    """
    try:
        meaningful = all(_has_meaning(tensor) for graph in model.subgraphs for tensor in graph.tensors)
        computable = all(
            _is_computable(graph, operator)
            for graph in model.subgraphs
            for operator in graph.operators
            if tflite_file.operator_name(model, operator) in ("ADD", "SUB")
        )
    except (IndexError, TypeError) as error:
        raise InputError(f"{path}: an operator is damaged; export it again") from error
    if not meaningful:
        raise InputError(f"{path}: holds 8-bit codes without a usable scale and zero point; export it again")
    if not computable:
        raise InputError(f"{path}: holds a sum of 8-bit codes that is too fine for its inputs; export it again")


def _has_meaning(tensor: schema.TensorT) -> bool:
    limits, scales = ZERO_POINTS.get(tensor.type), _scales(tensor)
    if limits is None:
        return True
    if not len(scales):
        return bool(tensor.type == schema.TensorType.INT32)
    zeros = np.asarray(() if tensor.quantization.zeroPoint is None else tensor.quantization.zeroPoint)
    in_range = len(zeros) == len(scales) and zeros.min() >= limits[0] and zeros.max() <= limits[1]
    return bool(in_range and (scales >= LEAST_SCALE).all() and (scales <= MOST_SCALE).all())


def _is_computable(graph: schema.SubGraphT, operator: schema.OperatorT) -> bool:
    given = [scale for index in operator.inputs for scale in _scales(graph.tensors[index])]
    result = [scale for index in operator.outputs for scale in _scales(graph.tensors[index])]
    return not given or not result or bool(max(given) < FINEST_SUM * min(result))


def _scales(tensor: schema.TensorT) -> Any:
    numbers = tensor.quantization
    return np.asarray(() if numbers is None or numbers.scale is None else numbers.scale, np.float64)
