"""What the table says of XNNPACK is what XNNPACK does here; what it says of the others reads as their sources do."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from nas_isp.export.int8.calibrate import observe_ranges
from nas_isp.export.int8.quantize import quantize_with
from nas_isp.export.tflite import integer_io
from nas_isp.export.tflite.delegate_support import ACCELERATORS, left_to_cpu
from nas_isp.formats import tflite_file
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.probe_models import single_kernel_model

KERNELS = {
    "CONV_2D": {"op": "conv2d", "in_channels": 4, "out_channels": 6, "kernel": 3},
    "DEPTHWISE_CONV_2D": {"op": "depthwise_conv2d", "in_channels": 4, "out_channels": 4, "kernel": 3},
    "ADD": {"op": "add", "in_channels": 4, "out_channels": 4},
    "SUB": {"op": "sub", "in_channels": 4, "out_channels": 4},
    "MUL": {"op": "mul", "in_channels": 4, "out_channels": 4},
    "MEAN": {"op": "mean", "in_channels": 4, "out_channels": 4},
    "DEPTH_TO_SPACE": {"op": "depth_to_space", "in_channels": 12, "out_channels": 3, "kernel": 2},
    "RESIZE_BILINEAR": {"op": "resize_bilinear", "in_channels": 4, "out_channels": 4, "kernel": 2},
    "CONCATENATION": {"op": "concat", "in_channels": 4, "out_channels": 8},
    "MAX_POOL_2D": {"op": "max_pool", "in_channels": 4, "out_channels": 4, "kernel": 2, "stride": 2},
    "AVERAGE_POOL_2D": {"op": "avg_pool", "in_channels": 4, "out_channels": 4, "kernel": 2, "stride": 2},
    "FULLY_CONNECTED": {"op": "fully_connected", "in_channels": 4, "out_channels": 4},
    "REDUCE_MAX": {"op": "reduce_max", "in_channels": 4, "out_channels": 4},
}


def model(fields: dict[str, object]) -> bytes:
    return single_kernel_model(Kernel.model_validate({"height": 8, "width": 8, **fields}))


def runs_on_xnnpack(content: bytes) -> bool:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    return any(operator["op_name"] == "DELEGATE" for operator in interpreter._get_ops_details())


def graph_of(content: bytes) -> object:
    return tflite_file.parse(content, Path("m.tflite"))


@pytest.mark.parametrize("operator", KERNELS)
def test_xnnpack_takes_what_the_table_says(operator: str) -> None:
    content = model(KERNELS[operator])
    assert runs_on_xnnpack(content) == ("FLOAT32" in ACCELERATORS["xnnpack"].takes.get(operator, ()))
    assert bool(left_to_cpu(graph_of(content))["xnnpack"]) != runs_on_xnnpack(content)


@pytest.mark.parametrize("operator", [name for name in KERNELS if name not in ("FULLY_CONNECTED",)])
def test_xnnpack_takes_eight_bits_where_the_table_says_so(operator: str) -> None:
    content = model(KERNELS[operator])
    picture = np.random.default_rng(0).random((KERNELS[operator]["in_channels"], 8, 8), np.float32)
    quantized = quantize_with(content, observe_ranges(content, [picture]))
    if list(tflite_file.operators(graph_of(quantized))) != [operator]:
        pytest.skip("the quantizer leaves this one in float")
    assert runs_on_xnnpack(quantized) == ("INT8" in ACCELERATORS["xnnpack"].takes.get(operator, ()))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_xnnpack_takes_curves(activation: str) -> None:
    assert left_to_cpu(graph_of(model({**KERNELS["CONV_2D"], "activation": activation})))["xnnpack"] == []


def test_what_falls_back_is_named_once_with_its_type() -> None:
    graph = graph_of(model(KERNELS["CONV_2D"]))
    integer_io.take_sensor_values(graph, (64.0, 64.0, 64.0, 64.0), 1023.0)
    assert left_to_cpu(graph) == {
        "xnnpack": ["CAST of INT32"],
        "android-gpu": [],
        "qualcomm-npu": [],
        "mediatek-npu": [],
    }


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("end", ["float", "pixels"])
def test_xnnpack_takes_the_end_of_a_file_where_the_report_says_so(precision: str, end: str) -> None:
    content = model(KERNELS["DEPTH_TO_SPACE"])
    if precision == "int8":
        picture = np.random.default_rng(0).random((12, 8, 8), np.float32)
        content = quantize_with(content, observe_ranges(content, [picture]))
    graph = graph_of(content)
    if end == "pixels":
        integer_io.give_pixels(graph)
    interpreter = Interpreter(model_content=tflite_file.serialize(graph))
    interpreter.allocate_tensors()
    result = interpreter.get_output_details()[0]["index"]
    taken = any(
        result in operator["outputs"]
        for operator in interpreter._get_ops_details()
        if operator["op_name"] == "DELEGATE"
    )
    assert left_to_cpu(graph)["xnnpack"] == ([] if taken else ["QUANTIZE to UINT8 of INT8"])


def test_sides_left_to_run_time_leave_everything_to_the_cpu() -> None:
    graph = graph_of(model(KERNELS["CONV_2D"]))
    tflite_file.free_sides(graph)
    left = left_to_cpu(graph)
    assert left["xnnpack"] == []
    assert left["android-gpu"] == left["qualcomm-npu"] == ["everything: its sides are left to run time"]


def test_every_target_says_where_its_list_is_from() -> None:
    assert all(target.source and target.takes for target in ACCELERATORS.values())
