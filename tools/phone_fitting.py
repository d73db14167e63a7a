"""The latency table of a phone from the rows of some networks."""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median

import numpy as np
from phone_measurements import DEVICES, SOURCE, Row, by_network

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.correction import fit_correction
from nas_isp.latency.predict.gaussian_process import Interpolator
from nas_isp.latency.predict.predictor import MakeInterpolator, Predictor
from nas_isp.latency.predict.table import LatencyTable, MeasuredKernel, build_table

FEW = 3
"""Fewer figures than this have no percentiles."""


def phone_table(
    phone: str,
    rows: Iterable[Row],
    networks_ms: dict[str, dict[str, float]],
    make_interpolator: MakeInterpolator = Interpolator,
    extras: bool = True,
    correct: bool = True,
) -> LatencyTable:
    """The table of one phone from the given rows.

    Args:
        phone: name that the source gives it.
        rows: operators of some networks.
        networks_ms: times of whole networks per phone.
        make_interpolator: how kernels without a measurement are predicted.
        extras: whether the correction charges for more than sum, number of kernels and a constant.
        correct: whether to fit a correction to the networks that the rows belong to.
    """
    rows = list(rows)
    table = build_table(DEVICES[phone], SOURCE, _entries(phone, rows))
    if not correct:
        return table
    predictor = Predictor(table, make_interpolator)
    networks = by_network(rows)
    predictions = [predictor.predict(kernels) for kernels in networks.values()]
    correction = fit_correction(
        [prediction.kernels_ms for prediction in predictions],
        [len(kernels) for kernels in networks.values()],
        [networks_ms[network][phone] for network in networks],
        [predictor.extras(prediction.kernels) for prediction in predictions] if extras else None,
    )
    return table.model_copy(update={"correction": correction})


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
