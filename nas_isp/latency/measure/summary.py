"""What came of measuring, in lines for people."""

from collections.abc import Sequence
from pathlib import Path

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.measurements import Measurements
from nas_isp.latency.measure.reference_network import MAX_DRIFT
from nas_isp.latency.measure.session import missing_kernels


def session_lines(path: Path, measurements: Measurements, wanted: Sequence[Kernel], max_drift: float) -> list[str]:
    """What came of a session that was to time the `wanted` kernels into a file."""
    entries, left = measurements.measured(max_drift), len(missing_kernels(measurements, wanted))
    lines = [f"{path}: {len(entries)} kernels measured on {measurements.device.name}"]
    if left:
        lines.append(f"{left} kernels are left: run the same command again to go on")
    return lines + left_out_lines(measurements, max_drift)


def left_out_lines(measurements: Measurements, max_drift: float = MAX_DRIFT) -> list[str]:
    """What a user must know of the kernels that were not timed as asked."""
    marked = [entry for entry in measurements.measured(max_drift) if entry.anchor_drift is not None]
    lines = []
    if marked:
        worst = max((abs(entry.anchor_drift or 0.0) for entry in marked), default=0.0)
        lines.append(
            f"warning: {len(marked)} kernels were timed while the reference network was off by more than "
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
