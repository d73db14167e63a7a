"""What README and `examples/` show does what it says, run as a stranger would run it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_isp.data.demo import demo_folders
from nas_isp.generators.bundle import load_bundle
from tests.dng_files import write_dng

ROOT = Path(__file__).parents[2]
LONGEST = 40
"""Lines of an example."""

RECIPE = """
description: A few steps of everything, for tests.
train: {patch: 64, batch: 2}
teacher: {architecture: {blocks: [{kind: conv3, channels: 8}]}, warm_start_steps: 4, steps: 2}
student: {steps: 4, batch: 2}
"""


def run(*arguments: object, folder: Path) -> str:
    """What a Python program prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *map(str, arguments)]
    result = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=570, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def example(name: str, *arguments: object, folder: Path) -> str:
    return run(ROOT / "examples" / f"{name}.py", *arguments, folder=folder)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one trial on the demo set, made by the example."""
    folder = tmp_path_factory.mktemp("examples")
    assert "1 networks are complete" in example("search", "study", "1", folder=folder)
    return folder / "study"


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_says_how_to_run_it(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < LONGEST
    assert f"Run: python examples/{path.name}" in text


def test_a_latency_is_predicted(tmp_path: Path) -> None:
    caveat, answer, *kernels = example("predict_latency", folder=tmp_path).splitlines()
    assert caveat.startswith("pixel4-gpu: measured on maps of")
    assert re.fullmatch(r"efficient-isp on pixel4-gpu: [\d.]+ ms, between [\d.]+ and [\d.]+ ms", answer)
    times = [float(line.partition(" ms")[0]) for line in kernels]
    assert len(times) == 3
    assert times == sorted(times, reverse=True)


@pytest.mark.slow
def test_a_network_is_trained(tmp_path: Path) -> None:
    assert "after 10 steps" in example("train", "m.safetensors", 2, folder=tmp_path)
    assert load_bundle(tmp_path / "m.safetensors").record.architecture.family == "plain"


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_study_is_distilled_exported_developed_and_evaluated(study: Path) -> None:
    folder, pairs = study.parent, study / "data/demo/val"
    (folder / "recipe.yaml").write_text(RECIPE)
    printed = example("distill", "study", "m.safetensors", "20s", "recipe.yaml", folder=folder)
    assert [line.partition(":")[0] for line in printed.splitlines()][-4:] == [
        "candidate",
        "teacher",
        "student",
        "classical",
    ]

    assert "dB on" in example("export", "m.safetensors", "m.tflite", 64, 64, folder=folder)
    assert (folder / "m.tflite.json").is_file()

    mosaic = next((pairs / "raw").glob("*.png"))
    assert "left out: missing.dng" in example("develop", "m.tflite", "out", "missing.dng", mosaic, folder=folder)
    with Image.open(folder / "out" / f"{mosaic.stem}.jpg") as picture, Image.open(mosaic) as raw:
        assert picture.size == raw.size

    lines = example("evaluate", "m.safetensors", pairs, "study", folder=folder).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["model", "classical", "look"]


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_the_five_lines_of_the_readme_do_the_whole_job(tmp_path: Path) -> None:
    snippet = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert snippet is not None
    assert len([line for line in snippet[1].splitlines() if line]) == 1 + 5
    program = snippet[1].replace('budget="2h"', 'budget="1"').replace('budget="1h"', 'budget="20s"')
    assert program.count("budget=") == 2
    raw, rgb, _ = demo_folders(tmp_path / "demo")
    shutil.copytree(raw, tmp_path / "raw")
    shutil.copytree(rgb, tmp_path / "photos")
    write_dng(tmp_path / "IMG.DNG", np.full((96, 128), 300, np.uint16))

    assert "TrialRecord(trial=0" in run("-c", program, folder=tmp_path)

    with Image.open(tmp_path / "photo.jpg") as picture:
        assert picture.size == (128, 96)
