"""What `nas-isp latency` measures, merges and compares."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas_isp.cli.common import ReportsProgress, print_table, progress_bar
from nas_isp.cli.models import parse_size
from nas_isp.errors import InputError
from nas_isp.latency.agreement import agreement
from nas_isp.latency.correction import Correction, fit_correction
from nas_isp.latency.devices import host_measurements_path, load_table
from nas_isp.latency.host import HOST, HostRunner
from nas_isp.latency.kernels import Kernel, kernels_of
from nas_isp.latency.measurements import MAX_DRIFT, Measurements
from nas_isp.latency.predict import predict
from nas_isp.latency.runner import Failure, Runner
from nas_isp.latency.session import ReportsSession, SessionSettings, measure, missing_kernels
from nas_isp.latency.tables import LatencyTable, read_json

if TYPE_CHECKING:
    from nas_isp.generators.architecture import Architecture


def table_for(device: str, kernels: Sequence[Kernel], threads: int) -> LatencyTable:
    """The device's table; for this machine, kernels not yet measured are timed first.

    Raises:
        InputError: unknown device, or this machine's kept table is of another machine, runtime or number of threads.
    """
    if device != HOST:
        return load_table(device)
    path, settings = host_measurements_path(), SessionSettings(retake=False)
    with progress_bar("timing kernels on this machine") as report:
        return measure(path, kernels, HostRunner(threads), settings, session_progress(report)).table()


def session_progress(report: ReportsProgress) -> ReportsSession:
    """Move a progress bar with a session; its text says how long it will still take."""

    def told(done: int, total: int, seconds_left: float | None) -> None:
        left = "" if seconds_left is None else f", about {max(round(seconds_left / 60), 1)} min left"
        report(done, total, f"timing kernels: {done} of {total}{left}")

    return told


def outcome(path: Path, measurements: Measurements, wanted: Sequence[Kernel], max_drift: float) -> list[str]:
    """What came of a session, for people."""
    entries, left = measurements.measured(max_drift), len(missing_kernels(measurements, wanted))
    lines = [f"{path}: {len(entries)} kernels measured on {measurements.device.name}"]
    if left:
        lines.append(f"{left} kernels are left: run the same command again to go on")
    return lines + left_out(measurements, max_drift)


def left_out(measurements: Measurements, max_drift: float = MAX_DRIFT) -> list[str]:
    """What a user must know of the kernels that were not timed as asked."""
    marked = [entry for entry in measurements.measured(max_drift) if entry.anchor_drift is not None]
    lines = []
    if marked:
        worst = max((abs(entry.anchor_drift or 0.0) for entry in marked), default=0.0)
        lines.append(
            f"warning: {len(marked)} kernels were timed while the anchor network was off by more than "
            f"{100 * max_drift:g} % (at most {100 * worst:.0f} %); they are marked in the table; "
            "measure again with the same command when the device is at rest"
        )
    if measurements.fallen_back:
        labels = ", ".join(entry.kernel.label() for entry in measurements.fallen_back[:3])
        lines.append(
            f"warning: {len(measurements.fallen_back)} kernels fell back from the delegate and are not in the table: "
            f"{labels}"
        )
    if measurements.failed:
        first = measurements.failed[0]
        lines.append(
            f"warning: {len(measurements.failed)} kernels could not be run and are not in the table, such as "
            f"{first.kernel.label()}: {first.reason}"
        )
    return lines


def space_kernels(space: str, input_size: str, samples: int) -> list[Kernel]:
    """Every kernel of a space's members, the most frequent first, as far as so many random members tell."""
    import numpy as np

    from nas_isp.search.space import load_space

    height, width = parse_size(input_size)
    members, rng = load_space(space), np.random.default_rng(0)
    counts = Counter(kernel for _ in range(samples) for kernel in kernels_of(members.sample(rng), height, width))
    counts.update({kernel: 0 for network in members.short_networks() for kernel in kernels_of(network, height, width)})
    return [kernel for kernel, _ in counts.most_common()]


