"""The latency table of a phone from the rows of some networks."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median

import numpy as np
from phone_measurements import DEVICES, SOURCE, Row

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.table import LatencyTable, MeasuredKernel, build_table

FEW = 3
"""Fewer figures than this have no percentiles."""


def phone_table(phone: str, rows: Iterable[Row]) -> LatencyTable:
    """The table of one phone from the given rows, by the name that the source gives it; without a correction."""
    return build_table(DEVICES[phone], SOURCE, _entries(phone, list(rows)))


def _entries(phone: str, rows: list[Row]) -> list[MeasuredKernel]:
    values: dict[Kernel, list[float]] = defaultdict(list)
    for row in rows:
        if phone in row.times_ms:
            values[row.kernel].append(row.times_ms[phone])
    return [_entry(kernel, times) for kernel, times in values.items()]


def _entry(kernel: Kernel, times: list[float]) -> MeasuredKernel:
    if len(times) < FEW:
        return MeasuredKernel(kernel=kernel, median_ms=round(median(times), 6), runs=len(times))
    low, middle, high = (round(float(value), 6) for value in np.percentile(times, [10, 50, 90]))
    return MeasuredKernel(kernel=kernel, median_ms=middle, p10_ms=low, p90_ms=high, runs=len(times))
