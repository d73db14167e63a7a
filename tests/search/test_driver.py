"""The loop of a search, with simulated training."""

import json
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from nas_isp.errors import InputError, UnwritableError
from nas_isp.search.budget import Budget, Stopwatch
from nas_isp.search.simulated import SimulatedCostModel, SimulatedEvaluator, SimulatedFactory
from nas_isp.search.space import load_space
from nas_isp.search.study import Study
from nas_isp.search.workers import InlinePool, Reached, RungResult, RungTask, TrialInterruptedError
from tests.full_disk import REASON, room_for
from tests.search.search_tools import STEPS, Notes, config, proposer_of, search, steps_trained


def test_a_search_reaches_its_number_of_trials_and_a_front(tmp_path: Path) -> None:
    study = search(tmp_path / "s", Budget(trials=16))

    counts = study.counts()
    assert counts["complete"] + counts["stopped"] == 16
    assert counts["stopped"] > 0
    assert len(study.front()) >= 3
    stored = json.loads((tmp_path / "s" / "pareto.json").read_text())
    assert [row["trial"] for row in stored["front"]] == [record.trial for record in study.front()]


def test_no_architecture_is_trained_twice(tmp_path: Path) -> None:
    study = search(tmp_path / "s", Budget(trials=40))

    digests = [record.digest for record in study.records.values()]
    assert len(set(digests)) == len(digests)


def test_the_same_budget_again_does_nothing_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    first = search(tmp_path / "s", Budget(trials=6))
    again = search(tmp_path / "s", Budget(trials=6))
    more = search(tmp_path / "s", Budget(trials=9))

    assert again.records == first.records
    assert {trial: more.records[trial] for trial in first.records} == first.records
    assert more.counts()["complete"] + more.counts()["stopped"] == 9


def test_a_stopped_trial_trained_to_the_rung_only_and_a_complete_one_to_the_end(tmp_path: Path) -> None:
    study = search(tmp_path / "s", Budget(trials=16))

    for record in study.records.values():
        last = STEPS[-1] if record.state == "complete" else STEPS[0]
        assert steps_trained(study, record.trial) == list(range(1, last + 1))
        assert not (study.trial_folder(record.trial) / "checkpoint.pt").exists()


def test_a_failing_training_ends_its_trial_with_the_reason_and_nothing_else(tmp_path: Path) -> None:
    anchors = load_space("tiny").anchors
    evaluator = SimulatedFactory(failing=(anchors[0].digest(),), crashing=(anchors[1].digest(),))()

    study = search(tmp_path / "s", Budget(trials=5), evaluator=evaluator)

    failed = {record.digest: record for record in study.records.values() if record.state == "failed"}
    assert "simulated divergence" in failed[anchors[0].digest()].reason
    assert failed[anchors[1].digest()].reason == "RuntimeError: simulated crash"
    assert "Traceback" in (study.trial_folder(failed[anchors[1].digest()].trial) / "error.txt").read_text()
    assert study.counts()["complete"] + study.counts()["stopped"] == 5


def test_a_search_in_which_every_trial_fails_ends_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"10 trials failed.*nothing works"):
        search(tmp_path / "s", Budget(trials=50), evaluator=_Broken())

    assert Study.open(tmp_path / "s").counts()["failed"] == 10


