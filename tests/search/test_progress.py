"""What a search says on stderr."""

from pathlib import Path

import pytest

from nas_isp.search.budget import Budget, Stopwatch
from nas_isp.search.progress import describe_search, describe_trial, open_progress
from nas_isp.search.records import TrialRecord
from nas_isp.search.study import Study
from tests.search.search_tools import config, search


def test_one_line_a_finished_trial_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_progress() as callback:
        search(tmp_path / "s", Budget(trials=3), callback=callback)

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 3
    assert err.startswith("trial 0: complete, quality ")


def test_a_failed_trial_without_latency_is_described_with_its_reason(tmp_path: Path) -> None:
    study = Study.begin(tmp_path / "s", config())

    text = describe_trial(TrialRecord(trial=3, state="failed", digest="d", reason="diverged"), study)

    assert text.startswith("trial 3: failed (diverged)")


def test_the_time_left_and_the_best_are_shown(tmp_path: Path) -> None:
    study = search(tmp_path / "s", Budget(trials=3))
    now = [0.0]
    stopwatch = Stopwatch(Budget(seconds=200), clock=lambda: now[0])
    now[0] = 75

    text = describe_search(study, 2, stopwatch)

    best = max(record.point[0] for record in study.front())
    assert "2 running" in text
    assert f"best {best:.3f}" in text
    assert text.endswith("2:05 left")
