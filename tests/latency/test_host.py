from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter

from nas_isp.errors import InputError
from nas_isp.latency.anchor import anchor_kernels, anchor_model
from nas_isp.latency.host import HostRunner, _spread_evenly, check_same_host, host_device
from nas_isp.latency.host_models import single_kernel_model
from nas_isp.latency.kernel import Kernel
from nas_isp.latency.runner import Failure, Timing

QUICK = HostRunner(seconds_per_model=0.001)


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
    interpreter: Any = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for entry, value in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(entry["index"], value)
    interpreter.invoke()
    output: np.ndarray = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return output


def input_shapes(content: bytes) -> list[tuple[int, ...]]:
    return [tuple(entry["shape"]) for entry in Interpreter(model_content=content).get_input_details()]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.label())
def test_every_model_runs_and_has_the_kernels_output(kernel: Kernel) -> None:
    content = single_kernel_model(kernel)
    rng = np.random.default_rng(1)
    output = run_model(content, [rng.random(shape, dtype=np.float32) for shape in input_shapes(content)])
    rows_and_columns = () if kernel.op == "fully_connected" else kernel.output_size
    assert output.shape == (1, *rows_and_columns, kernel.out_channels)
    assert np.isfinite(output).all()
    assert output.std() > 0


def test_a_fused_residual_really_adds_before_the_activation() -> None:
    plain = single_kernel_model(kernel("conv2d", kernel=3))
    fused = single_kernel_model(kernel("conv2d", kernel=3, activation="add_relu"))
    rng = np.random.default_rng(1)
    x, residual = (rng.standard_normal((1, 6, 8, 4)).astype(np.float32) for _ in range(2))
    expected = np.maximum(run_model(plain, [x]) + residual, 0)
    assert run_model(fused, [x, residual]) == pytest.approx(expected, abs=1e-5)


def test_depth_to_space_moves_channels_to_pixels() -> None:
    x = np.random.default_rng(1).random((1, 6, 8, 4), dtype=np.float32)
    output = run_model(single_kernel_model(kernel("depth_to_space", kernel=2, out_channels=1)), [x])
    shuffled = torch.pixel_shuffle(torch.from_numpy(x).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    assert output == pytest.approx(shuffled.numpy())


def test_what_cannot_be_timed_is_named() -> None:
    with pytest.raises(InputError, match="softmax 4->4"):
        single_kernel_model(kernel("softmax"))


def test_the_anchor_is_a_chain_of_kernels() -> None:
    content = anchor_model()
    assert input_shapes(content) == [(1, 136, 240, 4)]
    output = run_model(content, [np.random.default_rng(1).random((1, 136, 240, 4), dtype=np.float32)])
    assert output.shape == (1, 272, 480, 3)
    assert output.std() > 0
    assert len(Interpreter(model_content=content)._get_ops_details()) >= len(anchor_kernels())


def test_times_are_ordered_and_more_work_takes_longer() -> None:
    small = kernel("conv2d", kernel=3, height=16, width=16, in_channels=16, out_channels=16)
    large = kernel("conv2d", kernel=3, height=128, width=128, in_channels=16, out_channels=16)
    first, second = HostRunner(seconds_per_model=0.02).time([single_kernel_model(small), single_kernel_model(large)])
    assert isinstance(first, Timing)
    assert isinstance(second, Timing)
    assert first.p10_ms is not None
    assert first.p90_ms is not None
    assert 0 < first.min_ms <= first.p10_ms <= first.median_ms <= first.p90_ms
    assert first.runs >= 7
    assert second.median_ms > 4 * first.median_ms


def test_a_broken_model_fails_alone() -> None:
    good = single_kernel_model(kernel("mean"))
    answers = QUICK.time([good, b"not a model", good])
    assert [type(answer) for answer in answers] == [Timing, Failure, Timing]
    assert isinstance(answers[1], Failure)
    assert answers[1].reason


def test_runs_are_spread_evenly_over_the_batch() -> None:
    turns = list(_spread_evenly({0: 6, 1: 2, 2: 3}))
    assert {index: turns.count(index) for index in (0, 1, 2)} == {0: 6, 1: 2, 2: 3}
    assert turns == [0, 0, 2, 0, 1, 0, 2, 0, 0, 1, 2]
    assert not list(_spread_evenly({}))


def test_measurements_of_another_runtime_are_refused() -> None:
    check_same_host(Path("host.json"), host_device(2))
    old = host_device(1).model_copy(update={"runtime_version": "0.1"})
    with pytest.raises(InputError, match=r"host\.json: .*LiteRT 0\.1.*move this file away"):
        check_same_host(Path("host.json"), old)