def test_a_quality_that_is_no_number_fails_the_trial(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nan"):
        search(tmp_path / "s", Budget(trials=50), evaluator=_NotANumber())


def test_over_budget_networks_are_never_trained(tmp_path: Path) -> None:
    limited = config(max_latency_ms=3.0, space=load_space("mobile"))

    study = search(tmp_path / "s", Budget(trials=6), limited)

    trained = list(study.records.values())
    assert all(record.latency_ms is not None and record.latency_ms <= 3.0 for record in trained)
    assert study.counts()["rejected"] > 0
    assert all(record.latency_ms is not None and record.latency_ms > 3.0 for record in study.rejected.values())
    told = proposer_of(Study.begin(tmp_path / "s", limited)).journal.get_trials()
    infeasible = [trial for trial in told if any(value > 0 for value in trial.constraints.values())]
    assert len(infeasible) >= study.counts()["rejected"]
    assert all(trial.state == optuna.trial.TrialState.PRUNED for trial in infeasible)


def test_a_small_space_is_searched_to_its_end(tmp_path: Path) -> None:
    space = load_space("tiny").model_copy(update={"depths": (1,), "anchors": ()})

    study = search(tmp_path / "s", Budget(trials=500), config(space=space))

    assert len(study.records) == space.size() == sum(1 for _ in space.members())


def test_when_the_time_is_up_running_trials_stay_and_the_next_run_goes_on_with_them(tmp_path: Path) -> None:
    clock = _Clock()
    evaluator = _Timed(clock, step_s=1.0)
    stopwatch = Stopwatch(Budget(seconds=2.5 * STEPS[-1]), clock=clock)

    study = search(
        tmp_path / "s", Budget(), pool=InlinePool(evaluator, should_stop=stopwatch.is_over), stopwatch=stopwatch
    )

    assert study.counts()["complete"] == 2
    assert [record.state for record in study.records.values()] == ["complete", "complete", "running"]

    short = Stopwatch(Budget(seconds=3.0), clock=clock)
    other = search(tmp_path / "t", Budget(), pool=InlinePool(evaluator, should_stop=short.is_over), stopwatch=short)
    (running,) = other.records.values()
    assert running.state == "running"
    resumed = search(tmp_path / "t", Budget(trials=1))
    assert resumed.records[running.trial].state == "complete"
    assert steps_trained(resumed, running.trial) == list(range(1, STEPS[-1] + 1))


def test_a_new_trial_is_not_started_if_it_would_not_finish(tmp_path: Path) -> None:
    clock = _Clock()
    stopwatch = Stopwatch(Budget(seconds=1.9), clock=clock)
    pool, notes = _SlowPool(clock, seconds=1.0), Notes()

    study = search(tmp_path / "s", Budget(), pool=pool, stopwatch=stopwatch, callback=notes)

    assert len(study.records) == 1
    assert clock.now == pytest.approx(1.0)
    assert notes.notes == [
        "0.9 s are left and a trial takes about 1.0 s: no further trial is started; a longer budget goes on"
    ]


def test_going_on_for_less_than_a_trial_takes_says_why_nothing_was_started(tmp_path: Path) -> None:
    clock, notes = _Clock(), Notes()
    search(
        tmp_path / "s",
        Budget(),
        pool=_SlowPool(clock, seconds=46.0),
        stopwatch=Stopwatch(Budget(seconds=100.0), clock=clock),
    )

    short = Stopwatch(Budget(seconds=30.0), clock=clock)
    study = search(tmp_path / "s", Budget(), pool=_SlowPool(clock, 46.0), stopwatch=short, callback=notes)

    assert study.counts()["complete"] == 2
    assert notes.notes == [
        "30.0 s are left and a trial takes about 46.0 s: no further trial is started; a longer budget goes on"
    ]


def test_ctrl_c_saves_running_trials_and_the_front(tmp_path: Path) -> None:
    evaluator = _InterruptedAt(6)

    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "s", Budget(trials=20), pool=_CtrlCPool(evaluator))

    study = Study.open(tmp_path / "s")
    assert study.counts()["complete"] + study.counts()["stopped"] == 3
    assert (tmp_path / "s" / "pareto.json").is_file()
    assert search(tmp_path / "s", Budget(trials=5)).counts()["complete"] >= 3


def test_a_kill_between_the_record_and_the_journal_loses_nothing(tmp_path: Path) -> None:
    """What a kill leaves: a finished record on disk, a trial still running in the journal."""
    study = Study.begin(tmp_path / "s", config())
    record = proposer_of(study).ask()
    assert record is not None
    done = record.model_copy(update={"state": "complete", "quality": 20.0, "score_kind": "psnr"})
    study.write(done)
    study.close()

    after = search(tmp_path / "s", Budget(trials=1))

    assert after.records == {record.trial: done}
    told = proposer_of(Study.begin(tmp_path / "s", config())).journal.get_trials()[record.trial]
    assert told.values == [20.0, record.latency_ms]


def test_a_dying_worker_is_tried_once_more_and_then_given_up(tmp_path: Path) -> None:
    once, always = Notes(), Notes()

    first = search(tmp_path / "a", Budget(trials=2), pool=_DyingPool(deaths=1), callback=once)
    with pytest.raises(InputError, match="worker died 2 times"):
        search(tmp_path / "b", Budget(trials=2), pool=_DyingPool(deaths=1000), callback=always)

    assert first.counts()["complete"] == 2
    assert "trying once more" in once.notes[0]
    assert {record.state for record in always.ended} == {"failed"}


