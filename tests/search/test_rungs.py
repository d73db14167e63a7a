"""Who is stopped at a rung."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_isp.search.pareto import pareto_front
from nas_isp.search.rungs import MINIMUM_PREVIOUS, rung_steps, survives

POINTS = st.lists(st.tuples(st.floats(-10, 40), st.floats(0.1, 100)), max_size=20)


@given(POINTS, st.tuples(st.floats(-10, 40), st.floats(0.1, 100)))
def test_a_non_dominated_trial_always_goes_on(
    previous: list[tuple[float, float]], candidate: tuple[float, float]
) -> None:
    if len(previous) in pareto_front([*previous, candidate]):
        assert survives(candidate, previous)


@given(POINTS.filter(lambda points: len(points) < MINIMUM_PREVIOUS))
def test_nobody_is_stopped_by_too_few(previous: list[tuple[float, float]]) -> None:
    assert survives((-100.0, 1000.0), previous)


def test_a_trial_behind_half_of_the_others_is_stopped() -> None:
    previous = [(25.0, 1.0), (26.0, 2.0), (20.0, 5.0), (21.0, 6.0)]

    assert not survives((19.0, 7.0), previous)
    assert survives((22.0, 4.0), previous)


@pytest.mark.parametrize(("better", "goes_on"), [(2, True), (3, False)])
def test_a_trial_behind_exactly_half_of_all_is_stopped(better: int, goes_on: bool) -> None:
    front, worse = [(25.0, 1.0), (26.0, 2.0), (27.0, 3.0)], [(10.0, 8.0), (11.0, 9.0), (12.0, 10.0)]
    previous = [*front[:better], *worse[: 5 - better]]
    assert survives((20.0, 5.0), previous) == goes_on


def test_equal_ones_are_of_equal_rank() -> None:
    assert survives((20.0, 5.0), [(20.0, 5.0)] * 4)


@pytest.mark.parametrize(
    ("rungs", "total", "expected"),
    [((0.34,), 320, [109, 320]), ((), 10, [10]), ((0.5, 0.25), 8, [2, 4, 8]), ((0.01, 0.02), 3, [1, 3])],
)
def test_stages_end_with_all_steps(rungs: tuple[float, ...], total: int, expected: list[int]) -> None:
    assert rung_steps(rungs, total) == expected