def read_correction(path: Path) -> Correction:
    """A correction fitted to the networks of a result of `latency validate -o`.

    Raises:
        InputError: not such a result.
    """
    content = read_json(path)
    try:
        rows = content["results"]
        columns = [[float(row[key]) for row in rows] for key in ("kernels_ms", "kernel_count", "measured_ms")]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: no result of `nas-isp latency validate -o` ({error!r} is wrong)") from error
    if not columns[0] or min(columns[2]) <= 0:
        raise InputError(f"{path}: holds no measured network; run `nas-isp latency validate` again")
    return fit_correction(columns[0], [int(count) for count in columns[1]], columns[2])


def compare(
    device: str, networks: str, input_size: str, runner: Runner, seed: int, report: ReportsProgress
) -> dict[str, Any]:
    """Measure random networks of a space on a target and compare.

    Raises:
        InputError: a table of another device than the target, an unknown space, or a network that does not run.
    """
    import numpy as np

    from nas_isp.search.space import load_space

    space, count = _space_and_count(networks)
    height, width = parse_size(input_size)
    members, rng = load_space(space), np.random.default_rng(seed)
    architectures = [members.sample(rng) for _ in range(count)]
    lists = [kernels_of(architecture, height, width) for architecture in architectures]
    table = _targets_table(device, [kernel for kernels in lists for kernel in kernels], runner)
    rows: list[dict[str, Any]] = []
    for index, (architecture, kernels) in enumerate(zip(architectures, lists, strict=True)):
        report(index, count, "measuring networks")
        prediction = predict(table, kernels)
        rows.append(
            {
                "network": architecture.digest(),
                "predicted_ms": prediction.latency_ms,
                "measured_ms": network_ms(runner, architecture.digest(), _exported(architecture, height, width)),
                "kernels_ms": prediction.kernels_ms,
                "kernel_count": len(kernels),
            }
        )
    found = agreement([row["predicted_ms"] for row in rows], [row["measured_ms"] for row in rows])
    threads = runner.device.threads
    return {"device": table.device.id, "threads": threads, "input_size": input_size, **asdict(found), "results": rows}


def network_ms(runner: Runner, name: str, model: bytes) -> float:
    """Median time of a whole network on a target.

    Raises:
        InputError: it does not run there, or the delegate leaves nodes to the CPU.
    """
    timing = runner.time([model])[0]
    if isinstance(timing, Failure):
        raise InputError(f"network {name} cannot be measured: {timing.reason}")
    if timing.fell_back:
        raise InputError(
            f"network {name} falls back: the delegate runs {timing.delegated_nodes} of {timing.nodes} nodes"
        )
    return timing.median_ms


def print_comparison(result: dict[str, Any]) -> None:
    """A comparison as a table for people."""
    rows = [
        (row["network"], row["predicted_ms"], row["measured_ms"], 100 * (row["predicted_ms"] / row["measured_ms"] - 1))
        for row in result["results"]
    ]
    tau = "-" if result["kendall_tau"] is None else f"{result['kendall_tau']:.2f}"
    title = (
        f"{result['networks']} networks on {result['device']}: mean error {100 * result['mean_error']:.1f} %, within "
        f"5 %: {100 * result['within_5_percent']:.0f} %, within 10 %: {100 * result['within_10_percent']:.0f} %, "
        f"Kendall tau {tau}"
    )
    print_table(("network", "predicted ms", "measured ms", "error %"), rows, title)


def _space_and_count(text: str) -> tuple[str, int]:
    space, _, number = text.rpartition(":")
    if not space or not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 1000:
        raise InputError(f"networks '{text}': give SPACE:N with N from 1 to 1000, such as mobile:8")
    return space, int(number)


def _targets_table(device: str, kernels: Sequence[Kernel], runner: Runner) -> LatencyTable:
    if device == HOST:
        return table_for(device, kernels, runner.device.threads or 1)
    table = load_table(device)
    if table.device != runner.device:
        raise InputError(
            f"device '{device}' is {table.device.name} with {table.device.threads} threads, but the target is "
            f"{runner.device.name} with {runner.device.threads}: give the --target and --threads of the table"
        )
    return table


def _exported(architecture: "Architecture", height: int, width: int) -> bytes:
    from nas_isp.export.tflite import export_tflite
    from nas_isp.generators.build import build, fuse

    return export_tflite(fuse(build(architecture)), height, width, "fp32")
