"""Whole models to develop with, bundles and exported files of every form, and running them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from nas_isp.develop.pipeline import develop_packed
from nas_isp.export.onnx import integer_io as onnx_io
from nas_isp.export.tflite import integer_io as tflite_io
from nas_isp.formats import onnx_file, tflite_file
from nas_isp.formats.record import ExportRecord
from nas_isp.formats.tflite_graph import TfliteGraph
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import assemble
from nas_isp.generators.bundle import Bundle, BundleRecord, save_bundle
from nas_isp.latency.kernels.from_tflite import kernels_of_tflite
from nas_isp.raw.sensor import SensorDescription
from nas_isp.runtimes.load import open_runner

SENSOR = SensorDescription(name="test", cfa="RGGB", bits=10, black=64, white=1023)
LEVELS: tuple[tuple[float, float, float, float], float] = (64, 64, 64, 64), 1023
SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=4),))
SMALL_WITH_HEAD = SMALL.model_copy(update={"color_head": True})
SIDE = 8
"""Packed rows and columns of a model's input."""

OPS, OPTIONS = schema.BuiltinOperator, schema.BuiltinOptions
ROWS, COLUMNS = 1, 2


def make_bundle(folder: Path) -> None:
    weights = assemble(SMALL_WITH_HEAD).state_dict()
    save_bundle(folder / "a.safetensors", Bundle(BundleRecord(architecture=SMALL_WITH_HEAD, sensor=SENSOR), weights))


def run_model(folder: Path) -> None:
    """As `export` does when it compares, and as `develop` and `evaluate` do; at the model's size and at another."""
    runner = open_runner(next(folder.iterdir()), threads=1)
    for side in (SIDE, 2 * SIDE):
        packed = np.random.default_rng(0).random((4, side, side), dtype=np.float32)
        rgb = runner.run(packed)
        assert rgb.shape == (3, 2 * side, 2 * side)
        assert rgb.dtype == np.float32
        picture = develop_packed(runner, packed)
        assert picture.shape == (2 * side, 2 * side, 3)
        assert picture.dtype == np.uint8


def record(layout: str, has_head: bool = False, **changes: object) -> str:
    """What an exported file says about itself."""
    facts: dict[str, Any] = {
        "architecture": SMALL_WITH_HEAD if has_head else SMALL,
        "sensor": SENSOR,
        "precision": "fp32",
        "layout": layout,
        "packed_height": SIDE,
        "packed_width": SIDE,
        "halo": 2,
        "step": 1,
        "global_head": has_head,
        "whole_picture": False,
    }
    return ExportRecord.model_validate(facts | changes).model_dump_json()


def make_tflite(folder: Path) -> None:
    _save_tflite(folder, tflite_model(), record("NHWC"))


def make_tflite_with_head(folder: Path) -> None:
    """Its weights are of half precision."""
    model = tflite_model(has_head=True)
    _halve_weights(model)
    _save_tflite(folder, model, record("NHWC", True, precision="fp16"))


def make_tflite_int8(folder: Path) -> None:
    model = tflite_model(has_head=True, quantized=True)
    _save_tflite(folder, model, record("NHWC", True, precision="int8"))


def make_tflite_with_integer_ends(folder: Path) -> None:
    model = tflite_model(has_head=True, quantized=True)
    tflite_io.take_sensor_values(model, *LEVELS)
    tflite_io.give_pixels(model)
    _save_tflite(folder, model, _record_of_integer_ends("NHWC", "int8"))


def _record_of_integer_ends(layout: str, precision: str) -> str:
    ends = {"input": "raw", "output": "uint8", "input_black": LEVELS[0], "input_white": LEVELS[1]}
    return record(layout, True, precision=precision, **ends)


def _save_tflite(folder: Path, model: schema.ModelT, text: str) -> None:
    tflite_file.add_record(model, text)
    (folder / "a.tflite").write_bytes(tflite_file.serialize(model))


def tflite_model(has_head: bool = False, quantized: bool = False) -> schema.ModelT:
    """Two convolutions, with the mean of features of the picture added in between if wanted, and depth to space."""
    graph = TfliteGraph(quantized)
    picture = graph.input((1, SIDE, SIDE, 4))
    hidden = _convolved(graph, picture, 4, 3)
    if has_head:
        mean = _mean(graph, _mean(graph, _convolved(graph, picture, 4, 1), COLUMNS), ROWS)
        hidden = graph.add(OPS.ADD, [hidden, mean], graph.shape(hidden), OPTIONS.AddOptions, schema.AddOptionsT())
    shuffle = schema.DepthToSpaceOptionsT()
    shuffle.blockSize = 2
    planes, shape = _convolved(graph, hidden, 12, 3), (1, 2 * SIDE, 2 * SIDE, 3)
    graph.output = graph.add(OPS.DEPTH_TO_SPACE, [planes], shape, OPTIONS.DepthToSpaceOptions, shuffle)
    return tflite_file.parse(graph.serialized())


