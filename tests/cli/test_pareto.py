"""`nas-isp pareto` as a user calls it."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nas_isp.evaluation.appearance import Appearance
from nas_isp.recipe import load_recipe
from nas_isp.search.config import StudyConfig
from nas_isp.search.records import ClassicalRecord, TrialRecord
from nas_isp.search.space import load_space
from nas_isp.search.study import Study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = StudyConfig(program="t", device="pixel4-gpu", recipe=load_recipe("default"), space=load_space("tiny"))
    study = Study.begin(tmp_path / "s", config)
    for trial, (quality, latency_ms) in enumerate([(20.0, 1.0), (28.0, 3.0), (30.0, 9.0), (19.0, 2.0)]):
        fields = {"trial": trial, "state": "complete", "quality": quality, "latency_ms": latency_ms, "digest": "d"}
        fields |= {"params": 10, "gmacs": 0.5, "score_kind": "reference-free"}
        record = TrialRecord.model_validate(fields | {"scores": {"psnr": 21.5} if trial == 1 else {}})
        study.begin_trial(record, load_space("tiny").anchors[0])
    study.close()
    return study.folder


def pareto(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nas_isp.cli.app", "pareto", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_json_has_the_front_the_counts_and_the_knee(folder: Path) -> None:
    result = pareto(folder, "--format", "json")

    summary = json.loads(result.stdout)
    assert [row["trial"] for row in summary["front"]] == [0, 1, 2]
    assert summary["front"][1] | {"knee": True} == summary["front"][1]
    assert set(summary["trials"]) == {"complete", "stopped", "rejected", "failed"}
    assert summary["trials"]["complete"] == 4
    assert summary["score_kind"] == "reference-free"
    assert result.stderr == ""
    assert all(row["extrapolated_share"] == 1 for row in summary["front"])
    assert all(0.1 < row["uncertainty"] < 1 for row in summary["front"])


def test_the_table_says_what_was_extrapolated(folder: Path) -> None:
    note = pareto(folder).stderr
    assert "100 % of the predicted time is extrapolated" in note
    assert "larger maps are extrapolated" in note


def test_csv_has_a_line_a_model(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(pareto(folder, "--format", "csv").stdout)))

    assert [row["trial"] for row in rows] == ["0", "1", "2"]
    assert [row["knee"] for row in rows] == ["0", "1", "0"]
    assert float(rows[1]["latency_ms"]) == 3.0
    assert [row["psnr"] for row in rows] == ["", "21.5", ""]


def test_the_table_says_what_quality_is_and_marks_the_knee(folder: Path) -> None:
    text = pareto(folder).stdout

    assert "reference-free score" in text
    assert "ms on pixel4-gpu" in text
    assert text.count("knee") == 1
    assert "4 complete, 0 stopped, 0 rejected, 0 failed" in text


def test_plot_and_page_are_written_beside_the_result(folder: Path, tmp_path: Path) -> None:
    result = pareto(folder, "--format", "json", "--plot", tmp_path / "f.png", "--html", tmp_path / "f.html")

    json.loads(result.stdout)
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "f.html").read_text().startswith("<!doctype html>")


def test_a_folder_that_is_no_study_is_one_clear_line(tmp_path: Path) -> None:
    result = pareto(tmp_path)

    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "not a study" in result.stderr


def test_an_unfinished_study_says_so(tmp_path: Path) -> None:
    config = StudyConfig(program="t", device="d", recipe=load_recipe("default"), space=load_space("tiny"))
    Study.begin(tmp_path / "s", config).close()

    assert "no trial is complete yet" in pareto(tmp_path / "s").stdout
    assert json.loads(pareto(tmp_path / "s", "--format", "json").stdout)["front"] == []


LOOK = Appearance(0, 0, 0, 0, 0.6, 0, 0, 0, 1, 1).to_dict()


@pytest.fixture
def with_classical(folder: Path) -> Path:
    """The same study, with a rendering that scores 25 dB, and the look of trial 1."""
    study = Study.open(folder)
    study.write_classical(
        ClassicalRecord(quality=25.0, score_kind="reference-free", scores={"reference_free": 25.0, "psnr": 19.0})
    )
    for trial, quality in ((0, 20.0), (1, 28.0)):
        scores = study.records[trial].scores | {"reference_free": quality} | (LOOK if trial == 1 else {})
        study.write(study.records[trial].model_copy(update={"scores": scores}))
    return folder


def test_the_classical_rendering_is_a_row_and_looks_are_said(with_classical: Path) -> None:
    result = pareto(with_classical)
    row = next(line for line in result.stdout.splitlines() if "│ classical" in line)
    assert "25" in row
    assert "19" in row
    assert "trial 1, beside the classical rendering: cast: none" in result.stdout
    assert "chroma 0.60 of classical (dull)" in result.stdout


def test_one_line_warns_of_what_is_worse_than_the_rendering(with_classical: Path) -> None:
    warnings = [line for line in pareto(with_classical).stderr.splitlines() if line.startswith("warning")]
    assert warnings == [
        "warning: trial 0 is worse than the classical rendering: the reference-free score 20.00 dB against 25.00 dB"
    ]


def test_json_and_csv_have_the_rendering_too(with_classical: Path) -> None:
    summary = json.loads(pareto(with_classical, "--format", "json").stdout)
    assert summary["classical"]["quality"] == 25.0
    assert [bool(row["worse"]) for row in summary["front"]] == [True, False, False]
    assert "(dull)" in summary["front"][1]["look"]
    rows = list(csv.DictReader(io.StringIO(pareto(with_classical, "--format", "csv").stdout)))
    assert rows[-1]["trial"] == "classical"
    assert (rows[-1]["quality"], rows[-1]["psnr"], rows[-1]["latency_ms"]) == ("25.0", "19.0", "")


def test_a_damaged_record_of_the_rendering_is_one_clear_line(with_classical: Path) -> None:
    (with_classical / "classical.json").write_text('{"quality": NaN}')
    result = pareto(with_classical)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert "classical.json" in result.stderr


def test_the_page_shows_the_rendering_and_the_looks(with_classical: Path, tmp_path: Path) -> None:
    pareto(with_classical, "--html", tmp_path / "f.html")
    page = (tmp_path / "f.html").read_text()
    assert "the classical rendering, without a network" in page
    assert "chroma 0.60 of classical (dull)" in page
    assert "worse than the classical rendering" in page
