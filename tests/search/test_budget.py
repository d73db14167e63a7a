"""Budgets as users write them, and the time that is left of them."""

import pytest

from nas_isp.errors import InputError
from nas_isp.search.budget import Budget, Stopwatch, parse_budget, parse_time, reserve_s, seconds_of


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("90s", Budget(seconds=90)),
        ("30m", Budget(seconds=1800)),
        ("2h", Budget(seconds=7200)),
        (" 1.5H ", Budget(seconds=5400)),
        ("40", Budget(trials=40)),
        ("1000000", Budget(trials=1_000_000)),
    ],
)
def test_times_and_counts_are_read(text: str, budget: Budget) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    "text", ["0", "0s", "-5", "-5m", "abc", "", "5d", "1e9", "nan", "inf", "m", "99999h", "9" * 5000, "1.5", "٣", "3 m"]
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InputError, match="90s, 30m or 2h"):
        parse_budget(text)


def test_the_reserve_is_taken_from_the_time_for_trials() -> None:
    now = [100.0]
    stopwatch = Stopwatch(Budget(seconds=60), reserve_s=4, clock=lambda: now[0])

    now[0] += 50
    assert stopwatch.left_s() == 6
    assert not stopwatch.is_over()
    now[0] += 6
    assert stopwatch.is_over()


def test_a_budget_of_trials_never_runs_out_of_time() -> None:
    assert not Stopwatch(Budget(trials=1)).is_over()
    assert reserve_s(Budget(trials=1)) == 0


def test_a_short_time_is_not_all_reserve() -> None:
    assert reserve_s(Budget(seconds=10)) == 1
    assert reserve_s(Budget(seconds=7200)) == 4


def test_where_only_a_time_makes_sense_it_is_given_as_text_or_in_seconds_or_not_at_all() -> None:
    assert [seconds_of(given) for given in ("90s", "1.5m", "2h", 12.5, None)] == [90, 90, 7200, 12.5, None]


@pytest.mark.parametrize("text", ["0", "0s", "40", "abc", "999999h"])
def test_where_only_a_time_makes_sense_the_message_offers_no_trials(text: str) -> None:
    with pytest.raises(InputError, match="give a time above 0 such as 90s") as caught:
        parse_time(text)
    assert "trial" not in str(caught.value)


@pytest.mark.parametrize("seconds", [0, -5, float("nan"), float("inf"), 1e12, True])
def test_seconds_that_are_no_time_are_refused_as_texts_are(seconds: float) -> None:
    with pytest.raises(InputError, match="give a time above 0"):
        seconds_of(seconds)


def test_a_budget_of_a_search_that_is_no_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"budget '10 \(no text\)'.*90s, 30m or 2h"):
        Stopwatch.of(10)  # type: ignore[arg-type]
