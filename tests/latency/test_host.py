from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ai_edge_litert.interpreter import Interpreter

from nas_isp.errors import InputError
from nas_isp.latency.host import HostTiming, extend_host_table, host_table_for, measure_kernels, missing_kernels
from nas_isp.latency.host_models import single_kernel_model
from nas_isp.latency.kernel import Kernel
from nas_isp.latency.predict import predict
from nas_isp.latency.tables import read_table, write_table

QUICK = HostTiming(seconds_per_kernel=0.001)


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
    with pytest.raises(InputError, match="fp32 only"):
        measure_kernels([kernel("conv2d", precision="int8")], QUICK)


def test_measurements_are_ordered_and_more_work_takes_longer() -> None:
    small = kernel("conv2d", kernel=3, height=16, width=16, in_channels=16, out_channels=16)
    large = kernel("conv2d", kernel=3, height=128, width=128, in_channels=16, out_channels=16)
    first, second = measure_kernels([small, large], HostTiming(seconds_per_kernel=0.02))
    assert first.p10_ms is not None
    assert first.p90_ms is not None
    assert 0 < first.p10_ms <= first.median_ms <= first.p90_ms
    assert first.runs >= 7
    assert second.median_ms > 4 * first.median_ms


def test_missing_kernels_are_timed_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "host.json"
    kernels = [kernel("conv2d", kernel=3), kernel("mean"), kernel("conv2d", kernel=3)]
    progress: list[tuple[int, int]] = []
    table = host_table_for(kernels, 1, path, lambda done, total: progress.append((done, total)))
    assert progress == [(0, 2)]
    assert len(table.measured) == 2
    assert predict(table, kernels).measured_share == 1
    assert not table.correction.fitted
    again = host_table_for(kernels, 1, path, lambda done, total: progress.append((done, total)))
    assert again == table == read_table(path)
    assert len(progress) == 1


def test_an_interrupted_measurement_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "host.json"
    kernels = [kernel("conv2d", height=side, width=side) for side in range(4, 16)]

    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extend_host_table(path, kernels, QUICK, interrupt)
    kept = read_table(path)
    assert len(kept.measured) == 8
    assert missing_kernels(kept, kernels) == kernels[8:]
    finished = extend_host_table(path, kernels, QUICK)
    assert finished.measured[:8] == kept.measured
    assert not missing_kernels(finished, kernels)


def test_the_time_limit_stops_between_batches(tmp_path: Path) -> None:
    table = extend_host_table(tmp_path / "host.json", [kernel("mean")], HostTiming(deadline=0.0))
    assert not table.measured


def test_other_numbers_of_threads_are_never_mixed(tmp_path: Path) -> None:
    path = tmp_path / "host.json"
    extend_host_table(path, [kernel("mean")], QUICK)
    with pytest.raises(InputError, match="2 threads"):
        extend_host_table(path, [kernel("add")], HostTiming(threads=2))
    with pytest.raises(InputError, match=r"but this is .* 2 threads"):
        host_table_for([kernel("mean")], 2, path)


def test_measurements_of_another_runtime_are_refused_even_if_nothing_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "host.json"
    table = extend_host_table(path, [kernel("mean")], QUICK)
    old = table.device.model_copy(update={"runtime_version": "0.1"})
    write_table(path, table.model_copy(update={"device": old}))
    with pytest.raises(InputError, match=r"LiteRT 0\.1.*move this one away"):
        host_table_for([kernel("mean")], 1, path)


def test_a_file_that_cannot_be_written_is_refused_before_measuring(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "host.json", tmp_path / "folder"):
        with pytest.raises(InputError, match=r"cannot be written|is a folder"):
            extend_host_table(path, [kernel("mean")], QUICK, lambda done, total: pytest.fail("measured"))
