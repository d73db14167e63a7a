"""Eight bits: what the quantized file computes, and that only rounding separates it from the float one."""

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from nas_isp.errors import InputError
from nas_isp.export.int8.calibrate import PIXEL_RANGE, TANH_SATURATES, least_error_range, observe_ranges
from nas_isp.export.int8.quantize import quantize_tflite, quantize_with
from nas_isp.formats import tflite_file
from nas_isp.formats.tflite_graph import TfliteGraph
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.probe_models import single_kernel_model

SIZE = (24, 32)


def kernel_model(op: str, **fields: object) -> bytes:
    return single_kernel_model(Kernel.model_validate({"op": op, "height": SIZE[0], "width": SIZE[1], **fields}))


def noise(channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.1, 1.2, (channels, *SIZE)).astype(np.float32)


def operators(content: bytes) -> dict[str, int]:
    return tflite_file.operators(tflite_file.parse(content, Path("m.tflite")))


def codes(content: bytes, picture: np.ndarray) -> tuple[np.ndarray, float, int]:
    """The output's codes, their scale and their zero point; the picture is given as codes too."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    [given], [result] = interpreter.get_input_details(), interpreter.get_output_details()
    assert (given["dtype"], result["dtype"]) == (np.int8, np.int8)
    scale, zero = given["quantization"]
    value = np.clip(np.rint(picture.transpose(1, 2, 0)[None] / scale) + zero, -128, 127).astype(np.int8)
    interpreter.set_tensor(given["index"], value)
    interpreter.invoke()
    return interpreter.get_tensor(result["index"]), *result["quantization"]


def test_a_convolution_keeps_half_a_step_a_factor() -> None:
    content = kernel_model("conv2d", in_channels=4, out_channels=6, kernel=[3, 3], activation="relu")
    picture = np.abs(noise(4)) * 0.3
    exact = float_output(content, picture).clip(*PIXEL_RANGE)
    result, scale, zero = codes(quantize_tflite(content, [picture]), picture)
    assert (scale, zero) == (pytest.approx(1 / 255), -128)
    # 36 products of a weight (half a step 1/254 of at most ~0.5) and a value (half a step ~1/510): well below 3 steps.
    assert np.abs((result.astype(float) - zero) * scale - exact).max() < 3 / 255


def float_output(content: bytes, picture: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture.transpose(1, 2, 0)[None])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_moving_pixels_rounds_nothing() -> None:
    content = kernel_model("depth_to_space", in_channels=12, out_channels=3, kernel=[2, 2])
    quantized = quantize_tflite(content, [noise(12)])
    assert operators(quantized) == {"DEPTH_TO_SPACE": 1}
    graph = tflite_file.parse(quantized, Path("m.tflite"))
    code = graph.operatorCodes[graph.subgraphs[0].operators[0].opcodeIndex]
    assert code.version == 2
    result, scale, zero = codes(quantized, noise(12))
    cells = noise(12).transpose(1, 2, 0).reshape(*SIZE, 2, 2, 3).transpose(0, 2, 1, 3, 4).reshape(48, 64, 3)
    assert np.array_equal(result[0], np.clip(np.rint(cells / scale) + zero, -128, 127))


def test_ranges_cover_the_input_the_pixels_and_what_tanh_tells_apart() -> None:
    content = kernel_model("conv2d", in_channels=4, out_channels=6, kernel=[3, 3], activation="tanh")
    low, high = noise(4) * 0 - 0.25, noise(4) * 0 + 40
    given, before_tanh, rgb = observe_ranges(content, [low, high]).values()
    assert given == (-0.25, 40.0)
    assert before_tanh == (-TANH_SATURATES, TANH_SATURATES)
    assert rgb == PIXEL_RANGE
    assert next(iter(observe_ranges(content, [noise(4) * 0 + 0.5]).values())) == (0.0, 1.0)


def test_pictures_that_do_not_fit_are_refused() -> None:
    content = kernel_model("conv2d", in_channels=4, out_channels=6, kernel=[3, 3])
    with pytest.raises(InputError, match="does not take pictures"):
        quantize_tflite(content, [noise(5)])
    with pytest.raises(InputError, match="not finite"):
        quantize_tflite(content, [noise(4) * np.float32("inf")])


def test_a_range_cuts_rare_values_and_keeps_common_ones() -> None:
    rng = np.random.default_rng(0)
    even = rng.uniform(-1, 1, 10000).astype(np.float32)
    assert least_error_range(even, -1.0, 1.0) == (-1.0, 1.0)
    # One value in 10,000 at 2: 256 steps have a squared error of (3/255)^2/12 = 1.15e-5; if they end at 1 it is
    # (2/255)^2/12 + 1/10000 = 1.05e-4: kept. One in 400,000: 5.1e-6 + 1/400000 = 7.6e-6: cut.
    assert least_error_range(np.append(even, np.float32(2)), -1.0, 2.0) == (-1.0, 2.0)
    assert least_error_range(np.append(np.tile(even, 40), np.float32(2)), -1.0, 2.0) == (-1.0, 1.0)
    assert least_error_range(even[:50], -9.0, 9.0) == (-9.0, 9.0)


def test_the_last_convolution_takes_the_mean_error_out() -> None:
    content = chained(
        kernel_model("conv2d", in_channels=4, out_channels=12, kernel=[3, 3]),
        kernel_model("depth_to_space", in_channels=12, out_channels=3, kernel=[2, 2]),
    )
    picture = (np.abs(noise(4)) * 0.2).astype(np.float32)
    exact = float_output(content, picture).clip(*PIXEL_RANGE)
    errors = []
    for quantized in (quantize_with(content, observe_ranges(content, [picture])), quantize_tflite(content, [picture])):
        result, scale, zero = codes(quantized, picture)
        error = (exact - (result.astype(float) - zero) * scale)[0] * ((exact[0] > 0.01) & (exact[0] < 0.99))
        errors.append(np.abs(error.reshape(24, 2, 32, 2, 3).mean(axis=(0, 2))).max())
    assert errors[1] < 0.3 * errors[0]


def chained(first: bytes, second: bytes) -> bytes:
    """One model that computes the second single-operator model on the first one's output."""
    graph, added = (tflite_file.parse(content, Path("m.tflite")) for content in (first, second))
    last = int(graph.subgraphs[0].outputs[0])
    result = tflite_file.add_tensor(graph, "result", 0, added.subgraphs[0].tensors[-1].shape)
    [operator] = added.subgraphs[0].operators
    operator.opcodeIndex = tflite_file.code_index(graph, added.operatorCodes[0].builtinCode, 1)
    operator.inputs, operator.outputs = [last], [result]
    graph.subgraphs[0].operators.append(operator)
    tflite_file.replace_ends(graph, outputs=[result])
    return tflite_file.serialize(graph)


