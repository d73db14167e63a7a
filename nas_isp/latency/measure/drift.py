"""Timing models in turns with the anchor, and again until the anchor shows that the device is as fast as usual."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nas_isp.errors import InputError
from nas_isp.latency.measure.reference_network import anchor_model
from nas_isp.latency.measure.target import Failure, MeasuringTarget, Timing

ATTEMPTS = 3
"""How often a batch is timed at most until its anchor is steady."""

LOOKS = 5
"""Times the anchor is looked at, at most, until the device is warm."""

Attempt = TypeVar("Attempt")


@dataclass(frozen=True)
class TimedBatch:
    """Models timed in turns with the anchor."""

    anchor_ms: float
    """The anchor's median."""
    answers: list[Timing | Failure]
    """One a model, in order."""


def time_beside_anchor(target: MeasuringTarget, models: Sequence[bytes]) -> TimedBatch:
    """Time models and the anchor in turns.

    Raises:
        InputError: the target cannot be used, or does not run the anchor as asked, so that nothing can be compared.
    """
    anchor, *answers = target.time([anchor_model(target.device.model_precision), *models])
    if isinstance(anchor, Failure):
        raise InputError(
            f"the target cannot run the anchor network ({anchor.reason}), so that nothing can be timed on it; "
            "give another target, delegate or precision",
            *("target", "delegate", "precision"),
        )
    if anchor.fell_back:
        raise InputError(
            f"the delegate does not run the anchor network whole ({anchor.nodes_told}); give another delegate",
            "delegate",
        )
    return TimedBatch(anchor.median_ms, answers)


def warm_up(target: MeasuringTarget, max_drift: float) -> None:
    """Run the anchor until two looks agree: clocks, caches and the runtime's own start are then behind us.

    Raises:
        InputError: as `time_beside_anchor`.
    """
    last_ms = time_beside_anchor(target, ()).anchor_ms
    for _ in range(LOOKS - 1):
        now_ms = time_beside_anchor(target, ()).anchor_ms
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
        drift_of: how far the anchor of an attempt was off, as a share.
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
