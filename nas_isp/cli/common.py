"""What every verb shares: printing, errors and progress. Imports stay light."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress

OPTIONS = {"output": "-o", "adapt": "--no-adapt"}
"""What the commands call a parameter of the library where it is not its name with dashes."""


def with_options(error: InputError) -> str:
    """What the library says, and the options that it is about."""
    options = [OPTIONS.get(name) or f"--{name.replace('_', '-')}" for name in error.parameters]
    return f"{error} ({', '.join(options)})" if options else str(error)


def print_json(value: Any) -> None:
    """Write one JSON value to stdout."""
    json.dump(value, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None, whole_first: bool = False
) -> None:
    """Write a table to stdout; floats with four significant digits.

    Args:
        columns: their names.
        rows: their cells.
        title: above the table.
        whole_first: never break the first column's cells, which are to be typed again, however narrow the terminal is.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(*(Column(name, overflow="fold") for name in columns), title=None if title is None else escape(title))
    if whole_first:
        first = table.columns[0]
        first.no_wrap, first.min_width = True, max((len(str(row[0])) for row in rows), default=None)
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
