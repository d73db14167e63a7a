"""Eight bits: what the quantised file computes, and that only rounding separates it from the float one."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from export_cases import PLAIN_CASES, bundle_of

from nas_isp.errors import InputError
from nas_isp.export import tflite_file
from nas_isp.export.probe import synthetic_pictures
from nas_isp.export.quantise import quantise_tflite
from nas_isp.export.ranges import PIXEL_RANGE, TANH_SATURATES, observe_ranges
from nas_isp.generators.published import PUBLISHED
from nas_isp.latency.host_models import single_kernel_model
from nas_isp.latency.kernel import Kernel

SIZE = (24, 32)
INT8_OPERATORS = {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MUL", "MEAN", "TANH", "DEPTH_TO_SPACE"}


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
    result, scale, zero = codes(quantise_tflite(content, [picture]), picture)
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
    quantised = quantise_tflite(content, [noise(12)])
    assert operators(quantised) == {"DEPTH_TO_SPACE": 1}
    graph = tflite_file.parse(quantised, Path("m.tflite"))
    code = graph.operatorCodes[graph.subgraphs[0].operators[0].opcodeIndex]
    assert code.version == 2
    result, scale, zero = codes(quantised, noise(12))
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
        quantise_tflite(content, [noise(5)])
    with pytest.raises(InputError, match="not finite"):
        quantise_tflite(content, [noise(4) * np.float32("inf")])


@cache
def float_network(name: str, size: tuple[int, int] = (64, 96)) -> bytes:
    from nas_isp.export.tflite import export_tflite
    from nas_isp.export.torch_runner import fused_network

    return export_tflite(fused_network(bundle_of((PLAIN_CASES | PUBLISHED)[name]), name), *size)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(f"export of {name}")) for name in PLAIN_CASES]
)
def test_every_network_becomes_integers_throughout(name: str) -> None:
    pictures = synthetic_pictures(64, 96)
    quantised = quantise_tflite(float_network(name), pictures)
    assert set(operators(quantised)) <= INT8_OPERATORS
    assert operators(quantised) == operators(float_network(name))
    for picture in pictures:
        result, scale, zero = codes(quantised, picture)
        exact = float_output(float_network(name), picture).clip(0, 1)
        assert np.square((result.astype(float) - zero) * scale - exact).mean() < 10 ** (-30 / 10)
