"""Networks in files that no random damage would give: lying records, weights in other files, graphs that are none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from nas_isp.formats import onnx_file, tflite_file
from tests.hostile.hostile_parts import Contents

ODD_CODES: tuple[tuple[list[float], list[int]], ...] = (
    *(([scale], [0]) for scale in (0.0, float("nan"), float("inf"), -1.0, 2.0**-60, 2.0**20, 1e-9, 1e3)),
    *(([1e38], [2**40]), ([1e-45], [-(2**62)]), ([], []), ([1.0], []), ([1.0], [300]), ([1.0] * 3, [0] * 3)),
)
"""Scales and zero points of 8-bit codes, some of which mean something."""


def tflites(folder: Path) -> Contents:
    """Lying records, codes of 8 bits that mean nothing, and operators that miss something, in files that are whole."""
    content = (folder / "a.tflite").read_bytes()
    for text in _records(tflite_file.find_record(tflite_file.parse(content))):
        model = tflite_file.parse(content)
        model.metadata = []
        tflite_file.add_record(model, text)
        yield "a.tflite", tflite_file.serialize(model)
    coded = [index for index, tensor in enumerate(tflite_file.parse(content).subgraphs[0].tensors) if _scale(tensor)]
    for index in coded:
        for scale, zero in (
            ([0], [0]),
            ([np.nan], [0]),
            ([-1], [0]),
            ([1e38], [2**40]),
            ([1e-45], [-(2**62)]),
            ([], []),
        ):
            model = tflite_file.parse(content)
            numbers = model.subgraphs[0].tensors[index].quantization
            numbers.scale, numbers.zeroPoint = np.array(scale, np.float32), np.array(zero, np.int64)
            yield "a.tflite", tflite_file.serialize(model)
        model = tflite_file.parse(content)
        model.subgraphs[0].tensors[index].quantization = None
        yield "a.tflite", tflite_file.serialize(model)
    for index in range(len(tflite_file.parse(content).subgraphs[0].operators)):
        for change in ({"inputs": [99]}, {"inputs": []}, {"inputs": None}, {"outputs": None}, {"opcodeIndex": 99}):
            model = tflite_file.parse(content)
            vars(model.subgraphs[0].operators[index]).update(change)
            yield "a.tflite", tflite_file.serialize(model)


def _scale(tensor: Any) -> bool:
    return tensor.quantization is not None and tensor.quantization.scale is not None


def _records(text: str | None) -> list[str]:
    record = json.loads(text or "")
    changes: list[dict[str, Any]] = [
        *({"halo": value} for value in (0, 10**9, 10**400, -1)),
        *({"step": value} for value in (2, 3, 10**9)),
        *({"packed_height": value} for value in (None, 4, 2**31, 10**12)),
        *({"global_head": not record["global_head"]}, {"whole_picture": True}, {"border": "zeros"}, {"layout": "x"}),
        *({"precision": "x"}, {"precision": "int8"}, {"input": "normalised"}, {"output": "float"}, {"output": "x"}),
        *({"input": "raw", "input_black": [64] * 4, "input_white": value} for value in (None, 0, 64, 1e300, -1)),
        *({"input": "raw", "input_black": value, "input_white": 1023} for value in (None, [64], [1e300] * 4, [-1] * 4)),
    ]
    return [*(json.dumps(record | change) for change in changes), "9" * 5000, "[" * 100_000, "null", "[]"]


def onnxs(folder: Path) -> Contents:
    """Lying records, weights in other files, and graphs that are no graphs."""
    content = (folder / "a.onnx").read_bytes()
    for text in _records(onnx_file.find_record(onnx_file.parse(content))):
        model = onnx_file.parse(content)
        model.metadata_props[0].value = text
        yield "a.onnx", model.SerializeToString()
    (folder / "weights.bin").write_bytes(bytes(8 * 4 * 9 * 4))
    try:
        for location in ("weights.bin", "../weights.bin", "../../secret", "/etc/passwd", "secret", "/dev/zero"):
            model = onnx_file.parse(content)
            _outside(model.graph.initializer[0], location)
            yield "a.onnx", model.SerializeToString()
        model = onnx_file.parse(content)
        hidden = model.graph.initializer[0]
        _outside(hidden, "secret")
        model.graph.node.insert(0, helper.make_node("Constant", [], [hidden.name], value=hidden))
        del model.graph.initializer[0]
        yield "a.onnx", model.SerializeToString()
    finally:
        (folder / "weights.bin").unlink()
    for change in ("domain", "opset", "loop", "input", "giant", "element"):
        yield "a.onnx", _broken(onnx_file.parse(content), change).SerializeToString()


def _outside(tensor: onnx.TensorProto, location: str) -> None:
    """Make a tensor say that its values are in another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(8 * 4 * 9 * 4))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def _broken(model: onnx.ModelProto, change: str) -> onnx.ModelProto:
    first = model.graph.node[0]
    if change == "domain":
        first.domain = "somewhere"
    elif change == "opset":
        model.opset_import[0].version = 2**62
    elif change == "loop":
        first.input[0] = "planes"
    elif change == "input":
        model.graph.input[0].name = "other"
    elif change == "giant":
        model.graph.initializer[0].dims[:] = [2**31, 2**31, 3, 3]
    else:
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    return model
