from pathlib import Path
from typing import get_args

import pytest
from ai_edge_litert import schema_py_generated as schema

from nas_isp.errors import InputError
from nas_isp.export.tflite.convert import export_tflite
from nas_isp.export.tflite.integer_io import give_pixels, take_sensor_values
from nas_isp.formats.tflite_file import free_sides, parse, serialize
from nas_isp.formats.tflite_graph import TfliteGraph
from nas_isp.generators.architecture import Architecture
from nas_isp.generators.build import build, fuse
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.kernels.from_tflite import kernels_of_tflite
from nas_isp.latency.kernels.kernel import Kernel, convolution, elementwise, shuffle
from nas_isp.latency.measure.probe_models import kernel_chain_model, single_kernel_model
from nas_isp.latency.predict.predictor import predict
from nas_isp.latency.predict.table import DeviceRecord, MeasuredKernel, SourceRecord, build_table
from nas_isp.precision import FloatPrecision, Precision
from nas_isp.raw.levels import Levels
from tests.plain_networks import EVERYTHING

FILE = Path("model.tflite")
SIZE = (6, 8)


def kernel(op: str, **changes: object) -> Kernel:
    shape = {"op": op, "in_channels": 4, "out_channels": 4, "height": 6, "width": 8}
    return Kernel.model_validate(shape | changes)


KERNELS = [
    convolution(4, 8, 3, SIZE, activation="relu"),
    convolution(4, 8, 5, SIZE, stride=2),
    convolution(4, 8, 3, SIZE, activation="add_tanh"),
    convolution(4, 4, 1, SIZE, activation="add_relu6"),
    kernel("conv2d", kernel=3, groups=2, padding="valid"),
    kernel("depthwise_conv2d", kernel=3, padding="same", activation="hard_swish"),
    kernel("fully_connected", out_channels=5, activation="sigmoid"),
    kernel("avg_pool", kernel=2, stride=2, padding="same"),
    kernel("max_pool", kernel=3, padding="same"),
    elementwise("add", 4, SIZE),
    elementwise("mul", 4, SIZE, broadcast=True),
    elementwise("mean", 4, SIZE),
    elementwise("reduce_max", 4, SIZE),
    kernel("channel_mean", out_channels=1),
    kernel("channel_max", out_channels=1),
    kernel("concat", out_channels=12),
    shuffle(3, 2, SIZE),
    kernel("resize_bilinear", kernel=2),
]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.label())
def test_the_model_of_a_kernel_is_read_as_that_kernel(kernel: Kernel, precision: Precision) -> None:
    [found] = kernels_of_tflite(single_kernel_model(kernel, precision), FILE)
    assert found == kernel.model_copy(update={"precision": precision})


def test_an_activation_that_others_need_the_input_of_is_a_kernel_of_its_own() -> None:
    content = single_kernel_model(convolution(4, 4, 3, SIZE, activation="tanh"))
    model = parse(content, FILE)
    [convolved] = model.subgraphs[0].operators[0].outputs
    model.subgraphs[0].outputs = [*model.subgraphs[0].outputs, convolved]
    assert [kernel.op for kernel in kernels_of_tflite(serialize(model), FILE)] == ["conv2d", "activation"]


def test_sides_that_run_time_decides_and_other_files_are_refused() -> None:
    model = parse(kernel_chain_model([convolution(4, 12, 3, SIZE), shuffle(3, 2, SIZE)]), FILE)
    free_sides(model)
    with pytest.raises(InputError, match="export it for one size such as"):
        kernels_of_tflite(serialize(model), FILE)
    with pytest.raises(InputError, match="not a TFLite file"):
        kernels_of_tflite(b"nothing of the kind", FILE)


SMALL = [convolution(4, 12, 3, SIZE, activation="relu"), shuffle(3, 2, SIZE)]


@pytest.mark.parametrize(
    ("precision", "black", "before"),
    [
        ("fp32", (64, 64, 64, 64), [("copy", None), ("sub", "fp32")]),
        ("int8", (64, 64, 64, 64), [("copy", None)] * 3),
        ("int8", (64, 65, 66, 67), [("copy", None)] * 4),
    ],
)
def test_the_ends_for_an_apps_integers_are_no_kernels_of_the_network(
    precision: Precision, black: Levels, before: list[tuple[str, str | None]]
) -> None:
    model = parse(kernel_chain_model(SMALL, precision), FILE)
    take_sensor_values(model, black, 1023)
    give_pixels(model)
    kernels = kernels_of_tflite(serialize(model), FILE)
    assert [(kernel.op, kernel.precision) for kernel in kernels] == [
        *before,
        ("conv2d", precision),
        ("depth_to_space", precision),
        ("copy", None),
    ]
    assert [kernel.model_copy(update={"precision": None}) for kernel in kernels[-3:-1]] == SMALL
    assert kernels[0].label() == "copy 4->4 @ 6x8"
    assert kernels[-1].label() == "copy 3->3 @ 12x16"


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_file_with_the_ends_of_an_app_is_predicted_by_a_table_of_its_precision(precision: Precision) -> None:
    model = parse(kernel_chain_model(SMALL, precision), FILE)
    take_sensor_values(model, (64, 64, 64, 64), 1023)
    device = DeviceRecord(id="toy", name="Toy", soc="none", processor="cpu", runtime="none", precision=precision)
    source = SourceRecord(how="by hand", when="once", licence="none", link="")
    table = build_table(device, source, [MeasuredKernel(kernel=kernel, median_ms=1.0, runs=1) for kernel in SMALL])
    parts = predict(table, kernels_of_tflite(serialize(model), FILE)).kernels
    assert {part.kernel.op: part.basis for part in parts} == {
        **({"sub": "extrapolated"} if precision == "fp32" else {}),
        "copy": "extrapolated",
        "conv2d": "measured",
        "depth_to_space": "measured",
    }


def test_an_unknown_operator_is_named() -> None:
    graph = TfliteGraph()
    graph.output = graph.add(schema.BuiltinOperator.COS, [graph.input((1, 6, 8, 4))], (1, 6, 8, 4))
    with pytest.raises(InputError, match="operator COS is no kernel that latency is known of; give"):
        kernels_of_tflite(graph.serialized(), FILE)


@pytest.mark.slow
@pytest.mark.parametrize("precision", get_args(FloatPrecision))
@pytest.mark.parametrize("architecture", [EVERYTHING, EVERYTHING.model_copy(update={"scale": 2, "color_head": False})])
def test_an_exported_network_is_read_as_the_kernels_of_its_architecture(
    architecture: Architecture, precision: FloatPrecision
) -> None:
    exported = kernels_of_tflite(export_tflite(fuse(build(architecture)), 64, 96, precision), FILE)
    found = [kernel.model_copy(update={"precision": None}).model_dump_json() for kernel in exported]
    unpadded = [kernel.model_dump_json() for kernel in kernels_of(architecture, 64, 96)]
    assert sorted(found) == sorted(unpadded)


@pytest.mark.slow
def test_weights_of_half_precision_change_no_kernel() -> None:
    net = fuse(build(EVERYTHING))
    half, single = (kernels_of_tflite(export_tflite(net, 64, 96, precision), FILE) for precision in ("fp16", "fp32"))
    assert half == single
