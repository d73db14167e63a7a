"""Budgets of a search: wall time or a number of trials."""

import math
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from nas_isp.errors import InputError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?)([smh])", re.ASCII)
_COUNT = re.compile(r"\d+", re.ASCII)
_LONGEST_S = 366 * 24 * 3600.0
_MOST_TRIALS = 1_000_000


@dataclass(frozen=True)
class Budget:
    """Either `seconds` of this command or `trials` of the whole study."""

    seconds: float | None = None
    trials: int | None = None


def parse_budget(text: str) -> Budget:
    """Read `90s`, `30m`, `1.5h` (time) or `40` (trials).

    Raises:
        InputError: anything else, zero, or more than a year or a million trials.
    """
    given = text.strip().lower()
    budget = None
    if match := _TIME.fullmatch(given):
        seconds = float(match[1]) * _SECONDS[match[2]]
        budget = Budget(seconds=seconds) if 0 < seconds <= _LONGEST_S else None
    elif _COUNT.fullmatch(given):
        trials = int(given) if len(given) <= len(str(_MOST_TRIALS)) else 0
        budget = Budget(trials=trials) if 0 < trials <= _MOST_TRIALS else None
    if budget is None:
        raise InputError(
            f"budget '{text[:40]}': give a time above 0 such as 90s, 30m or 2h (at most a year), "
            f"or a number of trials from 1 to {_MOST_TRIALS}",
            "budget",
        )
    return budget


def parse_time(text: str) -> float:
    """A time such as `90s`, `30m` or `2h` in seconds.

    Raises:
        InputError: not a time, zero, or more than a year.
    """
    with suppress(InputError):
        seconds = parse_budget(text).seconds
        if seconds is not None:
            return seconds
    raise InputError(f"budget '{text[:40]}': give a time above 0 such as 90s, 30m or 2h, at most a year", "budget")


def seconds_of(budget: str | float | None) -> float | None:
    """A time as `parse_time` reads it, or as seconds; None for none.

    Raises:
        InputError: not a time, not above 0, or more than a year.
    """
    if budget is None or isinstance(budget, str):
        return None if budget is None else parse_time(budget)
    is_number = isinstance(budget, int | float) and not isinstance(budget, bool) and math.isfinite(budget)
    return float(budget) if is_number and 0 < budget <= _LONGEST_S else parse_time(repr(budget))


def reserve_s(budget: Budget) -> float:
    """What a command keeps of a time budget for ending its workers and writing the report."""
    return min(4.0, 0.1 * budget.seconds) if budget.seconds is not None else 0.0


class Stopwatch:
    """Time since the command began, and how much of a time budget is left."""

    def __init__(self, budget: Budget, reserve_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`reserve_s` of a time budget is kept for what comes after the last trial."""
        self.budget = budget
        self._clock = clock
        self._began = clock()
        self._usable_s = None if budget.seconds is None else max(budget.seconds - reserve_s, 0.0)

    @staticmethod
    def of(budget: str) -> "Stopwatch":
        """A stopwatch that begins now, for a budget as `parse_budget` reads it.

        Raises:
            InputError: no budget.
        """
        wanted = parse_budget(budget if isinstance(budget, str) else repr(budget) + " (no text)")
        return Stopwatch(wanted, reserve_s(wanted))

    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    def left_s(self) -> float:
        """Seconds left for trials; infinity with a budget of trials."""
        return float("inf") if self._usable_s is None else self._usable_s - self.elapsed_s()

    def is_over(self) -> bool:
        """Whether the time is used up."""
        return self.left_s() <= 0
