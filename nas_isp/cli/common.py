"""What every verb shares: output formats, printing, progress and time limits. Imports stay light."""

import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any

from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress


class Format(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


def seconds_of(budget: str) -> float:
    """A time such as `90s`, `30m` or `2h` in seconds.

    Raises:
        InputError: not a time, zero, or more than a year.
    """
    from nas_isp.search.budget import parse_budget

    with suppress(InputError):
        seconds = parse_budget(budget).seconds
        if seconds is not None:
            return seconds
    raise InputError(
        f"budget '{budget[:40]}': this command takes a time above 0 such as 90s, 30m or 2h, at most a year"
    )


def deadline_in(seconds: float | None) -> float:
    """The `time.monotonic()` at which a time is over; infinity without one."""
    return math.inf if seconds is None else time.monotonic() + seconds


def seconds_left(deadline: float) -> float | None:
    """The time until a deadline, at least one second; None without a deadline."""
    return None if math.isinf(deadline) else max(deadline - time.monotonic(), 1.0)


def print_json(value: Any) -> None:
    """Write one JSON value to stdout."""
    json.dump(value, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None) -> None:
    """Write a table to stdout; floats with four significant digits."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(*(Column(name, overflow="fold") for name in columns), title=None if title is None else escape(title))
    for row in rows:
        table.add_row(*(f"{cell:.4g}" if isinstance(cell, float) else escape(str(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def say(text: str) -> None:
    """Write a line about what is going on to stderr."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def progress_bar(text: str) -> Iterator[ReportsProgress]:
    """A progress bar on stderr; yields the function that moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, *times, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(text, total=None)

        def report(done: float, total: float | None = None, text: str | None = None) -> None:
            progress.update(task, completed=done, total=total, description=text)

        yield report