def test_a_worker_that_cannot_write_stops_the_search_and_fails_no_trial(tmp_path: Path) -> None:
    evaluator = _FullAt(6)

    with pytest.raises(UnwritableError, match=r"checkpoint\.pt: cannot be written \(No space left on device\)"):
        search(tmp_path / "s", Budget(trials=20), evaluator=evaluator)

    states = [record.state for record in Study.open(tmp_path / "s").records.values()]
    assert states.count("running") == 1
    assert "failed" not in states
    assert search(tmp_path / "s", Budget(trials=len(states))).counts()["failed"] == 0


@pytest.mark.parametrize("room", [6000, 9000, 20_000])
def test_a_disk_without_room_for_the_journal_stops_the_search_and_damages_nothing(tmp_path: Path, room: int) -> None:
    with room_for(room), pytest.raises(UnwritableError, match=f"cannot be written .*{REASON}"):
        search(tmp_path / "s", Budget(trials=200))

    before = Study.open(tmp_path / "s")
    ended = {trial: record for trial, record in before.records.items() if record.is_finished}
    assert before.counts()["failed"] == 0
    after = search(tmp_path / "s", Budget(trials=len(before.records) + 2))
    assert after.counts()["failed"] == 0
    assert {trial: after.records[trial] for trial in ended} == ended


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class _Timed(SimulatedEvaluator):
    def __init__(self, clock: _Clock, step_s: float) -> None:
        super().__init__()
        self.clock, self.step_s = clock, step_s

    def _sleep(self) -> None:
        self.clock.now += self.step_s


class _Broken:
    def evaluate(self, task: RungTask, should_stop: Callable[[], bool]) -> Reached:
        raise RuntimeError("nothing works")


class _FullAt(SimulatedEvaluator):
    """Finds the disk full when it runs its n-th task."""

    def __init__(self, task: int) -> None:
        super().__init__()
        self.left = task

    def evaluate(self, task: RungTask, should_stop: Callable[[], bool]) -> Reached:
        self.left -= 1
        if self.left == 0:
            raise UnwritableError(f"{task.folder}/checkpoint.pt: cannot be written (No space left on device)")
        return super().evaluate(task, should_stop)


class _NotANumber:
    def evaluate(self, task: RungTask, should_stop: Callable[[], bool]) -> Reached:
        return Reached(float("nan"), "psnr", {}, task.until_step)


class _SlowPool(InlinePool):
    """Takes a simulated time for every task."""

    def __init__(self, clock: _Clock, seconds: float) -> None:
        super().__init__(SimulatedEvaluator())
        self.clock, self.seconds = clock, seconds

    def wait(self, timeout_s: float) -> list[RungResult]:
        results = super().wait(timeout_s)
        self.clock.now += self.seconds / len(STEPS) * len(results)
        return [RungResult(r.trial, r.status, self.seconds / len(STEPS), r.reached, r.reason) for r in results]


class _InterruptedAt(SimulatedEvaluator):
    """Raises the exception of Ctrl-C when it runs its n-th task."""

    def __init__(self, task: int) -> None:
        super().__init__()
        self.left = task

    def evaluate(self, task: RungTask, should_stop: Callable[[], bool]) -> Reached:
        self.left -= 1
        if self.left < 0:
            raise TrialInterruptedError
        return super().evaluate(task, should_stop)


class _CtrlCPool(InlinePool):
    """Raises Ctrl-C in the middle of the driver's wait, while a task is running."""

    def wait(self, timeout_s: float) -> list[RungResult]:
        if isinstance(self.evaluator, _InterruptedAt) and self.evaluator.left == 0 and not self._stopped:
            raise KeyboardInterrupt
        return super().wait(timeout_s)


class _DyingPool(InlinePool):
    """Loses its worker in the first stages."""

    def __init__(self, deaths: int) -> None:
        super().__init__(SimulatedEvaluator())
        self.deaths = deaths

    def wait(self, timeout_s: float) -> list[RungResult]:
        if self.deaths and self._waiting:
            self.deaths -= 1
            return [RungResult(self._waiting.pop(0).trial, "died", reason="ActorDiedError")]
        return super().wait(timeout_s)


def test_the_simulated_device_agrees_with_hand_computed_work() -> None:
    architecture = load_space("tiny").anchors[0]

    params, gmacs = SimulatedCostModel().size(architecture)

    weights = 4 * 4 * 9 + 4 * 12 * 9
    assert params == weights + 4 + 12
    assert gmacs == pytest.approx(weights * 544 * 960 / 1e9)
