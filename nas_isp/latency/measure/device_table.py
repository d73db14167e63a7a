"""The table of a device, of this machine after missing kernels were timed; and what is known of each device."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.devices import host_measurements_path, load_table
from nas_isp.latency.measure.host import HOST_PRECISIONS, HostTarget, host_device
from nas_isp.latency.measure.session import ReportsSession, SessionSettings, measure
from nas_isp.latency.predict.table import LatencyTable
from nas_isp.progress import Note, ReportsProgress, unheard, unseen


def table_for(
    device: str | Path, kernels: Sequence[Kernel], threads: int = 1, progress: ReportsProgress = unseen
) -> LatencyTable:
    """The device's table; for this machine, kernels not yet measured are timed first.

    Args:
        device: a shipped name, `host` or `host-int8`, or a table's file.
        kernels: that will be predicted.
        threads: of the runtime, on this machine.
        progress: told how far the timing is.

    Raises:
        InputError: unknown device, or this machine's kept table is of another machine, runtime or number of threads.
    """
    name = str(device)
    if name not in HOST_PRECISIONS:
        return load_table(name)
    path, settings = host_measurements_path(name), SessionSettings(retake=False)
    target = HostTarget(threads, HOST_PRECISIONS[name])
    return measure(path, kernels, target, settings, session_progress(progress)).table()


def session_progress(progress: ReportsProgress) -> ReportsSession:
    """Tells how far a session is; the text says how long it will still take."""

    def told(done: int, total: int, seconds_left: float | None) -> None:
        left = "" if seconds_left is None else f", about {max(round(seconds_left / 60), 1)} min left"
        progress(done, total, f"timing kernels: {done} of {total}{left}")

    return told


def device_facts(name: str, note: Note = unheard) -> dict[str, Any]:
    """What is known of a device, as plain data; this machine without measurements that hold for it has no kernels.

    Raises:
        InputError: unknown device.
    """
    try:
        table = load_table(name)
    except InputError as error:
        if name not in HOST_PRECISIONS:
            raise
        if host_measurements_path(name).is_file():
            note(f"note: {error}")
        device = host_device(1, HOST_PRECISIONS[name]).model_dump() | {"threads": None}
        return {**device, "kernels": 0, "networks": 0, "mean_error": None, "within_10_percent": None, "source": ""}
    correction = table.correction.model_dump(include={"networks", "mean_error", "within_10_percent"})
    return {
        **table.device.model_dump(),
        "kernels": len(table.measured),
        **correction,
        "source": f"{table.source.link or table.source.how} ({table.source.licence}, {table.source.when})",
    }
