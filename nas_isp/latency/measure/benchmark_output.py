"""What a `benchmark_model` prints, as numbers. Pure text in, records out.

TensorFlow Lite's (`tensorflow/lite/tools/benchmark`) prints for each phase, the warm-up first, a line of microseconds
`count=... first=... curr=... min=... max=... avg=... std=...` (newer builds add `p5= median= p95=`; a phase of equal
times is `curr=...(all same)` alone), then `Inference timings in us: ...`. What a delegate took is said when it is
applied. LiteRT 2.x's (`litert/tools/benchmark_litert_model.h`) ends in a list of milliseconds with two decimals,
`Inference (avg): 1.15 ms (50 runs)`; it may print the lines of the phases before, and says nothing of being applied.

Both run on systems that write a comma for the decimal point, and among lines of other programs and loaders.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

Delegate = Literal["gpu", "xnnpack"]

_SPOKEN: dict[Delegate, str] = {"gpu": "GPU", "xnnpack": "XNNPACK"}
_NODE: dict[Delegate, tuple[str, ...]] = {
    "gpu": ("TfLiteGpuDelegate", "LITERT_"),
    "xnnpack": ("TfLiteXNNPackDelegate",),
}
_TOLD = re.compile(r"\b(count|first|curr|min|max|avg|std|p5|median|p95)=([-+.,\deE]+)")
_END = "Inference timings in us:"
_LISTED = re.compile(r"Inference \((avg|min|max)\):\s*([-+.,\deE]+) ms\b(?:\s*\((\d+) runs?\))?")
_LISTED_STEP_MS = 0.01
"""Of LiteRT's list."""
_REPLACED = re.compile(r"Replacing (\d+) out of (\d+) node\(s\) with delegate \((\w+)\)")
_FAULT = re.compile(r"error|fail|cannot|can't|unable|invalid|not found|no such|denied|illegal|killed|abort|fault", re.I)
_WARNING = re.compile(r"\W*warn", re.I)

_ROUNDING = 1e-4
"""Share by which printed times may contradict each other: means have six digits."""


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
    """The times in an output; None where the program did not get to its end, or its times contradict each other."""
    rows = {name: (_number(value), runs) for name, value, runs in _LISTED.findall(text)}
    before, end, _ = text.partition("Inference (avg):" if rows else _END)
    phases = [line for line in before.splitlines() if re.search(r"\bcount=\d", line)]
    run, listed = _of_phase(phases[-1]) if end and phases else None, _of_list(rows)
    # Microseconds say more than the list, unless they are those of the warm-up.
    return listed if listed is not None and (run is None or run.runs != listed.runs) else run


def _of_phase(line: str) -> BenchmarkRun | None:
    told = {name: number for name, value in _TOLD.findall(line) if (number := _number(value)) is not None}
    same = told.get("curr", 0.0)
    typical, least = told.get("median", told.get("avg", same)), told.get("min", same)
    if typical <= 0 or least <= 0 or told.get("count", 0) < 1:
        return None
    if not least * (1 - _ROUNDING) <= typical <= told.get("max", math.inf) * (1 + _ROUNDING):
        return None
    averaged = "median" not in told and "avg" in told
    return BenchmarkRun(typical / 1e3, averaged, least / 1e3, int(told["count"]))


def _of_list(rows: dict[str, tuple[float | None, str]]) -> BenchmarkRun | None:
    """What LiteRT's list tells; None where there is none, or the model is faster than its steps."""
    average, runs = rows.get("avg", (None, ""))
    least, most = (rows.get(name, (None, ""))[0] for name in ("min", "max"))
    if not average or average < 0 or not runs or int(runs) < 1:
        return None
    if (least or 0) > average + _LISTED_STEP_MS or (most or math.inf) < average - _LISTED_STEP_MS:
        return None
    return BenchmarkRun(average, True, least or average, int(runs))


def delegation(text: str, delegate: Delegate) -> Delegation:
    """What an output says of the delegate that was asked for. Other delegates, applied by default, do not count.

    LiteRT's program does not say that a delegate is applied: it is, or the program ends.
    """
    spoken = _SPOKEN[delegate]
    whole = f"Explicitly applied {spoken} delegate, and the model graph will be completely" in text
    part = f"Explicitly applied {spoken} delegate, and the model graph will be partially" in text
    none = f"Though {spoken} delegate is explicitly applied, the model graph will not be" in text
    counts = [(int(all_), int(taken)) for taken, all_, by in _REPLACED.findall(text) if by.startswith(_NODE[delegate])]
    nodes, taken = counts[0] if counts else (None, None)
    if _LISTED.search(text) and not (whole or part or none):
        return Delegation(nodes == taken, True, nodes, taken)
    return Delegation(whole, whole or part or none, nodes, 0 if none and nodes is not None else taken)


def fault(text: str) -> str:
    """The line of a failed run that says most, shortened."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if _FAULT.search(line)]
    # Loaders warn of libraries that have no part in the fault.
    faults = [line for line in telling if not _WARNING.match(line)] or telling
    last = [f"no time of an inference in what it printed, up to '{lines[-1]}'"] if lines else ["it printed nothing"]
    return (faults or last)[0].removeprefix("ERROR: ")[:200]


def operator_times(csv: str) -> list[OperatorTime]:
    """The operators of a profile in the order in which they run (`--profiling_output_csv_file`)."""
    _, _, regular = csv.partition("Operator-wise Profiling Info for Regular Benchmark Runs:")
    _, _, section = regular.partition("Run Order")
    lines = iter(section.splitlines()[1:])
    # A comma without a blank is that of a number.
    columns = re.split(r",\s+", next(lines, "").strip())
    if not {"node type", "avg_ms", "name"} <= set(columns):
        return []
    times = []
    for line in lines:
        cells = re.split(r",\s+", line.strip(), maxsplit=len(columns) - 1)
        if len(cells) < len(columns):
            break
        row = dict(zip(columns, cells, strict=True))
        average_ms = _number(row["avg_ms"])
        if average_ms is None:
            break
        times.append(OperatorTime(row["node type"], average_ms, row["name"]))
    return times


def _number(text: str) -> float | None:
    """A finite number, or None: lines of other processes may run into those of the program.

    Of a comma and a point, the last is the decimal one; a single comma is it too.
    """
    text = text.strip().rstrip(",")
    if "," in text:
        groups, decimal = (",", ".") if text.rfind(".") > text.rfind(",") else (".", ",")
        text = text.replace(groups, "").replace(decimal, ".")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
