"""Timing models in turns with the reference network, and again until that shows the device to be as fast as usual."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nas_isp.errors import InputError
from nas_isp.latency.measure.measuring_target import Failure, MeasuringTarget, Timing
from nas_isp.latency.measure.reference_network import reference_model

ATTEMPTS = 3
"""How often a batch is timed at most until its reference network is steady."""

LOOKS = 5
"""Times the reference network is looked at, at most, until the device is warm."""

Attempt = TypeVar("Attempt")


@dataclass(frozen=True)
class TimedBatch:
    """Models timed in turns with the reference network."""

    anchor_ms: float
    """The reference network's median."""
    answers: list[Timing | Failure]
    """One a model, in order."""


def time_beside_reference(target: MeasuringTarget, models: Sequence[bytes]) -> TimedBatch:
    """Time models and the reference network in turns.

    Raises:
        InputError: the target cannot be used, or does not run the reference network as asked, with which
            all is compared.
    """
    anchor, *answers = target.time([reference_model(target.device.model_precision), *models])
    if isinstance(anchor, Failure):
        raise InputError(
            f"the target cannot run the reference network ({anchor.reason}), so that nothing can be timed on it; "
            "give another target, delegate or precision",
            *("target", "delegate", "precision"),
        )
    if anchor.fell_back:
        raise InputError(
            f"the delegate does not run the reference network whole ({anchor.nodes_told}); give another delegate",
            "delegate",
        )
    return TimedBatch(anchor.median_ms, answers)


def warm_up(target: MeasuringTarget, max_drift: float) -> None:
    """Run the reference network until two looks agree: clocks, caches and the runtime's own start are then behind us.

    Raises:
        InputError: as `time_beside_reference`.
    """
    last_ms = time_beside_reference(target, ()).anchor_ms
    for _ in range(LOOKS - 1):
        now_ms = time_beside_reference(target, ()).anchor_ms
        if abs(now_ms / last_ms - 1) <= max_drift:
            return
        last_ms = now_ms


def steadiest(
    attempt: Callable[[], Attempt],
    drift_of: Callable[[Attempt], float],
    max_drift: float,
    rest_s: float,
    deadline: float = float("inf"),
) -> tuple[Attempt, int]:
    """Repeat until the drift is within the limit; the attempt with the least drift if none is, and how many there were.

    Args:
        attempt: times a batch.
        drift_of: how far the reference network of an attempt was off, as a share.
        max_drift: the limit.
        rest_s: before each repetition.
        deadline: `time.monotonic()` after which nothing is repeated.
    """
    kept, attempts = attempt(), 1
    while abs(drift_of(kept)) > max_drift and attempts < ATTEMPTS and time.monotonic() < deadline:
        time.sleep(rest_s)
        kept = min(kept, attempt(), key=lambda one: abs(drift_of(one)))
        attempts += 1
    return kept, attempts