def _convolved(graph: TfliteGraph, value: int, channels: int, side: int) -> int:
    options = schema.Conv2DOptionsT()
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.padding, options.fusedActivationFunction = schema.Padding.SAME, schema.ActivationFunctionType.RELU
    inputs = [value, *graph.filter_and_bias((channels, side, side, graph.shape(value)[-1]), 0, value)]
    return graph.add(OPS.CONV_2D, inputs, (*graph.shape(value)[:3], channels), OPTIONS.Conv2DOptions, options)


def _mean(graph: TfliteGraph, value: int, axis: int) -> int:
    options = schema.ReducerOptionsT()
    options.keepDims = True
    shape = tuple(1 if index == axis else side for index, side in enumerate(graph.shape(value)))
    return graph.add(OPS.MEAN, [value, graph.constant(np.int32([axis]))], shape, OPTIONS.ReducerOptions, options)


def _halve_weights(model: schema.ModelT) -> None:
    """Store the weights of convolutions in half precision, and bring them back before."""
    graph, steps = model.subgraphs[0], []
    for operator in graph.operators:
        if tflite_file.operator_name(model, operator) != "CONV_2D":
            continue
        full = graph.tensors[operator.inputs[1]]
        numbers = np.frombuffer(bytes(bytearray(model.buffers[full.buffer].data)), np.float32).reshape(full.shape)
        half = tflite_file.add_constant(model, f"half of {operator.inputs[1]}", numbers.astype(np.float16))
        full.buffer = 0
        step = schema.OperatorT()
        step.opcodeIndex = tflite_file.code_index(model, OPS.DEQUANTIZE, 3)
        step.inputs, step.outputs = np.int32([half]), np.int32([operator.inputs[1]])
        steps.append(step)
    graph.operators = [*steps, *graph.operators]


def kernels(folder: Path) -> None:
    """As `latency validate` does with a folder of networks."""
    path = folder / "a.tflite"
    assert all(kernel.op for kernel in kernels_of_tflite(path.read_bytes(), path))


def make_onnx(folder: Path) -> None:
    _save_onnx(folder, onnx_model(), record("NCHW"))


def make_onnx_with_head(folder: Path) -> None:
    _save_onnx(folder, onnx_model(has_head=True), record("NCHW", True))


def make_onnx_with_integer_ends(folder: Path) -> None:
    """Its weights are of half precision."""
    model = onnx_model(has_head=True)
    onnx_file.halve_weights(model)
    onnx_io.take_sensor_values(model, *LEVELS)
    onnx_io.give_pixels(model)
    _save_onnx(folder, model, _record_of_integer_ends("NCHW", "fp16"))


def _save_onnx(folder: Path, model: onnx.ModelProto, text: str) -> None:
    onnx_file.add_record(model, text)
    (folder / "a.onnx").write_bytes(model.SerializeToString())


def onnx_model(has_head: bool = False) -> onnx.ModelProto:
    """Two convolutions, with the mean over the picture added in between if wanted, and depth to space."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.random(shape, dtype=np.float32) / 36, name)
        for name, shape in (("first", (8, 4, 3, 3)), ("second", (12, 8, 3, 3)))
    ]
    nodes = [
        helper.make_node("Conv", ["packed", "first"], ["hidden"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["shifted" if has_head else "hidden", "second"], ["planes"], pads=[1, 1, 1, 1]),
        helper.make_node("DepthToSpace", ["planes"], ["rgb"], blocksize=2, mode="CRD"),
    ]
    if has_head:
        weights.append(numpy_helper.from_array(np.array([2, 3]), "axes"))
        nodes.insert(1, helper.make_node("ReduceMean", ["hidden", "axes"], ["mean"], keepdims=1))
        nodes.insert(2, helper.make_node("Add", ["hidden", "mean"], ["shifted"]))
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("packed", TensorProto.FLOAT, [1, 4, SIDE, SIDE])],
        [helper.make_tensor_value_info("rgb", TensorProto.FLOAT, [1, 3, 2 * SIDE, 2 * SIDE])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
