"""Predicted beside measured times of whole networks: the result of a validation, and the correction fitted to it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_low
from typing import Annotated

from pydantic import Field

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.benchmark_output import OperatorTime
from nas_isp.latency.predict.correction import Correction, fit_correction
from nas_isp.latency.predict.predictor import Prediction, predict
from nas_isp.latency.predict.table import MOST_BYTES, LatencyTable
from nas_isp.latency.validate.agreement import Agreement, agreement, agreement_left_out
from nas_isp.latency.validate.attribution import KindError, errors_by_kind, kind_label
from nas_isp.latency.validate.timing import TimedNetwork, Untimed
from nas_isp.settings import Settings, read_json, validated

ENOUGH_TO_LEAVE_OUT = 8
"""Networks from which on each can be predicted by a correction of six numbers fitted to the others."""


class ComparedNetwork(Settings):
    """One network, predicted and measured."""

    network: Annotated[str, Field(description="Its name.")]
    predicted_ms: Annotated[float, Field(gt=0, description="Time that the table predicts.")]
    measured_ms: Annotated[float, Field(gt=0, description="Time at the reference network's speed in the table.")]
    timed_ms: Annotated[float, Field(gt=0, description="Time as it was taken.")]
    anchor_drift: Annotated[
        float, Field(gt=-1, description="How far the reference network was off the table's, as a share.")
    ]
    runs: Annotated[int, Field(ge=1, description="Number of single times.")]
    kernels_ms: Annotated[float, Field(gt=0, description="Sum of its kernels' predicted times, not corrected.")]
    kernel_count: Annotated[int, Field(ge=1, description="Number of its kernels.")]
    measured_share: Annotated[float, Field(ge=0, description="Share of kernel time that the table has measured.")]
    extrapolated_share: Annotated[float, Field(ge=0, description="Share of kernel time that is extrapolated.")]


class Comparison(Agreement):
    """Every network that could be timed; the agreement itself is that with `measured_ms`."""

    input_size: Annotated[str, Field(description="Packed rows x columns of networks that can have any.")]
    device: Annotated[str, Field(description="Of the table.")]
    threads: Annotated[int | None, Field(description="Of the table's device; null: not a CPU.")]
    precision: Annotated[str, Field(description="Of the table's device.")]
    as_timed: Annotated[Agreement, Field(description="Agreement with the times as they were taken.")]
    anchor_ms: Annotated[float, Field(gt=0, description="Median of the reference network in this validation.")]
    reference_ms: Annotated[
        float, Field(gt=0, description="Time of the reference network at which measured times are stated.")
    ]
    kinds: Annotated[tuple[KindError, ...], Field(description="Kinds of kernel, the worst first.")]
    failed: Annotated[tuple[Untimed, ...], Field(description="Networks that are left out.")] = ()
    results: Annotated[tuple[ComparedNetwork, ...], Field(min_length=1, description="The networks.")]
    profiles: Annotated[
        dict[str, tuple[OperatorTime, ...]], Field(description="Operators of each network in order, if asked for.")
    ] = {}


def compare(
    table: LatencyTable,
    kernels: Mapping[str, Sequence[Kernel]],
    timed: Sequence[TimedNetwork],
    failed: Sequence[Untimed],
    input_size: str,
) -> Comparison:
    """Predict networks that were timed.

    Args:
        table: to predict with.
        kernels: of every network by its name.
        timed: at least one network.
        failed: networks without a time.
        input_size: packed rows x columns, as the user gave it.

    Raises:
        InputError: a kernel that the table cannot speak of.
    """
    session_ms = median_low(network.anchor_ms for network in timed)
    reference_ms = table.source.anchor_ms or session_ms
    predictions = [predict(table, kernels[network.network]) for network in timed]
    predicted = [prediction.latency_ms for prediction in predictions]
    measured = [network.measured_ms(reference_ms) for network in timed]
    names, parts = [network.network for network in timed], [_parts(prediction) for prediction in predictions]
    return Comparison(
        **agreement(predicted, measured).model_dump(),
        input_size=input_size,
        device=table.device.id,
        threads=table.device.threads,
        precision=table.device.precision,
        as_timed=agreement(predicted, [network.timed_ms for network in timed]),
        anchor_ms=session_ms,
        reference_ms=reference_ms,
        kinds=tuple(errors_by_kind(names, parts, measured)),
        failed=tuple(failed),
        results=tuple(
            _row(network, prediction, reference_ms) for network, prediction in zip(timed, predictions, strict=True)
        ),
    )


def read_comparison(path: Path) -> Comparison:
    """Read and validate the result of a validation.

    Raises:
        InputError: unreadable, not JSON, or no such result; the message names the field.
    """
    content = read_json(path, MOST_BYTES)
    try:
        return validated(content, Comparison, path)
    except InputError as error:
        raise InputError(f"{error}; give the result of a validation") from error


def correction_to(comparison: Comparison, table: LatencyTable, name: str) -> Correction:
    """A correction fitted to the networks, with its error on left-out ones where they are enough.

    Args:
        comparison: predicted by a table of the same kernels.
        table: that the correction is for.
        name: of the comparison, for messages.

    Raises:
        InputError: the networks were measured on another device.
    """
    there = (comparison.device, comparison.precision, comparison.threads)
    here = (table.device.id, table.device.precision, table.device.threads)
    if there != here:
        raise InputError(
            f"{name}: networks of device {_in_words(*there)}, but the kernels are of {_in_words(*here)}: validate there"
        )
    networks = comparison.results
    sums_ms, counts = [network.kernels_ms for network in networks], [network.kernel_count for network in networks]
    measured_ms = [network.measured_ms for network in networks]
    correction = fit_correction(sums_ms, counts, measured_ms)
    if len(networks) < ENOUGH_TO_LEAVE_OUT:
        return correction
    left_out = agreement_left_out(sums_ms, counts, measured_ms)
    errors = {"mean_error": left_out.mean_error, "within_10_percent": left_out.within_10_percent}
    return correction.model_copy(update=errors)


def _row(network: TimedNetwork, prediction: Prediction, reference_ms: float) -> ComparedNetwork:
    return ComparedNetwork(
        network=network.network,
        predicted_ms=prediction.latency_ms,
        measured_ms=network.measured_ms(reference_ms),
        timed_ms=network.timed_ms,
        anchor_drift=network.anchor_ms / reference_ms - 1,
        runs=network.runs,
        kernels_ms=prediction.kernels_ms,
        kernel_count=len(prediction.kernels),
        measured_share=prediction.measured_share,
        extrapolated_share=prediction.extrapolated_share,
    )


def _parts(prediction: Prediction) -> dict[str, float]:
    """A network's predicted time by kind, the correction spread over its kernels."""
    factor = prediction.latency_ms / prediction.kernels_ms
    parts: dict[str, float] = {}
    for part in prediction.kernels:
        kind = kind_label(part.kernel)
        parts[kind] = parts.get(kind, 0.0) + factor * part.latency_ms
    return parts


def _in_words(device: str, precision: str, threads: int | None) -> str:
    return f"{device} in {precision}" + ("" if threads is None else f" with {threads} threads")
