"""The main job, run as a user runs it: search, front, distillation, export, evaluation, a developed photo."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

RECIPE = """
description: A few steps of everything, for tests.
train:
  patch: 64
  batch: 2
  warm_start: {steps: 40}
  steps: 10
trial: {warm_start_steps: 40, steps: 10}
teacher:
  architecture:
    blocks:
      - {kind: conv3, channels: 16}
      - {kind: conv3, channels: 16, residual: true}
  warm_start_steps: 30
  steps: 5
student: {steps: 30, batch: 2}
"""


def nas_isp(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nas_isp.cli.app", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=570, check=False)


def succeeded(*arguments: object, folder: Path) -> str:
    result = nas_isp(*arguments, folder=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_from_a_search_to_a_developed_photo(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    succeeded("search", "--budget", "3", "--recipe", "recipe.yaml", "--study", "S", folder=tmp_path)
    front = json.loads(succeeded("pareto", "S", "--format", "json", folder=tmp_path))
    assert front["trials"]["complete"] + front["trials"]["stopped"] == 3
    assert front["trials"]["failed"] == 0
    assert {"trial", "quality", "latency_ms", "params", "gmacs", "bundle"} <= front["front"][0].keys()
    assert (tmp_path / "S" / "report.html").stat().st_size > 10_000

    scores = json.loads(succeeded("distill", "S", "-o", "m.safetensors", "--format", "json", folder=tmp_path))
    assert scores.keys() == {"candidate", "teacher", "student", "classical"}
    assert scores["classical"]["quality"] == pytest.approx(front["classical"]["quality"], rel=1e-5)

    export = ("export", "m.safetensors", "--to", "tflite", "--input-size", "96x96", "--format", "json")
    report = json.loads(succeeded(*export, "-o", "m.tflite", folder=tmp_path))
    assert report["max_abs_error"] <= 1e-5
    assert not {"TRANSPOSE", "RESHAPE", "GATHER"} & report["ops"].keys()

    pairs = tmp_path / "S" / "data" / "demo" / "val"
    score = ("evaluate", "m.tflite", "--pairs", pairs, "--baseline", "S", "--format", "json")
    measured = json.loads(succeeded(*score, folder=tmp_path))
    assert measured["images"] == 8
    assert measured["psnr"] > 14
    assert measured["artefacts"]["pictures"] == 8
    assert measured["baselines"]["look"]["psnr"] > measured["baselines"]["classical"]["psnr"]

    photo = sorted((pairs / "raw").glob("*.png"))[0]
    succeeded("develop", "m.tflite", photo, "-o", "photo.png", folder=tmp_path)
    with Image.open(tmp_path / "photo.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (192, 192, 3)
    assert pixels.std() > 10


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_one_generator_is_trained_and_described(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    train = ("train", "efficient-isp", "--recipe", "recipe.yaml", "-o", "e.safetensors", "--format", "json")
    assert json.loads(succeeded(*train, folder=tmp_path))["steps"] == 50
    described = json.loads(succeeded("describe", "e.safetensors", "--format", "json", folder=tmp_path))
    assert described["params"] == 3060


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("search", "--budget", "0"), "budget '0'"),
        (("search", "--budget", "abc"), "budget 'abc'"),
        (("search", "--budget", "3", "--device", "pixel99"), "pixel4-gpu"),
        (("search", "--budget", "3", "--space", "galaxy"), "mobile"),
        (("search", "--budget", "3", "--recipe", "cake"), "default"),
        (("search", "--budget", "3", "--raw", "empty", "--rgb", "empty"), "empty"),
        (("search", "--budget", "3", "--raw", "empty"), "--rgb"),
        (("search", "--budget", "3", "--space", "broken.yaml"), "broken.yaml, line 3"),
        (("search", "--budget", "3", "--study", "/proc/nowhere/S"), "/proc/nowhere/S"),
        (("train", "efficient-isp", "--mode", "sideways", "-o", "x.safetensors"), "mode"),
        (("train", "efficient-isp", "-o", "missing/x.safetensors"), "missing/x.safetensors"),
        (("distill", "empty", "-o", "x.safetensors"), "not a study"),
        (("pareto", "empty"), "not a study"),
        (("pareto", "x" * 300), "name too long"),
        (("export", "empty", "--to", "onnx", "-o", "x.onnx"), "empty:knee"),
        (("evaluate", "nothing.safetensors", "--pairs", "empty"), "nothing.safetensors"),
        (("export", "nothing.safetensors", "--to", "tflite", "-o", "x.tflite"), "nothing.safetensors"),
        (("develop", "nothing.tflite", "photo.dng", "-o", "x.png"), "nothing.tflite"),
        (("develop", "nothing.tflite", "nowhere.dng", "-o", "x.png"), "nowhere.dng"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(arguments: tuple[str, ...], expected: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.yaml").write_text("description: broken\nscales: [2\n")
    (tmp_path / "photo.dng").touch()
    before = sorted(tmp_path.rglob("*"))
    result = nas_isp(*arguments, folder=tmp_path)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    assert expected in result.stderr or expected in result.stderr.lower()
    assert result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr
    assert sorted(tmp_path.rglob("*")) == before, "something half-written was left"


def test_help_lists_every_verb_and_is_fast_to_import() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import sys, nas_isp.cli.app as a; a.build_app(); print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(result.stdout.split())
    assert not loaded & {"torch", "ray", "optuna", "matplotlib", "rawpy", "numpy", "pydantic"}
