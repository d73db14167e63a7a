"""What `nas-isp latency` measures, merges and compares."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nas_isp.cli.common import ReportsProgress, progress_bar
from nas_isp.cli.models import parse_size
from nas_isp.latency.kernels.from_architecture import Kernel, kernels_of
from nas_isp.latency.measure.devices import host_measurements_path, load_table
from nas_isp.latency.measure.host import HOST_PRECISIONS, HostTarget
from nas_isp.latency.measure.measurements import Measurements
from nas_isp.latency.measure.reference_network import MAX_DRIFT
from nas_isp.latency.measure.session import ReportsSession, SessionSettings, measure, missing_kernels
from nas_isp.latency.predict.table import LatencyTable

SAMPLES = 2000
"""Random members of a space that tell which of its kernels are frequent; rarer ones are known from the space itself."""


def table_for(device: str, kernels: Sequence[Kernel], threads: int) -> LatencyTable:
    """The device's table; for this machine, kernels not yet measured are timed first.

    Raises:
        InputError: unknown device, or this machine's kept table is of another machine, runtime or number of threads.
    """
    if device not in HOST_PRECISIONS:
        return load_table(device)
    path, settings = host_measurements_path(device), SessionSettings(retake=False)
    runner = HostTarget(threads, HOST_PRECISIONS[device])
    with progress_bar("timing kernels on this machine") as report:
        return measure(path, kernels, runner, settings, session_progress(report)).table()


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


def space_kernels(space: str, input_size: str, samples: int = SAMPLES) -> list[Kernel]:
    """Every kernel of a space's members, the most frequent among so many random ones first."""
    import numpy as np

    from nas_isp.search.space import load_space

    height, width = parse_size(input_size)
    members, rng = load_space(space), np.random.default_rng(0)
    counts = Counter(kernel for _ in range(samples) for kernel in kernels_of(members.sample(rng), height, width))
    counts.update({kernel: 0 for network in members.short_networks() for kernel in kernels_of(network, height, width)})
    return [kernel for kernel, _ in counts.most_common()]
