"""Latency tables: what was measured on a device, by whom, and the models fitted to it. One JSON file a device."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nas_isp.errors import InputError
from nas_isp.files import write_whole
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.correction import Correction
from nas_isp.latency.predict.provenance import Setup
from nas_isp.latency.predict.roofline import Roofline, fit_models
from nas_isp.latency.predict.uncertainty import Uncertainty
from nas_isp.precision import Precision
from nas_isp.settings import Settings, read_json, validated

SCHEMA_VERSION: Literal[1] = 1
MOST_BYTES = 64 * 1024 * 1024
"""Of a table or a file of measurements: many times what every kernel of a phone takes."""

Processor = Literal["gpu", "cpu", "npu"]


class DeviceRecord(Settings):
    """What the measurements ran on."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", description="Name by which the table is asked for.")]
    name: Annotated[str, Field(min_length=1, description="Name of the device for people.")]
    soc: Annotated[str, Field(description="System on a chip, or processor model.")]
    processor: Annotated[Processor, Field(description="Which part of it ran the kernels.")]
    processor_name: Annotated[str, Field(description="Name of that part.")] = ""
    runtime: Annotated[str, Field(description="Inference runtime.")]
    runtime_version: Annotated[str | None, Field(description="Its version; null: the source does not say.")] = None
    delegate: Annotated[str | None, Field(description="Delegate of the runtime, if any.")] = None
    precision: Annotated[str, Field(description="Arithmetic, as far as the source says.")]
    threads: Annotated[int | None, Field(ge=1, description="Threads, for a CPU.")] = None
    winograd: Annotated[bool, Field(description="Whether the runtime runs wide 3x3 convolutions by Winograd.")] = False

    @property
    def model_precision(self) -> Precision:
        """Precision of the models that it is given: a GPU computes float networks in half precision itself."""
        return "int8" if self.precision == "int8" else "fp32"

    def suits(self, precision: Precision | None) -> bool:
        """Whether a kernel of that precision can be timed on it; one that states none is taken to be of its own."""
        return precision is None or (precision == "int8") == (self.precision == "int8")


class SourceRecord(Settings):
    """Where the measurements come from."""

    how: Annotated[str, Field(min_length=1, description="How the kernels and networks were timed.")]
    when: Annotated[str, Field(min_length=1, description="When they were timed, or the revision they were taken at.")]
    licence: Annotated[str, Field(min_length=1, description="Licence of the measurements.")]
    link: Annotated[str, Field(description="Where to find the source.")]
    caveat: Annotated[str, Field(description="What a user of predictions must know.")] = ""
    setup: Annotated[Setup | None, Field(description="How this program timed them; null: it did not.")] = None
    anchor_ms: Annotated[
        float | None, Field(gt=0, description="Time of the set-up's anchor network, at which all times are stated.")
    ] = None


class MeasuredKernel(Settings):
    """Times of one kernel."""

    kernel: Annotated[Kernel, Field(description="What was timed.")]
    median_ms: Annotated[float, Field(gt=0, description="Median time.")]
    min_ms: Annotated[float | None, Field(gt=0, description="Shortest time; null: unknown.")] = None
    p10_ms: Annotated[float | None, Field(gt=0, description="10th percentile; null: unknown.")] = None
    p90_ms: Annotated[float | None, Field(gt=0, description="90th percentile; null: unknown.")] = None
    runs: Annotated[int, Field(ge=1, description="Number of single times behind these figures.")]
    averaged: Annotated[bool, Field(description="Whether median_ms is a mean: the benchmark tells no median.")] = False
    nodes: Annotated[int | None, Field(ge=1, description="Nodes of the timed model; null: unknown.")] = None
    delegated_nodes: Annotated[int | None, Field(ge=0, description="Those of them that the delegate ran.")] = None
    anchor_drift: Annotated[
        float | None,
        Field(
            gt=-1, description="How far the reference network was off meanwhile, as a share; null: within the limit."
        ),
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> "MeasuredKernel":
        times = [time for time in (self.min_ms, self.p10_ms, self.median_ms, self.p90_ms) if time is not None]
        if times != sorted(times):
            raise ValueError(f"shortest time, p10, median and p90 are {times} ms; they must not decrease")
        return self


class LatencyTable(Settings):
    """One device: measured kernels, the models fitted to them, and the correction to whole networks."""

    schema_version: Annotated[Literal[1], Field(description="Version of this format.")]
    device: DeviceRecord
    source: SourceRecord
    correction: Correction
    uncertainty: Uncertainty = Uncertainty()
    models: Annotated[dict[str, Roofline], Field(description="Fitted model per kernel kind.")]
    measured: tuple[MeasuredKernel, ...]
    fallen_back: Annotated[
        tuple[MeasuredKernel, ...],
        Field(description="Kernels that the delegate left to the CPU, with their time there."),
    ] = ()


def build_table(
    device: DeviceRecord,
    source: SourceRecord,
    measured: Sequence[MeasuredKernel],
    fallen_back: Sequence[MeasuredKernel] = (),
) -> LatencyTable:
    """A table with the models fitted to the measured kernels, and no correction yet."""
    kernels, times = [entry.kernel for entry in measured], [entry.median_ms for entry in measured]
    return LatencyTable(
        schema_version=SCHEMA_VERSION,
        device=device,
        source=source,
        correction=Correction(),
        models=fit_models(kernels, times, device.winograd) if measured else {},
        measured=tuple(measured),
        fallen_back=tuple(fallen_back),
    )


def read_table(path: Path) -> LatencyTable:
    """Read and validate a table.

    Raises:
        InputError: unreadable, not JSON, or a field that is missing, unknown or out of range.
    """
    content = read_json(path, MOST_BYTES)
    if isinstance(content, dict) and "batches" in content:
        raise InputError(f"{path}: holds measurements, not a table; build a table of them first")
    return validated(content, LatencyTable, path)


def write_table(path: Path, table: LatencyTable) -> None:
    """Write a table, one kernel a line; the file appears whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    write_whole(path, json_lines(table, "measured", table.measured))


def json_lines(record: Settings, name: str, entries: Iterable[Settings]) -> str:
    """A record as JSON, in which the entries of one field, `name`, come last and take one line each."""
    head = json.dumps(record.model_dump(mode="json", exclude={name}), indent=1)
    lines = [json.dumps(entry.model_dump(mode="json", exclude_defaults=True)) for entry in entries]
    return head[: head.rindex("\n}")] + f',\n "{name}": [\n' + ",\n".join(lines) + "\n ]\n}\n"


def merged(first: Iterable[MeasuredKernel], second: Iterable[MeasuredKernel]) -> list[MeasuredKernel]:
    """Both, in order; where a kernel is in both, its entry is the second's."""
    return list(({entry.kernel: entry for entry in first} | {entry.kernel: entry for entry in second}).values())
