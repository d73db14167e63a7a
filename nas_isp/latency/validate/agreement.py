"""How well predicted times agree with measured ones."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from nas_isp.latency.predict.correction import fit_correction
from nas_isp.settings import Settings


class Agreement(Settings):
    """Of predicted with measured times over a set of networks."""

    networks: Annotated[int, Field(ge=1, description="Number of networks.")]
    mean_error: Annotated[float, Field(ge=0, description="Mean relative error.")]
    within_5_percent: Annotated[float, Field(ge=0, le=1, description="Share of networks within 5 % of the measured.")]
    within_10_percent: Annotated[float, Field(ge=0, le=1, description="Share of networks within 10 %.")]
    kendall_tau: Annotated[float | None, Field(description="Rank correlation; null: nothing to rank.")]


def agreement(predicted_ms: Sequence[float], measured_ms: Sequence[float]) -> Agreement:
    """Compare times of the same networks in the same order.

    Raises:
        ValueError: no networks, or lists of different length.
    """
    if len(predicted_ms) != len(measured_ms) or not measured_ms:
        raise ValueError(f"{len(predicted_ms)} predicted and {len(measured_ms)} measured times; give equally many")
    predicted, measured = np.array(predicted_ms, dtype=float), np.array(measured_ms, dtype=float)
    errors = np.abs(predicted / measured - 1)
    return Agreement(
        networks=len(errors),
        mean_error=float(errors.mean()),
        within_5_percent=float((errors <= 0.05).mean()),
        within_10_percent=float((errors <= 0.10).mean()),
        kendall_tau=kendall_tau(predicted_ms, measured_ms),
    )


def agreement_left_out(
    kernels_ms: Sequence[float], kernel_counts: Sequence[int], measured_ms: Sequence[float]
) -> Agreement:
    """How well networks are predicted, each by a correction fitted to all others.

    Raises:
        ValueError: fewer than two networks, or lists of different length.
    """
    rows = list(zip(kernels_ms, kernel_counts, measured_ms, strict=True))
    if len(rows) < 2:
        raise ValueError("one network alone leaves nothing to fit to; give two or more")
    predicted = []
    for index, (sum_ms, count, _) in enumerate(rows):
        correction = fit_correction(*zip(*(rows[:index] + rows[index + 1 :]), strict=True))
        predicted.append(correction.apply(sum_ms, count))
    return agreement(predicted, measured_ms)


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's tau-b of two rankings; None where one of them ranks nothing."""
    from scipy.stats import kendalltau

    if len(set(first)) < 2 or len(set(second)) < 2:
        return None
    return float(kendalltau(first, second).statistic)
