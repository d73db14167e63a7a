"""Successive halving on the non-dominated rank: which trials are worth their remaining steps."""

from collections.abc import Sequence

from nas_isp.search.pareto import non_dominated_ranks

MINIMUM_PREVIOUS = 4
"""Trials a rung must have seen before it stops any."""


def survives(
    candidate: tuple[float, float], previous: Sequence[tuple[float, float]], minimum: int = MINIMUM_PREVIOUS
) -> bool:
    """Whether a trial may go on after a rung.

    Ranks the (quality, latency_ms) of the candidate among those of the trials that reached the rung before. It is
    stopped if at least half of all are of a better rank. A non-dominated one is never stopped, and nobody is
    while fewer than `minimum` trials came before.

    Follows the idea of MO-ASHA (Schmucker et al., "Multi-objective Asynchronous Successive Halving", 2021).
    """
    if len(previous) < minimum:
        return True
    ranks = non_dominated_ranks([*previous, candidate])
    better = int((ranks < ranks[-1]).sum())
    return ranks[-1] == 0 or better < len(ranks) / 2


def rung_steps(rungs: Sequence[float], total_steps: int) -> list[int]:
    """The steps at which a trial is looked at, rising; the last one is `total_steps`."""
    steps = {min(max(round(share * total_steps), 1), total_steps) for share in rungs}
    return sorted(steps | {total_steps})
