"""The file of a measuring session: everything that was timed on one target, batch by batch. One JSON file a target."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median, median_low
from typing import Annotated, Literal

from pydantic import Field

from nas_isp.errors import InputError
from nas_isp.files import write_whole
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.reference_network import MAX_DRIFT
from nas_isp.latency.predict.provenance import Health, Setup, difference
from nas_isp.latency.predict.table import (
    MOST_BYTES,
    DeviceRecord,
    LatencyTable,
    MeasuredKernel,
    SourceRecord,
    build_table,
    json_lines,
    merged,
)
from nas_isp.settings import Settings, read_json, validated

FORMAT: Literal["nas-isp measurements"] = "nas-isp measurements"
SCHEMA_VERSION: Literal[1] = 1
TIMES = ("median_ms", "min_ms", "p10_ms", "p90_ms")


class FailedKernel(Settings):
    """A kernel that the target could not run."""

    kernel: Annotated[Kernel, Field(description="What was tried.")]
    reason: Annotated[str, Field(description="What the target said.")]


class MeasuredBatch(Settings):
    """Kernels that were timed in turns, and the reference network's time among them."""

    when: Annotated[str, Field(min_length=1, description="When it ended, UTC.")]
    anchor_ms: Annotated[float, Field(gt=0, description="Median time of the reference network in this batch.")]
    attempts: Annotated[int, Field(ge=1, description="How often the batch was timed; the steadiest attempt is kept.")]
    health: Annotated[Health, Field(description="State of the device at its end.")]
    measured: Annotated[tuple[MeasuredKernel, ...], Field(description="Kernels that ran as asked.")]
    fallen_back: Annotated[
        tuple[MeasuredKernel, ...],
        Field(description="Kernels that the delegate did not run whole: no part of a table."),
    ] = ()
    failed: Annotated[tuple[FailedKernel, ...], Field(description="Kernels that did not run.")] = ()


class Measurements(Settings):
    """One target: what it is, how it was timed, and every batch so far."""

    format: Annotated[Literal["nas-isp measurements"], Field(description="Tells this file from a table.")] = FORMAT
    schema_version: Annotated[Literal[1], Field(description="Version of this format.")] = SCHEMA_VERSION
    device: DeviceRecord
    setup: Setup
    batches: tuple[MeasuredBatch, ...] = ()

    @property
    def reference_ms(self) -> float | None:
        """What the reference network takes on this target: its median over the batches; None before the first.

        A median, so that a start on a cold phone or a disturbed hour does not decide; of two, the faster.
        """
        return median_low(batch.anchor_ms for batch in self.batches) if self.batches else None

    def drift(self, anchor_ms: float) -> float:
        """How far an anchor's time is off the reference, as a share; 0 before the first batch."""
        return 0.0 if self.reference_ms is None else anchor_ms / self.reference_ms - 1

    def measured(self, max_drift: float = MAX_DRIFT) -> list[MeasuredKernel]:
        """Every timed kernel once: the median of its steady times, else its latest time with the drift as a mark.

        Times are those that the kernel would take while the reference network takes its usual time: divided by one
        plus the drift.
        """
        steady: dict[Kernel, list[MeasuredKernel]] = {}
        marked: list[MeasuredKernel] = []
        for batch in self.batches:
            drift = self.drift(batch.anchor_ms)
            for entry in batch.measured:
                if abs(drift) <= max_drift:
                    steady.setdefault(entry.kernel, []).append(_at_reference(entry, drift))
                else:
                    mark = {"anchor_drift": round(drift, 4)}
                    marked.append(_at_reference(entry, drift).model_copy(update=mark))
        return merged(marked, [_median_of(entries) for entries in steady.values()])

    @property
    def fallen_back(self) -> list[MeasuredKernel]:
        """Every kernel that the delegate left to the CPU."""
        return merged([], [entry for batch in self.batches for entry in batch.fallen_back])

    @property
    def failed(self) -> list[FailedKernel]:
        """Every kernel that never ran, with its latest reason."""
        ran = {entry.kernel for batch in self.batches for entry in (*batch.measured, *batch.fallen_back)}
        latest = {entry.kernel: entry for batch in self.batches for entry in batch.failed}
        return [entry for kernel, entry in latest.items() if kernel not in ran]

    def table(self) -> LatencyTable:
        """The latency table of what ran as asked."""
        return build_table(self.device, self.source(), self.measured(), self.fallen_back)

    def source(self) -> SourceRecord:
        """Provenance for the table."""
        days = [batch.when[:10] for batch in self.batches]
        return SourceRecord(
            how="small TFLite models timed in turns with a reference network, median at its usual speed",
            when="not yet" if not days else min(days) if min(days) == max(days) else f"{min(days)} to {max(days)}",
            licence="measured by the user",
            link="",
            caveat="kernels are timed alone; whole networks were not measured unless a correction says so",
            setup=self.setup,
            anchor_ms=self.reference_ms,
        )


def joined(files: Sequence[tuple[Path, Measurements]]) -> Measurements:
    """The batches of several files of one device and set-up.

    Raises:
        InputError: files of different devices or set-ups, or no batch in any.
    """
    first_path, first = files[0]
    for path, other in files[1:]:
        different = difference(first.device, other.device) or difference(first.setup, other.setup)
        if different:
            raise InputError(
                f"{path}: cannot join {first_path}, measured with {different}: never mix targets, build a table of each"
            )
    batches = tuple(batch for _, file in files for batch in file.batches)
    if not any(batch.measured for batch in batches):
        raise InputError(f"{first_path}: holds no measured kernel; measure some first")
    return first.model_copy(update={"batches": batches})


def read_measurements(path: Path) -> Measurements:
    """Read and validate a file of measurements.

    Raises:
        InputError: unreadable, not JSON, or a field that is missing, unknown or out of range.
    """
    return validated(read_json(path, MOST_BYTES), Measurements, path)


def write_measurements(path: Path, measurements: Measurements) -> None:
    """Write a file of measurements, one batch a line; the file appears whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    write_whole(path, json_lines(measurements, "batches", measurements.batches))


def _median_of(entries: Sequence[MeasuredKernel]) -> MeasuredKernel:
    """One entry for the same kernel timed in several batches."""
    if len(entries) == 1:
        return entries[0]
    known = {name: [getattr(entry, name) for entry in entries] for name in TIMES}
    times = {name: None if None in values else round(median(values), 6) for name, values in known.items()}
    return entries[-1].model_copy(update={**times, "runs": sum(entry.runs for entry in entries)})


def _at_reference(entry: MeasuredKernel, drift: float) -> MeasuredKernel:
    times = {name: getattr(entry, name) for name in TIMES}
    return entry.model_copy(
        update={name: round(time / (1 + drift), 6) for name, time in times.items() if time is not None}
    )
