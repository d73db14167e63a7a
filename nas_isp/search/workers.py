"""What a search asks of those who train: tasks of trials, and pools that run them."""

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from nas_isp.errors import InputError, UnwritableError
from nas_isp.files import write_whole

Status = Literal["reached", "failed", "interrupted", "died", "blocked"]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class RungTask:
    """Train one trial up to a step. `folder` keeps what a later task goes on from."""

    trial: int
    architecture_json: str
    folder: Path
    until_step: int
    is_last: bool


@dataclass(frozen=True)
class Reached:
    """The trial got to the task's step."""

    quality: float
    score_kind: str
    scores: dict[str, float]
    step: int


@dataclass(frozen=True)
class RungResult:
    """How a task ended.

    `interrupted` ones go on later, `died` means that the worker's process ended, `blocked` that files could not be read
    or written: no task can go on until that is mended.
    """

    trial: int
    status: Status
    seconds: float = 0.0
    reached: Reached | None = None
    reason: str = ""


class TrialFailedError(Exception):
    """The trial cannot go on; the message is the reason, for people."""


class TrialInterruptedError(Exception):
    """The task was asked to stop and has saved its state."""


class TrialEvaluator(Protocol):
    """Trains and scores; lives in a worker, one task at a time.

    Raises `TrialInterruptedError` soon after `should_stop()` became true, with the state saved, and
    `TrialFailedError` or `InputError` if the trial cannot go on, `UnwritableError` or `OSError` if nobody can. Any
    other exception counts as a failure of this trial, not of the search.
    """

    def evaluate(self, task: RungTask, should_stop: ShouldStop) -> Reached: ...


class WorkerPool(Protocol):
    """Runs tasks. Used by one thread."""

    @property
    def size(self) -> int:
        """How many tasks can run at once."""

    def submit(self, task: RungTask) -> None:
        """Start a task; never called with more than `size` running."""

    def wait(self, timeout_s: float) -> list[RungResult]:
        """Results of tasks that ended, at the latest after the timeout."""

    def request_stop(self) -> None:
        """Ask all running tasks to save and end as interrupted."""

    def close(self) -> None:
        """End all workers. May be called twice."""


@dataclass
class InlinePool:
    """One task at a time in this process: for tests, debugging and measuring the driver."""

    evaluator: TrialEvaluator
    should_stop: ShouldStop = lambda: False
    size: int = 1
    _waiting: list[RungTask] = field(default_factory=list)
    _stopped: bool = False

    def submit(self, task: RungTask) -> None:
        """Queue a task until the next `wait`."""
        self._waiting.append(task)

    def wait(self, timeout_s: float) -> list[RungResult]:
        """Run the oldest task to its end."""
        if not self._waiting:
            return []
        return [run_rung(self.evaluator, self._waiting.pop(0), lambda: self._stopped or self.should_stop())]

    def request_stop(self) -> None:
        """Stages that run from now on are told to stop."""
        self._stopped = True

    def close(self) -> None:
        """Nothing to end."""


def run_rung(evaluator: TrialEvaluator, task: RungTask, should_stop: ShouldStop) -> RungResult:
    """Evaluate, and turn every way to end into a result; a traceback goes to `error.txt` in the trial's folder."""
    began = time.monotonic()

    def result(status: Status, reached: Reached | None = None, reason: str = "") -> RungResult:
        return RungResult(task.trial, status, time.monotonic() - began, reached, reason)

    try:
        return result("reached", evaluator.evaluate(task, should_stop))
    except TrialInterruptedError:
        return result("interrupted")
    except (UnwritableError, OSError) as error:
        return result("blocked", reason=" ".join(str(error).split())[:500])
    except (TrialFailedError, InputError) as failure:
        return result("failed", reason=str(failure))
    except Exception as error:
        with suppress(UnwritableError):
            write_whole(task.folder / "error.txt", traceback.format_exc())
        return result("failed", reason=" ".join(f"{type(error).__name__}: {error}".split())[:500])
