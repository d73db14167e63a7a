"""What a search asks of those who train: stages of trials, and pools that run them."""

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
class Stage:
    """Train one trial up to a step. `folder` keeps what a later stage goes on from."""

    trial: int
    architecture_json: str
    folder: Path
    until_step: int
    is_last: bool


@dataclass(frozen=True)
class Reached:
    """The trial got to the stage's step."""

    quality: float
    score_kind: str
    scores: dict[str, float]
    step: int


@dataclass(frozen=True)
class StageResult:
    """How a stage ended.

    `interrupted` ones go on later, `died` means that the worker's process ended, `blocked` that files could not be read
    or written: no stage can go on until that is mended.
    """

    trial: int
    status: Status
    seconds: float = 0.0
    reached: Reached | None = None
    reason: str = ""


class StageFailedError(Exception):
    """The trial cannot go on; the message is the reason, for people."""


class StageInterruptedError(Exception):
    """The stage was asked to stop and has saved its state."""


class TrialEvaluator(Protocol):
    """Trains and scores; lives in a worker, one stage at a time.

    Raises `StageInterruptedError` soon after `should_stop()` became true, with the state saved, and
    `StageFailedError` or `InputError` if the trial cannot go on, `UnwritableError` or `OSError` if nobody can. Any
    other exception counts as a failure of this trial, not of the search.
    """

    def evaluate(self, stage: Stage, should_stop: ShouldStop) -> Reached: ...


class WorkerPool(Protocol):
    """Runs stages. Used by one thread."""

    @property
    def size(self) -> int:
        """How many stages can run at once."""

    def submit(self, stage: Stage) -> None:
        """Start a stage; never called with more than `size` running."""

    def wait(self, timeout_s: float) -> list[StageResult]:
        """Results of stages that ended, at the latest after the timeout."""

    def request_stop(self) -> None:
        """Ask all running stages to save and end as interrupted."""

    def close(self) -> None:
        """End all workers. May be called twice."""


@dataclass
class InlinePool:
    """One stage at a time in this process: for tests, debugging and measuring the driver."""

    evaluator: TrialEvaluator
    should_stop: ShouldStop = lambda: False
    size: int = 1
    _waiting: list[Stage] = field(default_factory=list)
    _stopped: bool = False

    def submit(self, stage: Stage) -> None:
        """Queue a stage until the next `wait`."""
        self._waiting.append(stage)

    def wait(self, timeout_s: float) -> list[StageResult]:
        """Run the oldest stage to its end."""
        if not self._waiting:
            return []
        return [run_stage(self.evaluator, self._waiting.pop(0), lambda: self._stopped or self.should_stop())]

    def request_stop(self) -> None:
        """Stages that run from now on are told to stop."""
        self._stopped = True

    def close(self) -> None:
        """Nothing to end."""


def run_stage(evaluator: TrialEvaluator, stage: Stage, should_stop: ShouldStop) -> StageResult:
    """Evaluate, and turn every way to end into a result; a traceback goes to `error.txt` in the trial's folder."""
    began = time.monotonic()

    def result(status: Status, reached: Reached | None = None, reason: str = "") -> StageResult:
        return StageResult(stage.trial, status, time.monotonic() - began, reached, reason)

    try:
        return result("reached", evaluator.evaluate(stage, should_stop))
    except StageInterruptedError:
        return result("interrupted")
    except (UnwritableError, OSError) as error:
        return result("blocked", reason=" ".join(str(error).split())[:500])
    except (StageFailedError, InputError) as failure:
        return result("failed", reason=str(failure))
    except Exception as error:
        with suppress(UnwritableError):
            write_whole(stage.folder / "error.txt", traceback.format_exc())
        return result("failed", reason=" ".join(f"{type(error).__name__}: {error}".split())[:500])
