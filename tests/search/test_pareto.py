"""Two-objective numerics against brute force and hand-computed values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_isp.search.pareto import knee, non_dominated_ranks, pareto_front

SMALL = st.integers(0, 8).map(float)
POINTS = st.lists(st.tuples(SMALL, SMALL), min_size=0, max_size=14)


def dominates(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return first[0] >= second[0] and first[1] <= second[1] and first != second


@given(POINTS)
def test_the_front_is_what_nothing_dominates(points: list[tuple[float, float]]) -> None:
    front = pareto_front(points)

    expected = {i for i, point in enumerate(points) if not any(dominates(other, point) for other in points)}
    assert set(front) == expected
    assert len(front) == len(expected)
    latencies = [points[index][1] for index in front]
    assert latencies == sorted(latencies)


@given(POINTS)
def test_ranks_peel_one_front_after_the_other(points: list[tuple[float, float]]) -> None:
    ranks = non_dominated_ranks(points)

    left, rank = set(range(len(points))), 0
    while left:
        front = {i for i in left if not any(dominates(points[j], points[i]) for j in left)}
        assert {i for i in left if ranks[i] == rank} == front
        left, rank = left - front, rank + 1


@given(POINTS.filter(bool), st.floats(0.1, 10), st.floats(-5, 5))
def test_the_knee_is_on_the_front_and_does_not_depend_on_units(
    points: list[tuple[float, float]], scale: float, shift: float
) -> None:
    found = knee(points)

    assert found in pareto_front(points)
    moved = knee([(quality * scale + shift, latency * 2 + 1) for quality, latency in points])
    assert points[moved] == points[found] or len(pareto_front(points)) > 2


def test_the_knee_of_a_bent_front_is_the_bend() -> None:
    assert knee([(20.0, 1.0), (28.0, 3.0), (29.0, 6.0), (30.0, 11.0)]) == 1


def test_the_knee_of_two_points_is_the_better_one() -> None:
    assert knee([(20.0, 1.0), (28.0, 3.0)]) == 1


def test_the_knee_of_a_front_that_bends_the_wrong_way_is_the_best_one() -> None:
    assert knee([(20.0, 1.0), (21.0, 6.0), (30.0, 11.0)]) == 2


def test_a_knee_needs_points() -> None:
    with pytest.raises(ValueError, match="no points"):
        knee([])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        pareto_front([(1.0, 1.0), (value, 1.0)])


def test_a_thousand_points_are_ranked_alike_whatever_their_order() -> None:
    rng = np.random.default_rng(0)
    points = rng.random((1000, 2))
    order = rng.permutation(1000)

    assert (non_dominated_ranks(points)[order] == non_dominated_ranks(points[order])).all()
