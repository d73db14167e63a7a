"""A measuring session: kernels are timed on a target batch by batch until all are done, and nothing done is lost."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nas_isp.errors import InputError
from nas_isp.files import check_writable, make_folder
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.drift import steadiest, time_beside_reference, warm_up
from nas_isp.latency.measure.measurements import (
    FailedKernel,
    MeasuredBatch,
    Measurements,
    read_measurements,
    write_measurements,
)
from nas_isp.latency.measure.measuring_target import Failure, MeasuringTarget, Timing
from nas_isp.latency.measure.order import measuring_order
from nas_isp.latency.measure.reference_network import MAX_DRIFT
from nas_isp.latency.predict.predictor import Predictor
from nas_isp.latency.predict.provenance import difference
from nas_isp.latency.predict.table import MeasuredKernel

if TYPE_CHECKING:
    from nas_isp.latency.measure.probes import Probe

BATCH = 8
"""Kernels that are timed in turns with the reference network, and whose loss a break costs at most."""


class ReportsSession(Protocol):
    """Told the kernels done and all to do, and the seconds left as far as they can be known."""

    def __call__(self, done: int, total: int, seconds_left: float | None) -> None: ...


@dataclass(frozen=True)
class SessionSettings:
    """When to stop, and what counts as steady."""

    deadline: float = float("inf")
    """`time.monotonic()` after which no further batch is started."""
    max_drift: float = MAX_DRIFT
    passes: int = 1
    """In how many batches, at different times, each kernel is timed; the table has the median of them."""
    retake: bool = True
    """Whether kernels that failed, or whose batch was unsteady, are timed again after all others."""


def measure(
    path: Path,
    kernels: Sequence[Kernel],
    target: MeasuringTarget,
    settings: SessionSettings | None = None,
    on_progress: ReportsSession | None = None,
) -> Measurements:
    """Time those kernels that the file lacks, then again those that failed or were unsteady.

    The file is written after every batch. Whatever ends the call leaves a valid file; the same call goes on from there.

    Args:
        path: file of measurements, new or of the same target and set-up.
        kernels: the most frequent first; repeated ones are timed once.
        target: that times them.
        settings: limits.
        on_progress: told before every batch.

    Raises:
        InputError: a file of another target or set-up or one that cannot be written, or a target that cannot be used.
    """
    settings = settings or SessionSettings()
    measurements = _begun(path, target)
    batches = [batch for one_pass in _passes(measurements, kernels, settings) for batch in _batches(one_pass)]
    make_folder(path.parent)
    check_writable(path)
    if not batches or time.monotonic() > settings.deadline:
        return measurements
    warm_up(target, settings.max_drift)
    started, done, total = time.monotonic(), 0, sum(map(len, batches))
    for batch in batches:
        if on_progress is not None:
            on_progress(done, total, _seconds_left(started, done, total, settings.deadline))
        if time.monotonic() > settings.deadline:
            break
        timed = _timed_steadily(measurements, batch, target, settings)
        measurements = measurements.model_copy(update={"batches": (*measurements.batches, timed)})
        write_measurements(path, measurements)
        done += len(batch)
    return measurements


def missing_kernels(measurements: Measurements, kernels: Sequence[Kernel]) -> list[Kernel]:
    """Those kernels, each once and in order, that the measurements say nothing about."""
    done = [
        entry.kernel
        for batch in measurements.batches
        for entries in (batch.measured, batch.fallen_back, batch.failed)
        for entry in entries
    ]
    return _without(_keys(measurements), done, kernels)


def _begun(path: Path, target: MeasuringTarget) -> Measurements:
    """The measurements in a file, or none yet where there is no file."""
    here = Measurements(device=target.device, setup=target.setup)
    if not path.is_file():
        return here
    there = read_measurements(path)
    for part in ("device", "setup"):
        if different := difference(getattr(there, part), getattr(here, part)):
            raise InputError(
                f"{path}: measured with {part} {different}: "
                "give the same options, write to another file, or move this one away to measure anew"
            )
    return there


def _passes(measurements: Measurements, kernels: Sequence[Kernel], settings: SessionSettings) -> list[list[Kernel]]:
    """What is left to time: a kernel is in a pass once at most, and no batch holds kernels of two."""
    key = _keys(measurements)
    wanted = measuring_order(_without(key, (), kernels), measurements.device.winograd)
    missing = missing_kernels(measurements, wanted)
    if not settings.retake:
        return [missing]
    entries = measurements.measured(settings.max_drift)
    settled = [entry.kernel for entry in entries if entry.anchor_drift is None]
    settled += [entry.kernel for entry in measurements.fallen_back]
    passes = [missing + _without(key, settled + missing, wanted)]
    timed = Counter(
        key(entry.kernel) for batch in measurements.batches for entry in (*batch.measured, *batch.fallen_back)
    )
    timed.update(key(kernel) for kernel in passes[0])
    for number in range(2, settings.passes + 1):
        passes.append([kernel for kernel in reversed(wanted) if timed[key(kernel)] < number])
        timed.update(key(kernel) for kernel in passes[-1])
    return passes


def _keys(measurements: Measurements) -> Callable[[Kernel], object]:
    """What tells kernels apart on this device, so that none is timed twice."""
    return Predictor(measurements.table()).key


def _without(key: Callable[[Kernel], object], done: Sequence[Kernel], kernels: Sequence[Kernel]) -> list[Kernel]:
    seen = {key(kernel) for kernel in done}
    left: dict[object, Kernel] = {}
    for kernel in kernels:
        if key(kernel) not in seen:
            left.setdefault(key(kernel), kernel)
    return list(left.values())


def _batches(kernels: Sequence[Kernel]) -> list[Sequence[Kernel]]:
    return [kernels[start : start + BATCH] for start in range(0, len(kernels), BATCH)]


def _timed_steadily(
    measurements: Measurements, kernels: Sequence[Kernel], target: MeasuringTarget, settings: SessionSettings
) -> MeasuredBatch:
    kept, attempts = steadiest(
        lambda: _timed(kernels, target),
        lambda batch: measurements.drift(batch.anchor_ms),
        settings.max_drift,
        target.cool_down_s,
        settings.deadline,
    )
    return kept.model_copy(update={"attempts": attempts})


def _timed(kernels: Sequence[Kernel], target: MeasuringTarget) -> MeasuredBatch:
    probes: dict[Kernel, Probe] = {}
    failed: list[FailedKernel] = []
    for kernel in kernels:
        try:
            probes[kernel] = _probe(kernel, target)
        except InputError as error:
            failed.append(FailedKernel(kernel=kernel, reason=str(error)))
    models = [model for probe in probes.values() for model in probe.models]
    batch = time_beside_reference(target, models)
    measured: list[MeasuredKernel] = []
    fallen_back: list[MeasuredKernel] = []
    turn = iter(batch.answers)
    for kernel, probe in probes.items():
        own = [next(turn) for _ in probe.models]
        timings = [answer for answer in own if isinstance(answer, Timing)]
        failure = next((answer for answer in own if isinstance(answer, Failure)), None)
        if failure is not None:
            failed.append(FailedKernel(kernel=kernel, reason=failure.reason))
        else:
            timing = probe.timing(timings)
            (fallen_back if timing.fell_back else measured).append(_entry(kernel, timing))
    return MeasuredBatch(
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        anchor_ms=round(batch.anchor_ms, 6),
        attempts=1,
        health=target.health(),
        measured=tuple(measured),
        fallen_back=tuple(fallen_back),
        failed=tuple(failed),
    )


def _probe(kernel: Kernel, target: MeasuringTarget) -> "Probe":
    from nas_isp.latency.measure.probes import probe

    device = target.device
    if not device.suits(kernel.precision):
        raise InputError(
            f"kernel '{kernel.label()}' is {kernel.precision}, this session is timed in {device.precision} only"
        )
    return probe(kernel, device.model_precision, in_place=device.processor == "cpu")


def _entry(kernel: Kernel, timing: Timing) -> MeasuredKernel:
    return MeasuredKernel(
        kernel=kernel,
        median_ms=round(timing.median_ms, 6),
        min_ms=round(timing.min_ms, 6),
        p10_ms=None if timing.p10_ms is None else round(timing.p10_ms, 6),
        p90_ms=None if timing.p90_ms is None else round(timing.p90_ms, 6),
        runs=timing.runs,
        averaged=timing.averaged,
        nodes=timing.nodes,
        delegated_nodes=timing.delegated_nodes,
    )


def _seconds_left(started: float, done: int, total: int, deadline: float) -> float | None:
    now = time.monotonic()
    if not done:
        return None
    return max(min((now - started) / done * (total - done), deadline - now), 0.0)
