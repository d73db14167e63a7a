"""Whole settings, tables, measurements and lists, and reading them."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np

from nas_isp import resources
from nas_isp.generators.cost import count
from nas_isp.generators.published import PUBLISHED
from nas_isp.latency.kernels.from_json import read_network, read_networks
from nas_isp.latency.kernels.kernel import Kernel, convolution, shuffle
from nas_isp.latency.measure.benchmark_output import benchmark_run, delegation, fault, operator_times
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.measure.measurements import (
    FailedKernel,
    MeasuredBatch,
    Measurements,
    joined,
    read_measurements,
    write_measurements,
)
from nas_isp.latency.predict.predictor import predict as predict_network
from nas_isp.latency.predict.provenance import Health, Setup
from nas_isp.latency.predict.table import (
    DeviceRecord,
    LatencyTable,
    MeasuredKernel,
    SourceRecord,
    build_table,
    read_table,
    write_table,
)
from nas_isp.recipe import load_recipe
from nas_isp.search.models import load_architecture
from nas_isp.search.space import load_space

DEVICE = DeviceRecord(
    id="phone", name="A phone", soc="x", processor="gpu", runtime="TFLite", precision="fp16", winograd=True
)
KERNELS = [
    *(convolution(inputs, 8, 3, (16, 24), activation="relu") for inputs in (4, 8, 12, 16)),
    shuffle(3, 2, (16, 24)),
]
BENCHMARK_OUTPUT = """INFO: Replacing 31 out of 31 node(s) with delegate (TfLiteGpuDelegateV2) node.
INFO: Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate.
count=5 first=125113 curr=112537 min=111758 max=125113 avg=115344 std=4959 p5=111758 median=112912 p95=125113
count=50 first=119614 curr=115889 min=111842 max=119614 avg=115246 std=1329 p5=112107 median=115350 p95=116620
INFO: Inference timings in us: Init: 1361236, First inference: 125113, Warmup (avg): 115344, Inference (avg): 115246
"""
PROFILE = """Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
CONV_2D, 1.5, 1.25, 40%, 40%, 0, 1, [conv]:0
DEPTH_TO_SPACE, 0.5, 0.25, 10%, 50%, 0, 1, [shuffle]:1

"""


def make_recipe(folder: Path) -> None:
    for name in ("default", "arhire2025"):
        (folder / f"{name}.yaml").write_text(resources.find("distill", name).read_text())


def read_recipe(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        recipe = load_recipe(str(path))
        assert recipe.trial_train().steps >= 0


def make_space(folder: Path) -> None:
    for name in ("tiny", "mobile"):
        (folder / f"{name}.yaml").write_text(resources.find("search_spaces", name).read_text())


def read_space(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        space = load_space(str(path))
        assert space.size() > 0
        space.encode(space.sample(np.random.default_rng(0)))


def make_architecture(folder: Path) -> None:
    (folder / "plain.json").write_text(PUBLISHED["efficient-isp"].to_json())
    (folder / "rmfa.json").write_text(PUBLISHED["rmfa-tiny"].to_json())


def read_architecture(folder: Path) -> None:
    """As `describe` does."""
    for path in sorted(folder.iterdir()):
        assert count(load_architecture(str(path)), 16, 16).params > 0


def _measured() -> list[MeasuredKernel]:
    return [MeasuredKernel(kernel=kernel, median_ms=1 + at, min_ms=0.5, runs=9) for at, kernel in enumerate(KERNELS)]


def make_table(folder: Path) -> None:
    source = SourceRecord(how="timed", when="today", licence="none", link="")
    write_table(folder / "table.json", build_table(DEVICE, source, _measured(), fallen_back=_measured()[:1]))
    (folder / "kernels.json").write_text(json.dumps([kernel.model_dump(mode="json") for kernel in KERNELS]))


def predict(folder: Path) -> None:
    _predict(load_table(str(folder / "table.json")), KERNELS[1:])
    _predict(load_table(str(folder / "table.json")), [convolution(4, 8, 3, (64, 64))])


def _predict(table: LatencyTable, kernels: list[Kernel]) -> None:
    prediction = predict_network(table, kernels)
    assert math.isfinite(prediction.latency_ms)
    assert prediction.latency_ms > 0
    shares = prediction.measured_share + prediction.interpolated_share + prediction.extrapolated_share
    assert math.isclose(shares, 1)


def make_measurements(folder: Path) -> None:
    setup = Setup(target="adb", system="Android 13", options=("--num_runs=50",), anchor="a")
    batches = tuple(
        MeasuredBatch(
            when=f"2025-01-0{day}T00:00:00",
            anchor_ms=1.0 + 0.1 * day,
            attempts=1,
            health=Health(temperature_c=30),
            measured=tuple(_measured()[day:]),
            fallen_back=tuple(_measured()[:1]),
            failed=(FailedKernel(kernel=KERNELS[0], reason="refused"),),
        )
        for day in (1, 2)
    )
    write_measurements(folder / "a.json", Measurements(device=DEVICE, setup=setup, batches=batches))


def read_measurements_as_a_table(folder: Path) -> None:
    """As `latency build` and then a prediction do."""
    measurements = joined([(folder / "a.json", read_measurements(folder / "a.json"))])
    write_table(folder / "table.json", measurements.table())
    assert measurements.failed is not None
    _predict(read_table(folder / "table.json"), [entry.kernel for entry in measurements.measured()])


def make_kernels(folder: Path) -> None:
    kernels = [kernel.model_dump(mode="json") for kernel in KERNELS]
    (folder / "a.json").write_text(json.dumps({"network": "a", "kernels": kernels}, indent=1))
    lines = [json.dumps({"network": name, "kernels": kernels[:2]}) for name in "abc"]
    (folder / "b.jsonl").write_text("\n".join(lines))


def read_kernels(folder: Path) -> None:
    """As `latency predict --kernels` does with a shipped table."""
    table = _shipped_table()
    for network in [read_network(folder / "a.json"), *read_networks(folder / "b.jsonl")]:
        _predict(table, list(network.kernels))


@cache
def _shipped_table() -> LatencyTable:
    return load_table("pixel4-gpu")


def make_benchmark_output(folder: Path) -> None:
    (folder / "output.txt").write_text(BENCHMARK_OUTPUT)
    (folder / "profile.csv").write_text(PROFILE)


def read_benchmark_output(folder: Path) -> None:
    """What a device prints is decoded with replacements, so that any bytes are a text."""
    text = (folder / "output.txt").read_text(errors="replace")
    run = benchmark_run(text)
    if run is not None:
        assert math.isfinite(run.typical_ms)
        assert run.typical_ms > 0
        assert run.min_ms > 0
        assert run.runs >= 1
    delegation(text, "gpu")
    assert len(fault(text).splitlines()) == 1
    for operator in operator_times((folder / "profile.csv").read_text(errors="replace")):
        assert math.isfinite(operator.average_ms)
