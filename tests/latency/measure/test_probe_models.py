from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from nas_isp.errors import InputError
from nas_isp.formats.tflite_file import operators, parse
from nas_isp.latency.kernels.kernel import Kernel, convolution, shuffle
from nas_isp.latency.measure.probe_models import kernel_chain_model, single_kernel_model
from nas_isp.latency.measure.reference_network import reference_kernels, reference_model


def kernel(op: str, **changes: object) -> Kernel:
    shape = {"op": op, "in_channels": 4, "out_channels": 4, "kernel": 1, "height": 6, "width": 8, "padding": "same"}
    return Kernel.model_validate(shape | changes)


KERNELS = [
    kernel("conv2d", kernel=3, activation="relu"),
    kernel("conv2d", kernel=5, out_channels=7, stride=2, activation="add_relu6"),
    kernel("conv2d", kernel=3, activation="tanh", padding="valid"),
    kernel("grouped_conv2d", groups=2, kernel=3),
    kernel("depthwise_conv2d", kernel=3, activation="hard_swish"),
    kernel("fully_connected", out_channels=5, activation="sigmoid"),
    kernel("add"),
    kernel("mul", broadcast=True),
    kernel("sub", activation="relu"),
    kernel("mean"),
    kernel("reduce_max"),
    kernel("channel_mean", out_channels=1),
    kernel("channel_max", out_channels=1),
    kernel("mul", broadcast=True, activation="add"),
    kernel("avg_pool", kernel=2, stride=2),
    kernel("max_pool", kernel=3),
    kernel("concat", out_channels=12),
    kernel("depth_to_space", kernel=2, out_channels=1),
    kernel("resize_bilinear", kernel=2),
]


def run_model(content: bytes, inputs: list[np.ndarray]) -> np.ndarray:
    """The float output for float inputs, through their 8-bit codes where the model has those at its ends."""
    interpreter: Any = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for entry, value in zip(interpreter.get_input_details(), inputs, strict=True):
        scale, zero = entry["quantization"]
        codes = np.round(value / scale + zero).clip(-128, 127) if scale else value
        interpreter.set_tensor(entry["index"], codes.astype(entry["dtype"]))
    interpreter.invoke()
    entry = interpreter.get_output_details()[0]
    output: np.ndarray = interpreter.get_tensor(entry["index"])
    scale, zero = entry["quantization"]
    return (output.astype(np.float32) - zero) * scale if scale else output


def random_inputs(content: bytes) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    details = Interpreter(model_content=content).get_input_details()
    return [rng.random(entry["shape"], dtype=np.float32) for entry in details]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.label())
def test_every_model_runs_and_has_the_kernels_output(kernel: Kernel) -> None:
    content = single_kernel_model(kernel)
    output = run_model(content, random_inputs(content))
    rows_and_columns = () if kernel.op == "fully_connected" else kernel.output_size
    assert output.shape == (1, *rows_and_columns, kernel.out_channels)
    assert np.isfinite(output).all()
    assert output.std() > 0


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.label())
def test_a_model_in_8_bits_computes_what_the_float_model_computes(kernel: Kernel) -> None:
    exact, quantized = single_kernel_model(kernel), single_kernel_model(kernel, "int8")
    inputs = random_inputs(exact)
    assert run_model(quantized, inputs) == pytest.approx(run_model(exact, inputs), abs=0.1)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.label())
def test_a_model_in_8_bits_holds_no_float_value(kernel: Kernel) -> None:
    model = parse(single_kernel_model(kernel, "int8"), Path("kernel.tflite"))
    assert schema.TensorType.FLOAT32 not in {tensor.type for tensor in model.subgraphs[0].tensors}
    assert operators(model) == operators(parse(single_kernel_model(kernel), Path("kernel.tflite")))


def test_weights_in_8_bits_have_a_scale_per_output_channel_and_use_all_levels() -> None:
    content = single_kernel_model(kernel("conv2d", kernel=3, out_channels=7), "int8")
    model = parse(content, Path("kernel.tflite"))
    graph = model.subgraphs[0]
    _, weights, bias = (graph.tensors[index] for index in graph.operators[0].inputs)
    assert (len(weights.quantization.scale), weights.quantization.quantizedDimension) == (7, 0)
    codes = np.asarray(model.buffers[weights.buffer].data, np.uint8).view(np.int8).reshape(7, -1)
    assert (np.abs(codes.astype(int)).max(axis=1) == 127).all()
    assert bias.type == schema.TensorType.INT32
    input_scale = graph.tensors[graph.operators[0].inputs[0]].quantization.scale[0]
    assert bias.quantization.scale == pytest.approx(weights.quantization.scale * input_scale)


def test_a_block_with_a_residual_adds_its_own_input_before_the_activation() -> None:
    plain = single_kernel_model(kernel("conv2d", kernel=3))
    fused = single_kernel_model(kernel("conv2d", kernel=3, activation="add_relu"))
    x = np.random.default_rng(1).standard_normal((1, 6, 8, 4)).astype(np.float32)
    assert run_model(fused, [x]) == pytest.approx(np.maximum(run_model(plain, [x]) + x, 0), abs=1e-5)


def test_another_tensor_is_added_after_a_pointwise_convolution() -> None:
    plain = single_kernel_model(kernel("conv2d"))
    fused = single_kernel_model(kernel("conv2d", activation="add_relu"))
    rng = np.random.default_rng(1)
    x, residual = (rng.standard_normal((1, 6, 8, 4)).astype(np.float32) for _ in range(2))
    expected = np.maximum(run_model(plain, [x]) + residual, 0)
    assert run_model(fused, [x, residual]) == pytest.approx(expected, abs=1e-5)


def test_depth_to_space_moves_channels_to_pixels() -> None:
    x = np.random.default_rng(1).random((1, 6, 8, 4), dtype=np.float32)
    output = run_model(single_kernel_model(kernel("depth_to_space", kernel=2, out_channels=1)), [x])
    shuffled = torch.pixel_shuffle(torch.from_numpy(x).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    assert output == pytest.approx(shuffled.numpy())


def test_the_mean_of_a_picture_is_that_of_all_its_pixels() -> None:
    x = np.random.default_rng(1).random((1, 6, 8, 4), dtype=np.float32)
    assert run_model(single_kernel_model(kernel("mean")), [x]) == pytest.approx(x.mean((1, 2), keepdims=True), abs=1e-6)


def test_what_cannot_be_timed_is_named() -> None:
    with pytest.raises(InputError, match="softmax 4->4"):
        single_kernel_model(kernel("softmax"))


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_chain_hands_each_kernel_the_output_of_the_one_before(precision: Any) -> None:
    first, second = convolution(4, 12, 3, (6, 8), activation="relu"), shuffle(3, 2, (6, 8))
    content = kernel_chain_model([first, second], precision)
    [picture] = random_inputs(content)
    # both weigh the picture with the first random numbers of the same generator
    features = run_model(single_kernel_model(first, precision), [picture])
    expected = run_model(single_kernel_model(second, precision), [features])
    assert run_model(content, [picture]) == pytest.approx(expected, abs=1e-6)


def test_the_reference_network_is_a_chain_of_kernels() -> None:
    content = reference_model()
    [picture] = random_inputs(content)
    assert picture.shape == (1, 544, 960, 4)
    output = run_model(content, [picture])
    assert output.shape == (1, 1088, 1920, 3)
    assert output.std() > 0
    assert len(Interpreter(model_content=content)._get_ops_details()) >= len(reference_kernels())
