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
from nas_isp.latency.host import HostTiming, host_device, host_table_for, time_models
from nas_isp.latency.kernels import Kernel, kernels_of
from nas_isp.latency.predict import predict
from nas_isp.latency.tables import HOST, LatencyTable, load_table, merged, read_json, read_table

if TYPE_CHECKING:
    from nas_isp.generators.architecture import Architecture


def table_for(device: str, kernels: Sequence[Kernel], threads: int) -> LatencyTable:
    """The device's table; for this machine, kernels not yet measured are timed first.

    Raises:
        InputError: unknown device, or this machine's kept table is of another machine, runtime or number of threads.
    """
    if device != HOST:
        return load_table(device)
    with progress_bar("timing kernels on this machine") as report:
        return host_table_for(kernels, threads, on_progress=report)


def space_kernels(space: str, input_size: str, samples: int) -> list[Kernel]:
    """Kernels of random members of a space, the most frequent first."""
    import numpy as np

    from nas_isp.search.space import load_space

    height, width = parse_size(input_size)
    members, rng = load_space(space), np.random.default_rng(0)
    counts = Counter(kernel for _ in range(samples) for kernel in kernels_of(members.sample(rng), height, width))
    return [kernel for kernel, _ in counts.most_common()]


def merged_table(paths: Sequence[Path]) -> LatencyTable:
    """One table of several measurement files; where a kernel is in several, the last file counts.

    Raises:
        InputError: no measurements, or files of different devices.
    """
    tables = [read_table(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if table.device != tables[0].device:
            raise InputError(
                f"{path}: measured on another device or runtime than {paths[0]}: never mix them in a table"
            )
    entries = [entry for table in tables for entry in table.measured]
    if not entries:
        raise InputError(f"{paths[0]}: holds no measured kernel; run `nas-isp latency measure` first")
    return tables[-1].model_copy(update={"measured": tuple(merged([], entries))})


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
    device: str, networks: str, input_size: str, threads: int, seed: int, report: ReportsProgress
) -> dict[str, Any]:
    """Measure random networks of a space on this machine and compare.

    Raises:
        InputError: another device than this machine, or an unknown space.
    """
    import numpy as np

    from nas_isp.search.space import load_space

    space, count = _space_and_count(networks)
    height, width = parse_size(input_size)
    members, rng = load_space(space), np.random.default_rng(seed)
    architectures = [members.sample(rng) for _ in range(count)]
    lists = [kernels_of(architecture, height, width) for architecture in architectures]
    table = _this_machines_table(device, [kernel for kernels in lists for kernel in kernels], threads)
    rows: list[dict[str, Any]] = []
    for index, (architecture, kernels) in enumerate(zip(architectures, lists, strict=True)):
        report(index, count, "measuring networks")
        prediction = predict(table, kernels)
        times = time_models([_exported(architecture, height, width)], HostTiming(threads))[0]
        rows.append(
            {
                "network": architecture.digest(),
                "predicted_ms": prediction.latency_ms,
                "measured_ms": float(np.median(times)),
                "kernels_ms": prediction.kernels_ms,
                "kernel_count": len(kernels),
            }
        )
    found = agreement([row["predicted_ms"] for row in rows], [row["measured_ms"] for row in rows])
    return {"device": table.device.id, "threads": threads, "input_size": input_size, **asdict(found), "results": rows}


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


def _this_machines_table(device: str, kernels: Sequence[Kernel], threads: int) -> LatencyTable:
    if device == HOST:
        return table_for(device, kernels, threads)
    table = load_table(device)
    if table.device != host_device(threads):
        raise InputError(
            f"device '{device}' is {table.device.name} with {table.device.threads} threads: networks can only be "
            "measured on this machine; give --device host, or a table measured here and its --threads"
        )
    return table


def _exported(architecture: "Architecture", height: int, width: int) -> bytes:
    from nas_isp.export.tflite import export_tflite
    from nas_isp.generators.build import build, fuse

    return export_tflite(fuse(build(architecture)), height, width, "fp32")
