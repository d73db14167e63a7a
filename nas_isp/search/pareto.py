"""Pure numerics of two objectives: quality (higher is better) and latency (lower is better).

Points are float arrays `(N, 2)`, columns quality and latency_ms. All functions raise `ValueError` on NaN or infinity.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
PointsLike = Points | Sequence[tuple[float, float]]


def pareto_front(points: PointsLike) -> list[int]:
    """Indices of the points that no other point dominates, by rising latency; equal points are all kept."""
    values = _checked(points)
    order = np.lexsort((-values[:, 0], values[:, 1]))
    front: list[int] = []
    for index in order.tolist():
        quality = values[index, 0]
        if not front or quality > values[front[-1], 0] or bool((values[index] == values[front[-1]]).all()):
            front.append(index)
    return front


def non_dominated_ranks(points: PointsLike) -> NDArray[np.int64]:
    """Rank of each point `(N,)`: 0 for the front, 1 for the front of the rest, and so on."""
    values = _checked(points)
    ranks = np.full(len(values), -1, dtype=np.int64)
    rank = 0
    while (left := np.flatnonzero(ranks < 0)).size:
        ranks[left[pareto_front(values[left])]] = rank
        rank += 1
    return ranks


def knee(points: PointsLike) -> int:
    """Index of the front's best compromise.

    Both axes are scaled to 0..1 over the front; the knee lies furthest above the chord from its cheapest to its best
    point (Das, "On characterizing the knee of the Pareto curve", 1999). With fewer than three different points on the
    front, or none above the chord, it is the one of highest quality.

    Raises:
        ValueError: there are no points.
    """
    values = _checked(points)
    if not len(values):
        raise ValueError("no points: a front has a knee once a trial is complete")
    indices = pareto_front(values)
    front = values[indices]
    span = front[-1] - front[0]
    if not span.all():
        return indices[-1]
    quality, latency = ((front - front[0]) / span).T
    above = quality - latency
    best = int(above.argmax())
    return indices[best] if above[best] > 0 else indices[-1]


def _checked(points: PointsLike) -> Points:
    values = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(values).all():
        raise ValueError("points must be finite")
    return values
