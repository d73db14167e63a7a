"""`nas-isp train` runs any recipe without a download, and says what to do where one needs a file."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from nas_isp.cli.app import main
from nas_isp.generators.bundle import load_bundle
from tests.preview_files import Scene, encoded, levels, scene_light, write_capture


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["nas-isp", "train", "efficient-isp", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_the_published_recipe_runs_on_packaged_features(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "model.safetensors"
    sizes = ("--steps", "2", "--batch", "2", "--patch", "64", "--patches", "24")
    options = ("--recipe", "arhire2025", "--features", "lite", "-o", str(bundle), "--format", "json")
    assert _run(monkeypatch, *options, *sizes) == 0
    captured = capsys.readouterr()
    scores = json.loads(captured.out)
    assert scores["score_kind"] == "reference-free"
    record = load_bundle(bundle).record
    recipe = record.recipe
    assert recipe is not None
    assert (recipe["reference"], recipe["content"]["features"]) == ("published", "lite")
    assert (recipe["patch"], recipe["patches"]) == (64, 24)
    assert scores["classical"] == record.scores["classical"]
    assert scores["classical"]["reference_free"] == scores["classical"]["quality"] > scores["quality"]
    said = captured.err.splitlines()
    assert sum(line.startswith("the model, beside the classical rendering: cast: ") for line in said) == 1
    assert sum(line.startswith("warning: the model is worse than the classical rendering: ") for line in said) == 1
    run = tmp_path / "model.run"
    assert {"history.jsonl", "scores.jsonl", "sample.png"} <= {path.name for path in run.iterdir()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--features", "vgg"), "unknown feature network 'vgg': known are lite"),
        (("--patch", "70"), "field 'patch'"),
        (("--seed", "4294967296"), "'--seed'"),
        (("--recipe", "arhire2026"), "known are arhire2025, default"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    options: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _run(monkeypatch, "-o", str(tmp_path / "model.safetensors"), *options) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_the_finished_model_is_measured_against_the_cameras_own_pictures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("raw", "rgb"):
        (tmp_path / name).mkdir()
    for at in range(3):
        write_capture(tmp_path / "raw" / f"{at}.dng", seed=at)
        photo = levels(encoded(scene_light(Scene(10 + at), 192, 256)))
        Image.fromarray(photo).save(tmp_path / "rgb" / f"{at}.png")
    folders = ("--raw", str(tmp_path / "raw"), "--rgb", str(tmp_path / "rgb"))
    sizes = ("--warm-steps", "1", "--steps", "0", "--batch", "2", "--patch", "64", "--patches", "24")
    how = (*folders, *sizes, "--format", "json")
    bundle = tmp_path / "model.safetensors"
    assert _run(monkeypatch, *how, "-o", str(bundle)) == 0
    said = capsys.readouterr()
    measured = json.loads(said.out)["previews"]
    assert measured == load_bundle(bundle).record.scores["previews"]
    assert measured["captures"] == 3
    assert measured["classical_psnr"] > 15
    assert "against the camera's pictures of 3 captures" in said.err
    other = tmp_path / "other.safetensors"
    assert _run(monkeypatch, *how, "-o", str(other), "--previews", "off") == 0
    said = capsys.readouterr()
    assert "previews" not in json.loads(said.out)
    assert "camera's pictures" not in said.err
    assert "previews" not in load_bundle(other).record.scores
