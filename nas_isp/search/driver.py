"""The loop of a search: fills workers with trials, halves them, records how they end. Trains nothing itself."""

import math
import statistics
import time
from dataclasses import dataclass, field
from typing import Literal, Protocol

from nas_isp.errors import InputError, UnwritableError
from nas_isp.search.budget import Stopwatch
from nas_isp.search.proposer import Proposer
from nas_isp.search.records import Rung, TrialRecord
from nas_isp.search.rungs import survives
from nas_isp.search.study import Study
from nas_isp.search.workers import Reached, RungResult, RungTask, WorkerPool

Ending = Literal["budget", "exhausted"]

POLL_S = 0.5
STOP_GRACE_S = 20.0
"""How long tasks may take to save after they were asked to stop."""
MOST_DEATHS = 2
"""A trial whose worker died this often has failed."""
FAILURES_IN_A_ROW = 10
"""Ends a search in which nothing works."""


class SearchCallback(Protocol):
    """Told what happens, to show it."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def finished(self, record: TrialRecord, study: Study) -> None:
        """A trial ended."""

    def tick(self, study: Study, running: int, stopwatch: Stopwatch) -> None:
        """Called about twice a second."""


@dataclass
class Driver:
    """Searches until the budget is used up or nothing is left to try.

    Args:
        steps: the steps at which trials are looked at; the last one completes a trial.
    """

    study: Study
    proposer: Proposer
    pool: WorkerPool
    steps: list[int]
    stopwatch: Stopwatch
    callback: SearchCallback
    _running: dict[int, TrialRecord] = field(default_factory=dict)
    _resumable: list[TrialRecord] = field(default_factory=list)
    _deaths: dict[int, int] = field(default_factory=dict)
    _failures: int = 0
    _last_failure: str = ""
    _blocked: str = ""
    _exhausted: bool = False
    _said_too_short: bool = False
    _stopping: bool = False

    def run(self) -> Ending:
        """Search; on any way out, also Ctrl-C, running trials have been asked to save and the front is written.

        Raises:
            InputError: ten trials in a row failed.
            UnwritableError: files cannot be read or written, such as on a full disk; running trials stay as they are.
        """
        self._resumable = self.proposer.recover()
        try:
            self._search()
        finally:
            self._stop_running()
            self.study.write_front()
        if self._blocked:
            raise UnwritableError(self._blocked)
        return "exhausted" if self._exhausted else "budget"

    def _search(self) -> None:
        while not self._blocked and not self.stopwatch.is_over():
            self._fill()
            if not self._running:
                return
            for result in self.pool.wait(min(POLL_S, max(self.stopwatch.left_s(), 0.01))):
                self._handle(result)
            if self._failures >= FAILURES_IN_A_ROW:
                raise InputError(
                    f"the last {FAILURES_IN_A_ROW} trials failed, the last one with: {self._last_failure}; "
                    f"see {self.study.folder / 'trials'}, change the data or the recipe and give another study folder"
                )
            self.callback.tick(self.study, len(self._running), self.stopwatch)

    def _fill(self) -> None:
        while len(self._running) < self.pool.size:
            record = self._next_trial()
            if record is None:
                return
            self._running[record.trial] = record
            self._submit(record)

    def _next_trial(self) -> TrialRecord | None:
        if self._trials_left() <= 0:
            return None
        if self._resumable:
            return self._resumable.pop(0)
        if self._exhausted or self._is_too_short():
            return None
        record = self.proposer.ask()
        self._exhausted = record is None
        return record

    def _is_too_short(self) -> bool:
        """Whether a new trial would not finish; says so once."""
        left_s, needed_s = self.stopwatch.left_s(), self._seconds_of_a_trial()
        if left_s < needed_s and not self._said_too_short:
            self._said_too_short = True
            self.callback.note(
                f"{left_s:.1f} s are left and a trial takes about {needed_s:.1f} s: no further trial is started; "
                "a longer budget goes on"
            )
        return left_s < needed_s

    def _trials_left(self) -> float:
        if self.stopwatch.budget.trials is None:
            return math.inf
        counts = self.study.counts()
        return self.stopwatch.budget.trials - counts["complete"] - counts["stopped"] - len(self._running)

    def _seconds_of_a_trial(self) -> float:
        """Median training time of complete trials; 0 while there are none."""
        seconds = [record.seconds for record in self.study.records.values() if record.state == "complete"]
        return statistics.median(seconds) if seconds else 0.0

    def _submit(self, record: TrialRecord) -> None:
        reached = record.rungs[-1].step if record.rungs else -1
        until = next((step for step in self.steps if step > reached), self.steps[-1])
        architecture = self.study.architecture(record.trial)
        folder = self.study.trial_folder(record.trial)
        self.pool.submit(RungTask(record.trial, architecture.to_json(), folder, until, until == self.steps[-1]))

    def _handle(self, result: RungResult) -> None:
        """Record how a task ended; what cannot be recorded stays on disk as it was, to go on from."""
        try:
            self._record(self._running.pop(result.trial), result)
        except UnwritableError as error:
            self._blocked = self._blocked or str(error)

    def _record(self, record: TrialRecord, result: RungResult) -> None:
        record = record.model_copy(update={"seconds": record.seconds + result.seconds})
        if result.status == "reached" and result.reached is not None:
            self._look(record, result.reached)
        elif result.status == "failed":
            self._finish(record, "failed", result.reason)
        elif result.status == "died":
            self._bury(record, result.reason)
        elif result.status == "blocked":
            self._blocked = self._blocked or result.reason
        else:
            self.study.write(record)

    def _look(self, record: TrialRecord, reached: Reached) -> None:
        """Record what a trial has reached and decide whether it goes on."""
        if not math.isfinite(reached.quality):
            self._finish(record, "failed", f"quality at step {reached.step} is {reached.quality}")
            return
        scores = {name: value for name, value in reached.scores.items() if math.isfinite(value)}
        rung = Rung(step=reached.step, quality=reached.quality)
        update = {"quality": reached.quality, "score_kind": reached.score_kind, "scores": scores}
        record = record.model_copy(update=update | {"rungs": (*record.rungs, rung)})
        if reached.step >= self.steps[-1]:
            self._finish(record, "complete")
        elif survives(record.point, self._others_at(reached.step, record.trial)):
            self._go_on(record)
        else:
            self._finish(record, "stopped", f"in the worse half at step {reached.step}")

    def _others_at(self, step: int, trial: int) -> list[tuple[float, float]]:
        return [
            (rung.quality, record.latency_ms)
            for record in self.study.records.values()
            for rung in record.rungs
            if record.trial != trial and rung.step == step and record.latency_ms is not None
        ]

    def _bury(self, record: TrialRecord, reason: str) -> None:
        """A worker died under this trial: try once more, from the checkpoint."""
        self._deaths[record.trial] = self._deaths.get(record.trial, 0) + 1
        if self._deaths[record.trial] >= MOST_DEATHS:
            self._finish(record, "failed", f"its worker died {MOST_DEATHS} times ({reason}), often for lack of memory")
            return
        self.callback.note(f"trial {record.trial}: its worker died ({reason}); trying once more")
        self._go_on(record)

    def _finish(self, record: TrialRecord, state: Literal["complete", "stopped", "failed"], reason: str = "") -> None:
        record = record.model_copy(update={"state": state, "reason": reason})
        self.study.write(record)
        self.proposer.tell(record)
        (self.study.trial_folder(record.trial) / "checkpoint.pt").unlink(missing_ok=True)
        self.study.write_front()
        self.callback.finished(record, self.study)
        self._failures = self._failures + 1 if state == "failed" else 0
        self._last_failure = reason

    def _go_on(self, record: TrialRecord) -> None:
        """Send a trial on, or leave it for the next search of this study."""
        self.study.write(record)
        if not self._stopping:
            self._running[record.trial] = record
            self._submit(record)

    def _stop_running(self) -> None:
        """Let running trials save; they stay `running` on disk and go on in the next search of this study."""
        self._stopping = True
        self.pool.request_stop()
        give_up_at = time.monotonic() + STOP_GRACE_S
        while self._running and time.monotonic() < give_up_at:
            for result in self.pool.wait(POLL_S):
                self._handle(result)