def with_first_channel(content: bytes, weight: float, bias: float) -> bytes:
    """The network of one convolution with one weight and one bias throughout its first channel."""
    graph = tflite_file.parse(content)
    [operator] = graph.subgraphs[0].operators
    for index, number in zip(operator.inputs[1:], (weight, bias), strict=True):
        values = tflite_file.constant(graph, int(index), np.float32).copy()
        values[0] = number
        tflite_file.set_constant(graph, int(index), values)
    return tflite_file.serialize(graph)


@pytest.mark.parametrize("weight", [0.0, 1e-9, -1e-6])
@pytest.mark.parametrize("bias", [0.7, 0.02])
def test_a_channel_of_hardly_more_than_its_bias_keeps_it(weight: float, bias: float) -> None:
    content = with_first_channel(kernel_model("conv2d", in_channels=4, out_channels=6, kernel=[3, 3]), weight, bias)
    picture = np.abs(noise(4)) * 0.3
    result, scale, zero = codes(quantize_tflite(content, [picture]), picture)
    values = (result.astype(float) - zero) * scale
    assert np.abs(values[..., 0] - bias).max() <= 0.5 / 255 + 1e-6
    assert np.abs(values - float_output(content, picture).clip(*PIXEL_RANGE)).max() < 3 / 255


def test_the_largest_of_channels_is_joined_with_their_mean_at_one_scale() -> None:
    graph = TfliteGraph()
    picture = graph.input((1, *SIZE, 4))
    reduced, joined = schema.ReducerOptionsT(), schema.ConcatenationOptionsT()
    reduced.keepDims, joined.axis = True, 3
    parts = [
        graph.add(
            code,
            [picture, graph.constant(np.array([3], np.int32))],
            (1, *SIZE, 1),
            schema.BuiltinOptions.ReducerOptions,
            reduced,
        )
        for code in (schema.BuiltinOperator.MEAN, schema.BuiltinOperator.REDUCE_MAX)
    ]
    graph.output = graph.add(
        schema.BuiltinOperator.CONCATENATION,
        parts,
        (1, *SIZE, 2),
        schema.BuiltinOptions.ConcatenationOptions,
        joined,
    )
    content = graph.serialized()
    given = np.random.default_rng(0).random((4, *SIZE), np.float32) * np.float32(0.9)
    result, scale, zero = codes(quantize_tflite(content, [given]), given)
    assert np.abs((result.astype(float) - zero) * scale - float_output(content, given)).max() < 3 / 255
