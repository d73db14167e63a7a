"""The example of a package that adds to this one: installed beside it, tested by itself, and used by name."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "extension"
CHECKOUT = EXAMPLE.parents[1]

SPACE = """
description: Networks with the block of another package.
scales: [2, 4]
depths: [1, 2]
widths: [8]
kinds: [inverted]
activations: [relu]
first_activations: [relu, tanh]
residuals: [false, true]
"""

RECIPE = """
description: A few steps with the loss term of another package.
train:
  patch: 64
  batch: 2
  warm_start: {steps: 10}
  steps: 4
  weights: {pixel: 0.2, charbonnier: 1.0}
trial: {warm_start_steps: 10, steps: 4}
teacher:
  architecture:
    blocks:
      - {kind: inverted, channels: 8}
"""

NETWORK = {"family": "plain", "blocks": [{"kind": "inverted", "channels": 8}], "tail_kernel": 1}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed package and nothing else."""
    folder = tmp_path_factory.mktemp("extension")
    # setuptools writes beside what it builds.
    source = shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    options = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet")
    command = [sys.executable, "-m", "pip", "install", *options, "--target", folder / "site", source]
    subprocess.run(command, check=True, timeout=300)
    return folder / "site"


def run(installed: Path, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a module of Python with the package on the path."""
    environment = {**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{CHECKOUT}"}
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=570, check=False
    )


def answer(installed: Path, folder: Path, *arguments: object) -> str:
    result = run(installed, folder, "nas_isp.cli.app", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    result = run(installed, tmp_path, "pytest", "-q", "-p", "no:cacheprovider", installed.parent / "source" / "tests")
    assert result.returncode == 0, result.stdout
    assert "23 passed" in result.stdout


@pytest.mark.slow
def test_its_block_is_described_and_counted(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text(json.dumps(NETWORK))
    told = json.loads(answer(installed, tmp_path, "describe", "network.json", "--format", "json"))
    # 4 -> 8 and 8 filtered, 8 -> 8, then 8 -> 12: every convolution has a bias.
    assert told["params"] == (4 * 8 + 8) + (8 * 9 + 8) + (8 * 8 + 8) + (8 * 12 + 12)


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_a_search_uses_its_block_its_loss_term_and_its_sampler(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(SPACE)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    files = ("--space", "space.yaml", "--recipe", "recipe.yaml", "--study", "S")
    chosen = ("--sampler", "quasi", "--workers", "1", "--format", "json")
    front = answer(installed, tmp_path, "search", "--budget", "2", *files, *chosen)
    assert json.loads(front)["trials"]["failed"] == 0
    history = [json.loads(line) for line in (tmp_path / "S/trials/0000/history.jsonl").read_text().splitlines()]
    assert any("charbonnier" in row for row in history)
    blocks = json.loads((tmp_path / "S/trials/0000/arch.json").read_text())["blocks"]
    assert {block["kind"] for block in blocks} == {"inverted"}
    assert "sampler: quasi" in (tmp_path / "S/config.yaml").read_text()


@pytest.mark.slow
def test_kernels_are_measured_on_its_target(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text(json.dumps(NETWORK))
    measure = ("latency", "measure", "--target", "child", "--model", "network.json", "--input-size", "32x32")
    answer(installed, tmp_path, *measure, "-o", "m.json")
    answer(installed, tmp_path, "latency", "build", "m.json", "-o", "table.json")
    predict = ("latency", "predict", "--device", "table.json", "--model", "network.json", "--input-size", "32x32")
    predicted = json.loads(answer(installed, tmp_path, *predict, "--format", "json"))
    assert predicted["measured_share"] == 1.0


@pytest.mark.slow
def test_without_it_every_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "network.json").write_text(json.dumps(NETWORK))
    for arguments, message in (
        (("describe", "network.json"), "unknown block 'inverted': known are conv1"),
        (("search", "--budget", "1", "--sampler", "quasi"), "unknown sampler 'quasi': known are tpe"),
        (("latency", "measure", "--target", "child", "--model", "efficient-isp"), "unknown target 'child': known are"),
    ):
        result = run(tmp_path / "nothing", tmp_path, "nas_isp.cli.app", *arguments)
        assert result.returncode == 2
        assert message in result.stderr
