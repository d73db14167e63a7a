"""Timing kernels and whole networks on this machine in LiteRT (XNNPACK), and the table that comes of it."""

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from nas_isp.errors import InputError
from nas_isp.latency.kernel import Kernel
from nas_isp.latency.predict import Predictor
from nas_isp.latency.tables import (
    HOST,
    DeviceRecord,
    LatencyTable,
    MeasuredKernel,
    SourceRecord,
    build_table,
    check_writable,
    host_table_path,
    merged,
    read_table,
    write_table,
)

BATCH = 8
"""Kernels whose runs are interleaved, so that a disturbance hits all of them alike."""

FEWEST_RUNS, MOST_RUNS = 7, 60
SECONDS_PER_KERNEL = 0.4

Progress = Callable[[int, int], None]
"""Told the number of kernels done and of all."""


@dataclass(frozen=True)
class HostTiming:
    """How to time on this machine."""

    threads: int = 1
    seconds_per_kernel: float = SECONDS_PER_KERNEL
    deadline: float = field(default=float("inf"))
    """`time.monotonic()` after which no further batch is started."""


def host_table_for(
    kernels: Sequence[Kernel], threads: int = 1, path: Path | None = None, on_progress: Progress | None = None
) -> LatencyTable:
    """This machine's table, with whatever of the kernels it lacks timed first and kept in the file.

    Raises:
        InputError: a kernel that cannot be timed here, or a kept table that is malformed or was measured on another
            machine, runtime or number of threads, whether or not it lacks a kernel.
    """
    path = path or host_table_path()
    table = kept_table(path, threads)
    if missing_kernels(table, kernels):
        table = extend_host_table(path, kernels, HostTiming(threads), on_progress)
    return table


def extend_host_table(
    path: Path, kernels: Sequence[Kernel], timing: HostTiming, on_progress: Progress | None = None
) -> LatencyTable:
    """Time those kernels that the table in the file lacks, and write the file after every batch.

    An interrupted call leaves a valid file; the next call goes on from there.

    Raises:
        InputError: a kernel that cannot be timed here, a file that cannot be written, or one of another machine,
            runtime or number of threads.
    """
    table = kept_table(path, timing.threads)
    missing = missing_kernels(table, kernels)
    check_writable(path)
    for done, batch in _batches(missing):
        if on_progress is not None:
            on_progress(done, len(missing))
        if time.monotonic() > timing.deadline:
            break
        entries = measure_kernels(batch, timing)
        table = build_table(table.device, host_source(), merged(table.measured, entries), table.correction)
        write_table(path, table)
    return table


def kept_table(path: Path, threads: int | None = None) -> LatencyTable:
    """The table in a file of this machine's measurements; an empty one where there is no file yet.

    Args:
        path: the file.
        threads: of the runtime; None takes those that the file was measured with.

    Raises:
        InputError: malformed, or measured on another machine, runtime or number of threads.
    """
    if not path.is_file():
        return build_table(host_device(threads or 1), host_source(), [])
    table = read_table(path)
    there, here = table.device, host_device(threads or table.device.threads or 1)
    if there != here:
        raise InputError(
            f"{path}: measured on {_in_short(there)}, but this is {_in_short(here)}: "
            "give the same --threads, write to another file, or move this one away to measure anew"
        )
    return table


def missing_kernels(table: LatencyTable, kernels: Sequence[Kernel]) -> list[Kernel]:
    """Those kernels, each once, that the table has no measurement of."""
    predictor = Predictor(table)
    missing: dict[object, Kernel] = {}
    for kernel in kernels:
        if not predictor.holds(kernel):
            missing.setdefault(predictor.key(kernel), kernel)
    return list(missing.values())


def measure_kernels(kernels: Sequence[Kernel], timing: HostTiming) -> list[MeasuredKernel]:
    """Time single-kernel models, their runs interleaved.

    Raises:
        InputError: a kernel that cannot be timed here.
    """
    from nas_isp.latency.host_models import single_kernel_model

    for kernel in kernels:
        if kernel.precision not in (None, "fp32"):
            raise InputError(f"kernel '{kernel.label()}' is {kernel.precision}: this machine is timed in fp32 only")
    models = [single_kernel_model(kernel) for kernel in kernels]
    times = time_models(models, timing)
    return [_entry(kernel, times_ms) for kernel, times_ms in zip(kernels, times, strict=True)]


def time_models(models: Sequence[bytes], timing: HostTiming) -> list[list[float]]:
    """Times in ms of TFLite models, interleaved run by run after a warm-up; one list per model."""
    runs = [_prepared(model, timing.threads) for model in models]
    first = [min(_timed_ms(run) for _ in range(2)) for run in runs]
    wanted = [_run_count(ms, timing.seconds_per_kernel) for ms in first]
    times: list[list[float]] = [[] for _ in runs]
    for number in range(max(wanted, default=0)):
        for index, run in enumerate(runs):
            if number < wanted[index]:
                times[index].append(_timed_ms(run))
    return times


def host_device(threads: int) -> DeviceRecord:
    """This machine as a device."""
    model = _processor_name()
    return DeviceRecord(
        id=HOST,
        name=f"this machine ({model})",
        soc=model,
        processor="cpu",
        processor_name=model,
        runtime="LiteRT",
        runtime_version=version("ai-edge-litert"),
        delegate="XNNPACK",
        precision="fp32",
        threads=threads,
    )


def host_source() -> SourceRecord:
    """Provenance of what this machine measures."""
    return SourceRecord(
        how=f"single-kernel TFLite models in LiteRT, runs interleaved over {BATCH} kernels, median of at least "
        f"{FEWEST_RUNS} after a warm-up",
        when=date.today().isoformat(),
        licence="measured by the user",
        link="",
        caveat="kernels are timed alone; whole networks were not measured unless a correction says so",
    )


def _in_short(device: DeviceRecord) -> str:
    return f"{device.name}, {device.runtime} {device.runtime_version}, {device.threads} threads"


def _batches(kernels: Sequence[Kernel]) -> Iterator[tuple[int, Sequence[Kernel]]]:
    for start in range(0, len(kernels), BATCH):
        yield start, kernels[start : start + BATCH]


def _prepared(model: bytes, threads: int) -> Callable[[], object]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter: Any = Interpreter(model_content=model, num_threads=threads)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        interpreter.set_tensor(entry["index"], rng.random(entry["shape"], dtype=np.float32))
    run: Callable[[], object] = interpreter.invoke
    return run


def _timed_ms(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def _run_count(first_ms: float, seconds: float) -> int:
    return int(np.clip(seconds * 1e3 / max(first_ms, 1e-6), FEWEST_RUNS, MOST_RUNS))


def _entry(kernel: Kernel, times_ms: Sequence[float]) -> MeasuredKernel:
    low, median, high = (round(float(value), 6) for value in np.percentile(times_ms, [10, 50, 90]))
    return MeasuredKernel(kernel=kernel, median_ms=median, p10_ms=low, p90_ms=high, runs=len(times_ms))


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else (platform.processor() or platform.machine())
