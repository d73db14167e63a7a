"""A model file of a stranger takes no memory for what it claims, opens no other file and fails in one line."""

import math
from pathlib import Path

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from nas_isp.errors import InputError
from nas_isp.formats import onnx_file, tflite_file
from nas_isp.formats.tflite_checks import refuse_meaningless_codes
from nas_isp.latency.kernels.from_tflite import kernels_of_tflite
from nas_isp.latency.kernels.kernel import convolution, elementwise
from nas_isp.latency.measure.probe_models import single_kernel_model
from nas_isp.runtimes.base import checked_picture

FILE = Path("model")


def onnx_model(weights: onnx.TensorProto, as_constant: bool) -> onnx.ModelProto:
    """An addition of weights, which are an initializer or a node's value."""
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])]
    if as_constant:
        nodes.insert(0, helper.make_node("Constant", [], ["w"], value=weights))
    inputs, outputs = ([helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])] for name in "xy")
    return helper.make_model(helper.make_graph(nodes, "g", inputs, outputs, [] if as_constant else [weights]))


@pytest.mark.parametrize("as_constant", [False, True])
def test_onnx_weights_in_another_file_are_refused(as_constant: bool) -> None:
    weights = numpy_helper.from_array(np.zeros(2, np.float32), "w")
    onnx_file.parse(onnx_model(weights, as_constant).SerializeToString(), FILE)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "../secret"
    with pytest.raises(InputError, match="model: keeps weights in other files"):
        onnx_file.parse(onnx_model(weights, as_constant).SerializeToString(), FILE)


def test_a_tflite_tensor_that_claims_gigabytes_is_refused() -> None:
    model = tflite_file.parse(single_kernel_model(convolution(4, 8, 3, (16, 16))), FILE)
    model.subgraphs[0].tensors[-1].shape = [1, 16, 16, 20_000_000]
    with pytest.raises(InputError, match="model: claims tensors of up to 5120000000 values"):
        tflite_file.parse(tflite_file.serialize(model), FILE)


@pytest.mark.parametrize("inputs", [[], [0], [99, 1, 2], [0, 2, 1]])
def test_a_tflite_operator_with_other_inputs_than_its_kind_has_is_no_kernel(inputs: list[int]) -> None:
    model = tflite_file.parse(single_kernel_model(convolution(4, 8, 3, (16, 16))), FILE)
    model.subgraphs[0].operators[0].inputs = inputs
    with pytest.raises(InputError, match="model: an operator is damaged"):
        kernels_of_tflite(tflite_file.serialize(model), FILE)


@pytest.mark.parametrize("rgb", [np.zeros((3, 8, 8), np.float32), np.zeros((3, 16, 16)), np.float32(1)])
def test_what_is_no_picture_of_the_input_s_size_is_refused(rgb: np.ndarray) -> None:
    with pytest.raises(InputError, match="m: gives float"):
        checked_picture(rgb, np.zeros((4, 8, 8), np.float32), "m")


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf, 1e-30, 1e30])
def test_codes_whose_scale_means_nothing_are_refused(scale: float) -> None:
    model = int8_sum()
    refuse_meaningless_codes(model, FILE)
    model.subgraphs[0].tensors[0].quantization.scale = np.array([scale], np.float32)
    with pytest.raises(InputError, match="model: holds 8-bit codes without a usable scale"):
        refuse_meaningless_codes(model, FILE)


@pytest.mark.parametrize("change", [{"zeroPoint": np.array([128])}, {"zeroPoint": None}, {"scale": None}])
def test_codes_without_scale_or_with_a_zero_point_out_of_range_are_refused(change: dict[str, object]) -> None:
    model = int8_sum()
    vars(model.subgraphs[0].tensors[0].quantization).update(change)
    with pytest.raises(InputError, match="model: holds 8-bit codes without a usable scale"):
        refuse_meaningless_codes(model, FILE)


def test_a_sum_that_litert_would_abort_on_is_refused() -> None:
    model = int8_sum()
    result = model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]].quantization
    for scale, fits in ((2.0**-23, True), (2.0**-24, False)):  # of values in steps of 1/32 = 2 ** -5
        result.scale = np.array([scale], np.float32)
        if fits:
            refuse_meaningless_codes(model, FILE)
            continue
        with pytest.raises(InputError, match="model: holds a sum of 8-bit codes that is too fine"):
            refuse_meaningless_codes(model, FILE)


def int8_sum() -> schema.ModelT:
    return tflite_file.parse(single_kernel_model(elementwise("add", 4, (16, 16)), "int8"))


@pytest.mark.parametrize("inputs", [None, []])
def test_a_damaged_mean_of_a_color_head_is_refused(inputs: list[int] | None) -> None:
    model = tflite_file.parse(single_kernel_model(elementwise("mean", 8, (16, 16))), FILE)
    model.subgraphs[0].operators[0].inputs = inputs
    with pytest.raises(InputError, match="model: its color head is damaged"):
        tflite_file.split_at_mean(tflite_file.serialize(model), FILE)
    model.subgraphs[0].operators = []
    with pytest.raises(InputError, match="model: says it has a color head"):
        tflite_file.split_at_mean(tflite_file.serialize(model), FILE)
