"""Shows on stderr how a search goes: a bar on a terminal, a line a trial elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nas_isp.search.budget import Stopwatch
from nas_isp.search.records import TrialRecord, quality_name
from nas_isp.search.study import Study


class Unwatched:
    """For a search that nobody watches."""

    def note(self, text: str) -> None:
        """Nothing."""

    def finished(self, record: TrialRecord, study: Study) -> None:
        """Nothing."""

    def tick(self, study: Study, running: int, stopwatch: Stopwatch) -> None:
        """Nothing."""


class LineProgress:
    """One plain line for every trial that ended."""

    def note(self, text: str) -> None:
        """Write a line."""
        print(text, file=sys.stderr, flush=True)

    def finished(self, record: TrialRecord, study: Study) -> None:
        """Write how a trial ended."""
        self.note(describe_trial(record, study))

    def tick(self, study: Study, running: int, stopwatch: Stopwatch) -> None:
        """Lines do not tick."""

    def preparing(self, done: float, total: float | None = None, text: str | None = None) -> None:
        """Nor do they tell how far the preparation of the data is."""


@contextmanager
def open_progress() -> Iterator[LineProgress]:
    """The callback that suits stderr."""
    if not sys.stderr.isatty():
        yield LineProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    columns = (SpinnerColumn(), BarColumn(bar_width=24), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("preparing the data", total=None)

        class BarProgress(LineProgress):
            def note(self, text: str) -> None:
                progress.console.print(text, highlight=False)

            def tick(self, study: Study, running: int, stopwatch: Stopwatch) -> None:
                done, total = _progress(study, stopwatch)
                text = describe_search(study, running, stopwatch)
                progress.update(task, completed=done, total=total, description=text)

            def preparing(self, done: float, total: float | None = None, text: str | None = None) -> None:
                progress.update(task, completed=done, total=total, description=text)

        yield BarProgress()


def describe_trial(record: TrialRecord, study: Study) -> str:
    """One line about a trial that ended."""
    quality = f"{quality_name(record.score_kind)} {record.quality:.3f}, " if record.quality is not None else ""
    reason = f" ({record.reason})" if record.reason else ""
    latency = f"{record.latency_ms:.3g} ms, " if record.latency_ms is not None else ""
    return (
        f"trial {record.trial}: {record.state}{reason}, {quality}{latency}{record.params} parameters, "
        f"{record.seconds:.0f} s; front of {len(study.front())}"
    )


def describe_search(study: Study, running: int, stopwatch: Stopwatch) -> str:
    """A short text about where a search stands."""
    counts, front = study.counts(), study.front()
    parts = [f"{counts['complete']} complete, {counts['stopped']} stopped, {running} running"]
    if front:
        best = max(front, key=lambda record: record.point[0])
        parts.append(f"front {len(front)}, best {best.point[0]:.3f} at {best.point[1]:.3g} ms")
    if stopwatch.budget.seconds is not None:
        left = max(stopwatch.left_s(), 0)
        parts.append(f"{left // 60:.0f}:{left % 60:02.0f} left")
    return " · ".join(parts)


def _progress(study: Study, stopwatch: Stopwatch) -> tuple[float, float]:
    if stopwatch.budget.seconds is not None:
        return min(stopwatch.elapsed_s(), stopwatch.budget.seconds), stopwatch.budget.seconds
    counts = study.counts()
    return counts["complete"] + counts["stopped"], float(stopwatch.budget.trials or 1)
