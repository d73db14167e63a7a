"""What TensorFlow Lite's `benchmark_model` prints, as numbers. Pure text in, records out.

The format is that of `tensorflow/lite/tools/benchmark`: for each phase, the warm-up first, a line of microseconds
`count=... first=... curr=... min=... max=... avg=... std=...` (newer builds add `p5= median= p95=`; a phase of equal
times is `curr=...(all same)` alone), then `Inference timings in us: ...`. What a delegate took is said when it is
applied.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

Delegate = Literal["gpu", "xnnpack"]

_SPOKEN: dict[Delegate, str] = {"gpu": "GPU", "xnnpack": "XNNPACK"}
_NODE: dict[Delegate, str] = {"gpu": "TfLiteGpuDelegate", "xnnpack": "TfLiteXNNPackDelegate"}
_TOLD = re.compile(r"\b(count|first|curr|min|max|avg|std|p5|median|p95)=([-+.\deE]+)")
_REPLACED = re.compile(r"Replacing (\d+) out of (\d+) node\(s\) with delegate \((\w+)\)")
_FAULT = re.compile(r"error|fail|cannot|can't|unable|invalid|not found|no such|denied|illegal|killed|abort|fault", re.I)


@dataclass(frozen=True)
class Delegation:
    """What a delegate took of a model; None is what the program did not tell."""

    whole: bool
    """Whether it runs the model alone."""
    applied: bool
    """Whether the program spoke of it at all."""
    nodes: int | None = None
    delegated_nodes: int | None = None


@dataclass(frozen=True)
class BenchmarkRun:
    """One run of the program: the regular phase, without warm-up."""

    typical_ms: float
    averaged: bool
    """Whether that is the mean, because this build prints no median."""
    min_ms: float
    runs: int


@dataclass(frozen=True)
class OperatorTime:
    """One line of a profile: an operator of the model, or of the delegate that runs it."""

    operator: str
    average_ms: float
    name: str


def benchmark_run(text: str) -> BenchmarkRun | None:
    """The times in an output; None where the program did not get to its end."""
    before, end, _ = text.partition("Inference timings in us:")
    phases = [line for line in before.splitlines() if re.search(r"\bcount=\d", line)]
    if not end or not phases:
        return None
    told = {name: number for name, value in _TOLD.findall(phases[-1]) if (number := _number(value)) is not None}
    same = told.get("curr", 0.0)
    typical = told.get("median", told.get("avg", same))
    if typical <= 0 or told.get("min", same) <= 0 or told.get("count", 0) < 1:
        return None
    averaged = "median" not in told and "avg" in told
    return BenchmarkRun(typical / 1e3, averaged, told.get("min", same) / 1e3, int(told["count"]))


def delegation(text: str, delegate: Delegate) -> Delegation:
    """What an output says of the delegate that was asked for. Other delegates, applied by default, do not count."""
    spoken = _SPOKEN[delegate]
    whole = f"Explicitly applied {spoken} delegate, and the model graph will be completely" in text
    part = f"Explicitly applied {spoken} delegate, and the model graph will be partially" in text
    none = f"Though {spoken} delegate is explicitly applied, the model graph will not be" in text
    counts = [(int(all_), int(taken)) for taken, all_, by in _REPLACED.findall(text) if by.startswith(_NODE[delegate])]
    nodes, taken = counts[0] if counts else (None, None)
    return Delegation(whole, whole or part or none, nodes, 0 if none and nodes is not None else taken)


def fault(text: str) -> str:
    """The line of a failed run that says most, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if _FAULT.search(line)] or lines or ["it printed nothing"]
    return telling[0].removeprefix("ERROR: ")[:200]


def operator_times(csv: str) -> list[OperatorTime]:
    """The operators of a profile in the order in which they run (`--profiling_output_csv_file`)."""
    _, _, regular = csv.partition("Operator-wise Profiling Info for Regular Benchmark Runs:")
    _, _, section = regular.partition("Run Order")
    lines = iter(section.splitlines()[1:])
    columns = [column.strip() for column in next(lines, "").split(",")]
    if not {"node type", "avg_ms", "name"} <= set(columns):
        return []
    times = []
    for line in lines:
        cells = [cell.strip() for cell in line.split(",", len(columns) - 1)]
        if len(cells) < len(columns):
            break
        row = dict(zip(columns, cells, strict=True))
        average_ms = _number(row["avg_ms"])
        if average_ms is None:
            break
        times.append(OperatorTime(row["node type"], average_ms, row["name"]))
    return times


def _number(text: str) -> float | None:
    """A finite number, or None: lines of other processes may run into those of the program."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
