"""`nas-isp search` as a user calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

QUICK = """
description: A few steps, to see that everything fits together.
train: {patch: 32, batch: 2}
trial: {warm_start_steps: 4, steps: 2, rungs: [0.5]}
teacher: {architecture: {blocks: [{kind: conv3, channels: 4}]}}
"""


def search(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nas_isp.cli.app", "search", *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "0"], "90s, 30m or 2h"),
        (["--budget", "abc"], "90s, 30m or 2h"),
        (["--budget", "3", "--device", "nowhere"], "known are galaxy-a03s-gpu"),
        (["--budget", "3", "--space", "nowhere"], "known are mobile"),
        (["--budget", "3", "--sampler", "nowhere"], "tpe"),
        (["--budget", "3", "--workers", "0"], "workers 0: give a number from 1 to 1024 (--workers)"),
        (["--budget", "3", "--ray-address", "127.0.0.1:1"], "nothing answers there"),
        ([], "--budget"),
    ],
)
def test_bad_input_is_one_clear_line_and_writes_nothing(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = search(*arguments, "--study", tmp_path / "s")

    assert result.returncode == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "s").exists()


def test_an_empty_folder_of_raw_is_one_clear_line_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    result = search(
        "--budget", "3", "--raw", tmp_path / "empty", "--rgb", tmp_path / "empty", "--study", tmp_path / "s"
    )

    assert result.returncode == 2
    assert str(tmp_path / "empty") in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "s").exists()


def test_a_malformed_space_is_named_with_file_line_and_field(tmp_path: Path) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("description: d\nscales: [2]\ndepths: [0]\n")

    result = search("--budget", "3", "--space", space, "--study", tmp_path / "s")

    assert result.returncode == 2
    assert f"{space}, line 3, field 'depths.0'" in result.stderr


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_search_prints_its_front_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    given = ["--study", tmp_path / "s", "--space", "tiny", "--recipe", tmp_path / "quick.yaml", "--format", "json"]

    first = search("--budget", "2", *given)
    second = search("--budget", "3", *given)
    other = search("--budget", "3", *given, "--seed", "1")

    assert first.returncode == second.returncode == 0
    before, after = json.loads(first.stdout), json.loads(second.stdout)
    assert before["trials"]["complete"] == 2
    assert after["trials"]["complete"] == 3
    assert all(Path(row["bundle"]).is_file() for row in after["front"])
    assert (tmp_path / "s" / "report.html").is_file()
    assert sum(line.startswith("trial ") for line in second.stderr.splitlines()) == 1
    assert "continuing with 2 trials" in second.stderr
    assert "continuing" not in first.stderr
    assert other.returncode == 2
    assert "begun with seed 0, now 1 is given" in other.stderr
