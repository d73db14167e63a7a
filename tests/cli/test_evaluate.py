"""`evaluate` scores LPIPS where AlexNet's weights are, and says null where they are not."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nas_isp.cli.app import main
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord, save_bundle
from nas_isp.perceptual.weight_files import WEIGHTS_VARIABLE
from nas_isp.raw.classical import render_image
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription
from tests.weights_files import save_random_alexnet

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=6),))
SENSOR = SensorDescription(cfa="RGGB", bits=10, black=64, white=1023)


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, one pair, and no weights anywhere."""
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    torch.manual_seed(0)
    record = BundleRecord(architecture=SMALL, sensor=SENSOR)
    save_bundle(tmp_path / "m.safetensors", Bundle(record, build(SMALL).state_dict()))
    rng = np.random.default_rng(0)
    for folder in ("raw", "rgb"):
        (tmp_path / folder).mkdir()
    (tmp_path / "raw" / "sensor.json").write_text(SENSOR.model_dump_json())
    np.save(tmp_path / "raw" / "a.npy", rng.integers(64, 1024, (40, 48)).astype(np.uint16))
    Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(tmp_path / "rgb" / "a.png")
    return tmp_path


def scores(pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: object) -> dict:
    arguments = ("evaluate", pairs / "m.safetensors", "--pairs", pairs, "--format", "json", *more)
    monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert not caught.value.code
    return json.loads(capsys.readouterr().out)


def test_lpips_is_null_without_weights_and_nothing_is_fetched(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = scores(pairs, monkeypatch, capsys)
    assert found["lpips"] is None
    assert found["psnr"] > 0
    assert not (pairs / "cache" / "nas_isp").exists()


def test_lpips_is_scored_with_the_weights_of_the_named_folder(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without = scores(pairs, monkeypatch, capsys)
    (pairs / "weights").mkdir()
    save_random_alexnet(pairs / "weights")
    found = scores(pairs, monkeypatch, capsys, "--weights-dir", pairs / "weights")
    assert found["lpips"] > 0
    found["lpips"] = found["baselines"]["classical"]["lpips"] = None
    assert found == without


def test_what_is_done_to_pictures_of_another_sensor_is_said_once_with_their_number(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, name in (("raw", "a.npy"), ("rgb", "a.png")):
        for copy in ("b", "c"):
            (pairs / kind / f"{copy}{name[1:]}").write_bytes((pairs / kind / name).read_bytes())
    own = SENSOR.model_copy(update={"name": "own", "white_balance": (1.5, 1.0, 2.0)})
    other = SENSOR.model_copy(update={"name": "other"})
    save_bundle(
        pairs / "m.safetensors", Bundle(BundleRecord(architecture=SMALL, sensor=own), build(SMALL).state_dict())
    )
    (pairs / "raw" / "sensor.json").write_text(other.model_dump_json())
    arguments = ["nas-isp", "evaluate", str(pairs / "m.safetensors"), "--pairs", str(pairs)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit):
        main()
    lines = [line for line in capsys.readouterr().err.splitlines() if "brought there" in line]
    assert len(lines) == 1
    assert lines[0].startswith("3 of 3 pictures: from other, the model is for own; brought there by")
    assert "a.npy" not in lines[0]


def test_the_classical_rendering_is_a_row_and_the_look_is_said(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The photo is made the rendering itself, so that no model is better."""
    own = SENSOR.model_copy(update={"white_balance": (1.5, 1.0, 2.0)})
    (pairs / "raw" / "sensor.json").write_text(own.model_dump_json())
    rendering = render_image(read_raw(pairs / "raw" / "a.npy"), auto_exposure=True)
    Image.fromarray(rendering).save(pairs / "rgb" / "a.png")
    found = scores(pairs, monkeypatch, capsys)
    assert found["baselines"]["classical"]["psnr"] == 100
    assert found["baselines"]["classical"]["delta_e00"] == 0
    assert "look" not in found["baselines"]["classical"]
    assert found["look"]["words"].startswith("cast: ")
    assert found["look"]["faults"] == re.findall(r"\((\w+)\)", found["look"]["words"])
    monkeypatch.setattr(sys, "argv", ["nas-isp", "evaluate", str(pairs / "m.safetensors"), "--pairs", str(pairs)])
    with pytest.raises(SystemExit):
        main()
    captured = capsys.readouterr()
    assert "│ classical │" in captured.out
    assert "the model, beside the classical rendering: cast: " in captured.err
    warnings = [line for line in captured.err.splitlines() if line.startswith("warning")]
    assert len(warnings) == 1
    assert "against 100.00 dB, CIEDE2000" in warnings[0]
