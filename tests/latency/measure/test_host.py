from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from nas_isp.errors import InputError
from nas_isp.formats.tflite_graph import TfliteGraph
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.host import HostTarget, check_same_host, host_device, spread_evenly
from nas_isp.latency.measure.measuring_target import Failure, Timing
from nas_isp.latency.measure.probe_models import single_kernel_model

QUICK = HostTarget(seconds_per_model=0.001)


def kernel(op: str, **changes: object) -> Kernel:
    shape = {"op": op, "in_channels": 4, "out_channels": 4, "kernel": 1, "height": 6, "width": 8, "padding": "same"}
    return Kernel.model_validate(shape | changes)


def test_times_are_ordered_and_more_work_takes_longer() -> None:
    small = kernel("conv2d", kernel=3, height=16, width=16, in_channels=16, out_channels=16)
    large = kernel("conv2d", kernel=3, height=128, width=128, in_channels=16, out_channels=16)
    first, second = HostTarget(seconds_per_model=0.02).time([single_kernel_model(small), single_kernel_model(large)])
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


def test_a_model_that_loads_but_does_not_run_fails_alone() -> None:
    graph = TfliteGraph()
    options = schema.GatherOptionsT()
    options.axis = 1
    inputs = [graph.input((1, 4)), graph.constant(np.array([99], np.int32))]
    graph.output = graph.add(
        schema.BuiltinOperator.GATHER, inputs, (1, 1), schema.BuiltinOptions.GatherOptions, options
    )
    answers = QUICK.time([graph.serialized(), single_kernel_model(kernel("mean"))])
    assert [type(answer) for answer in answers] == [Failure, Timing]
    assert isinstance(answers[0], Failure)
    assert "gather index out of bounds" in answers[0].reason


def test_runs_are_spread_evenly_over_the_batch() -> None:
    turns = list(spread_evenly({0: 6, 1: 2, 2: 3}))
    assert {index: turns.count(index) for index in (0, 1, 2)} == {0: 6, 1: 2, 2: 3}
    assert turns == [0, 0, 2, 0, 1, 0, 2, 0, 0, 1, 2]
    assert not list(spread_evenly({}))


def test_measurements_of_another_runtime_are_refused() -> None:
    check_same_host(Path("host.json"), host_device(2))
    old = host_device(1).model_copy(update={"runtime_version": "0.1"})
    with pytest.raises(InputError, match=r"host\.json: .*LiteRT 0\.1.*move this file away"):
        check_same_host(Path("host.json"), old)
