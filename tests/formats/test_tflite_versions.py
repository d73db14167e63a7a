"""Operator codes that old and strict readers take: written in both fields, in the version of TensorFlow's own rules."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from nas_isp.formats import tflite_file
from nas_isp.formats.tflite_graph import TfliteGraph
from nas_isp.formats.tflite_versions import complete_operator_codes
from nas_isp.latency.kernels.kernel import Kernel, convolution, elementwise, shuffle
from nas_isp.latency.measure.probe_models import single_kernel_model

OPS = schema.BuiltinOperator
TYPES = schema.TensorType
SIZE = (16, 16)
DEPTHWISE = Kernel(
    op="depthwise_conv2d", in_channels=8, out_channels=8, kernel=(3, 3), stride=(1, 1), groups=8, height=16, width=16
)


def written(model: schema.ModelT) -> dict[str, int]:
    """The version of every operator; each code must be in both fields."""
    for code in model.operatorCodes:
        assert code.deprecatedBuiltinCode == min(code.builtinCode, 127)
    return {
        tflite_file.operator_name(model, operator): model.operatorCodes[operator.opcodeIndex].version
        for operator in model.subgraphs[0].operators
    }


@pytest.mark.parametrize(
    ("kernel", "in_floats", "in_codes"),
    [
        (convolution(4, 8, 3, SIZE), {"CONV_2D": 1}, {"CONV_2D": 3}),
        (DEPTHWISE, {"DEPTHWISE_CONV_2D": 1}, {"DEPTHWISE_CONV_2D": 3}),
        (shuffle(3, 2, SIZE), {"DEPTH_TO_SPACE": 1}, {"DEPTH_TO_SPACE": 2}),
        (elementwise("add", 4, SIZE), {"ADD": 1}, {"ADD": 2}),
        (elementwise("mean", 4, SIZE), {"MEAN": 1}, {"MEAN": 2}),
    ],
)
def test_versions_are_those_of_the_types(kernel: Kernel, in_floats: dict[str, int], in_codes: dict[str, int]) -> None:
    assert written(tflite_file.parse(single_kernel_model(kernel))) == in_floats
    assert written(tflite_file.parse(single_kernel_model(kernel, "int8"))) == in_codes


def with_code(builtin: int, given: int, made: int, scales: tuple[float, ...] = (), axes: int = 4) -> schema.ModelT:
    """A model of one operator whose code is written as some tools do: in the new field alone, in version 1."""
    model = tflite_file.new_model()
    source, result = (
        tflite_file.add_tensor(model, name, kind, (2,) * axes) for name, kind in (("x", given), ("y", made))
    )
    if scales:
        model.subgraphs[0].tensors[source].quantization = tflite_file.quantization(np.array(scales))
    model.subgraphs[0].operators = [tflite_file.new_operator(model, builtin, [source], result)]
    model.operatorCodes[0].deprecatedBuiltinCode = 0
    return model


@pytest.mark.parametrize(
    ("builtin", "given", "made", "scales", "version"),
    [
        (OPS.DEQUANTIZE, TYPES.FLOAT16, TYPES.FLOAT32, (), 3),
        (OPS.DEQUANTIZE, TYPES.INT8, TYPES.FLOAT32, (0.5,), 2),
        (OPS.DEQUANTIZE, TYPES.INT8, TYPES.FLOAT32, (0.5, 0.25), 5),
        (OPS.DEQUANTIZE, TYPES.UINT8, TYPES.FLOAT32, (0.5,), 1),
        (OPS.QUANTIZE, TYPES.FLOAT32, TYPES.INT8, (), 1),
        (OPS.QUANTIZE, TYPES.INT8, TYPES.UINT8, (0.5,), 1),
        (OPS.CAST, TYPES.INT32, TYPES.FLOAT32, (), 1),
        (OPS.CAST, TYPES.FLOAT32, TYPES.INT8, (), 3),
        (OPS.CAST, TYPES.FLOAT16, TYPES.FLOAT32, (), 5),
        (OPS.TANH, TYPES.INT8, TYPES.INT8, (0.5,), 2),
    ],
)
def test_a_code_in_the_new_field_alone_gets_the_old_one_and_its_version(
    builtin: int, given: int, made: int, scales: tuple[float, ...], version: int
) -> None:
    model = with_code(builtin, given, made, scales)
    complete_operator_codes(model)
    assert [(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes] == [(builtin, builtin)]
    assert list(written(model).values()) == [version]


def test_more_axes_than_four_need_a_newer_transpose() -> None:
    for axes, version in ((4, 1), (5, 4)):
        model = with_code(OPS.TRANSPOSE, TYPES.FLOAT32, TYPES.FLOAT32, axes=axes)
        complete_operator_codes(model)
        assert written(model) == {"TRANSPOSE": version}


@pytest.mark.parametrize(("result_scale", "version"), [(0.25, 3), (0.26, 2)])
def test_a_product_with_steps_as_wide_as_its_results_needs_a_newer_mul(result_scale: float, version: int) -> None:
    graph = TfliteGraph(quantized=True)
    graph.output = graph.add(OPS.MUL, [graph.input((1, 2, 2, 1)), graph.input((1, 2, 2, 1))], (1, 2, 2, 1))
    model = tflite_file.parse(graph.serialized())
    for index, scale in enumerate((0.5, 0.5, result_scale)):
        model.subgraphs[0].tensors[index].quantization = tflite_file.quantization(np.array([scale]))
    for code in model.operatorCodes:
        code.version = 1
    complete_operator_codes(model)
    assert written(model) == {"MUL": version}


def test_codes_beyond_the_old_field_say_so_in_it() -> None:
    model = with_code(OPS.GELU, TYPES.FLOAT32, TYPES.FLOAT32)
    complete_operator_codes(model)
    assert OPS.GELU > 127
    assert (model.operatorCodes[0].builtinCode, model.operatorCodes[0].deprecatedBuiltinCode) == (OPS.GELU, 127)


def test_a_newer_version_stays_a_shared_code_is_split_and_an_unused_one_is_dropped() -> None:
    model = with_code(OPS.TANH, TYPES.FLOAT32, TYPES.FLOAT32)
    codes = [tflite_file.add_tensor(model, name, TYPES.INT8, (1,)) for name in "ab"]
    for _ in range(2):
        operator = tflite_file.new_operator(model, OPS.TANH, codes[:1], codes[1])
        operator.opcodeIndex = 0
        model.subgraphs[0].operators.append(operator)
    tflite_file.code_index(model, OPS.DEPTH_TO_SPACE, 1)
    complete_operator_codes(model)
    assert [(code.builtinCode, code.version) for code in model.operatorCodes] == [(OPS.TANH, 1), (OPS.TANH, 2)]
    assert [operator.opcodeIndex for operator in model.subgraphs[0].operators] == [0, 1, 1]
    model.operatorCodes[0].version = 7
    complete_operator_codes(model)
    assert [code.version for code in model.operatorCodes] == [7, 2]


def test_files_whose_codes_other_readers_refused_are_mended(shared_data: Path) -> None:
    for path in sorted((shared_data / "cases" / "17_tflite_operator_code").glob("*.tflite")):
        model = tflite_file.parse(path.read_bytes())
        assert any(code.builtinCode not in (0, code.deprecatedBuiltinCode) for code in model.operatorCodes)
        complete_operator_codes(model)
        versions = written(tflite_file.parse(tflite_file.serialize(model)))
        assert versions["CONV_2D"] == (3 if path.name.startswith("i8") else 1)
        assert versions.get("DEQUANTIZE", 3) == 3
