"""`benchmarks/gpu.sh` returns every figure as JSON, on a CPU in its small form, and loses none where a part fails."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def gpu() -> Iterator[ModuleType]:
    """The script, importable as it is when it runs."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("gpu")
    sys.path.remove(str(BENCHMARKS))


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GPU_DATA": str(data), "PYTHON": sys.executable}
    command = ["bash", str(BENCHMARKS / "gpu.sh"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_all_parts_together_may_take_less_than_eight_minutes(gpu: ModuleType) -> None:
    limits = [gpu.FULL.limits_s[name.partition("_")[0]] for name in gpu.parts_of(gpu.FULL)]
    assert len(limits) == 6
    assert sum(limits) < 480


def test_without_data_it_says_what_makes_them(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 2
    assert "gpu_prepare.sh" in done.stderr


def test_a_part_that_takes_too_long_is_ended_with_all_that_it_started(gpu: ModuleType, tmp_path: Path) -> None:
    answer = gpu.run_apart("step", [str(tmp_path), "--small"], 0.2)
    assert answer["error"].startswith("not done after 0.2 s")
    assert answer["seconds"] < 10


@pytest.mark.slow
def test_the_small_form_gives_every_figure_on_a_cpu(tmp_path: Path) -> None:
    prepare = [sys.executable, str(BENCHMARKS / "gpu.py"), str(tmp_path / "prepared"), "--prepare", "demo", "--small"]
    subprocess.run(prepare, check=True, capture_output=True)
    done = run(tmp_path, "--small", "-o", str(tmp_path / "result.json"))
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads((tmp_path / "result.json").read_text())
    parts = answer["parts"]
    assert list(parts) == ["card", "step", "precision", "sharing_1", "sharing_2"]
    assert answer["card"] == parts["card"]["name"]
    assert parts["step"]["times_faster"]["published"] == 1.0
    assert parts["step"]["wanted"] == 6.0
    assert set(parts["precision"]["mean_psnr"]) == {"float32", "bfloat16"}
    assert all(parts[name]["trials_a_minute"] > 0 for name in ("sharing_1", "sharing_2"))
    assert all(part["seconds"] > 0 for part in parts.values())


@pytest.mark.slow
def test_a_part_that_fails_costs_no_other_one(tmp_path: Path) -> None:
    """Data without patches: only the trainings need them."""
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared/prepared.json").write_text("{}")
    done = run(tmp_path, "--small", "-o", str(tmp_path / "result.json"))
    assert done.returncode == 1
    parts = json.loads((tmp_path / "result.json").read_text())["parts"]
    assert {name for name, part in parts.items() if "error" in part} == {"precision", "sharing_1", "sharing_2"}
    assert "prepared.json" in parts["precision"]["error"]
    assert parts["step"]["rows"]
