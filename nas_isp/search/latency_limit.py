"""The limit on predicted latency: networks that are slower are refused before any training."""

from dataclasses import dataclass

import numpy as np

from nas_isp.errors import InputError
from nas_isp.search.cost_model import CostModel
from nas_isp.search.space import SearchSpace

MEMBERS_TRIED = 500
"""Random members of a space that are looked at before a limit counts as impossible."""


@dataclass(frozen=True)
class LatencyLimit:
    """The most milliseconds that a trained network may take; None allows all."""

    max_latency_ms: float | None

    def allows(self, latency_ms: float) -> bool:
        """Whether a network of this predicted latency may be trained."""
        return self.excess_ms(latency_ms) <= 0

    def excess_ms(self, latency_ms: float) -> float:
        """How far a latency is above the limit; not positive within it."""
        return float("-inf") if self.max_latency_ms is None else latency_ms - self.max_latency_ms


def refuse_impossible_limit(
    space: SearchSpace, cost_model: CostModel, max_latency_ms: float | None, device: str, seed: int
) -> None:
    """Check before any work that some member is fast enough.

    Raises:
        InputError: every anchor and 500 random members are slower; the message says the smallest latency seen.
    """
    limit = LatencyLimit(max_latency_ms)
    if max_latency_ms is None:
        return
    rng, least_ms = np.random.default_rng(seed), float("inf")
    for index in range(len(space.anchors) + MEMBERS_TRIED):
        member = space.anchors[index] if index < len(space.anchors) else space.sample(rng)
        least_ms = min(least_ms, cost_model.latency_ms(member))
        if limit.allows(least_ms):
            return
    raise InputError(
        f"max_latency_ms {max_latency_ms:g}: every network tried is slower on {device}, the fastest of "
        f"{len(space.anchors) + MEMBERS_TRIED} takes {least_ms:.3g} ms; allow at least that, or give another space",
        "max_latency_ms",
        "space",
    )
