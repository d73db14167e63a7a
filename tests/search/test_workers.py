"""Stages: how their ends become results."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nas_isp.errors import InputError, UnwritableError
from nas_isp.search.simulated import SimulatedEvaluator
from nas_isp.search.space import load_space
from nas_isp.search.workers import (
    InlinePool,
    Reached,
    RungTask,
    TrialFailedError,
    TrialInterruptedError,
    run_rung,
)


def task(folder: Path, until_step: int = 3) -> RungTask:
    return RungTask(7, load_space("tiny").anchors[0].to_json(), folder, until_step, is_last=True)


class _Raising:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def evaluate(self, task: RungTask, should_stop: Callable[[], bool]) -> Reached:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (TrialInterruptedError(), "interrupted", ""),
        (TrialFailedError("diverged"), "failed", "diverged"),
        (RuntimeError("two\nlines"), "failed", "RuntimeError: two lines"),
        (MemoryError(), "failed", "MemoryError:"),
        (InputError("f: damaged"), "failed", "f: damaged"),
        (UnwritableError("f: cannot be written"), "blocked", "f: cannot be written"),
        (OSError(28, "No space left on device", "f"), "blocked", "[Errno 28] No space left on device: 'f'"),
    ],
)
def test_every_way_to_end_is_a_result(tmp_path: Path, error: Exception, status: str, reason: str) -> None:
    result = run_rung(_Raising(error), task(tmp_path), lambda: False)

    assert (result.trial, result.status, result.reason) == (7, status, reason)


def test_a_failure_keeps_its_reason_where_its_traceback_cannot_be_written(tmp_path: Path) -> None:
    result = run_rung(_Raising(RuntimeError("why")), task(tmp_path / "absent"), lambda: False)

    assert (result.status, result.reason) == ("failed", "RuntimeError: why")


def test_ctrl_c_is_nobodys_result(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_rung(_Raising(KeyboardInterrupt()), task(tmp_path), lambda: False)


def test_an_interrupted_stage_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    asked = iter([False, False, True])
    evaluator = SimulatedEvaluator()

    first = run_rung(evaluator, task(tmp_path), lambda: next(asked))
    second = run_rung(evaluator, task(tmp_path), lambda: False)

    assert first.status == "interrupted"
    assert second.reached is not None
    assert second.reached.step == 3
    assert (tmp_path / "history.jsonl").read_text().count("\n") == 3


def test_a_stopped_pool_interrupts_what_it_runs(tmp_path: Path) -> None:
    pool = InlinePool(SimulatedEvaluator())
    pool.submit(task(tmp_path))
    pool.request_stop()

    (result,) = pool.wait(1.0)

    assert result.status == "interrupted"
    assert pool.wait(1.0) == []
