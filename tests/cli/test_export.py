"""`nas-isp export`: what it prints, what it writes, and what it refuses."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_isp.cli.app import main
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import RAW_FOLDER, Bundle, BundleRecord, load_bundle, save_bundle
from nas_isp.raw.mosaic_files import write_mosaic_png
from nas_isp.raw.sensor import SensorDescription

SMALL = PlainArchitecture(blocks=(Block(kind="rep3", channels=6),))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    record = BundleRecord(architecture=SMALL, sensor=SensorDescription(cfa="RGGB", bits=10, black=64, white=1023))
    save_bundle(tmp_path / "m.safetensors", Bundle(record, build(SMALL).state_dict()))
    return tmp_path / "m.safetensors"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_json_report_has_the_agreed_keys_and_lies_beside_the_file(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.onnx"
    code = run(monkeypatch, "export", bundle, "--to", "onnx", "--input-size", "32x48", "-o", target, "--format", "json")
    assert code == 0
    report = json.loads(capsys.readouterr().out)
    assert {"file", "bytes", "ops", "max_abs_error", "psnr_vs_torch_db", "host_ms"} <= set(report)
    assert report["bytes"] == target.stat().st_size
    assert report["ops"]["Conv"] == 2
    assert json.loads((tmp_path / "out.onnx.json").read_text()) == report
    assert {path.name for path in tmp_path.iterdir()} == {"m.safetensors", "out.onnx", "out.onnx.json"}


def test_the_training_raw_is_read_with_the_sensor_that_the_model_was_trained_for(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    write_mosaic_png(folder / "a.png", np.random.default_rng(0).integers(64, 1024, (64, 96), dtype=np.uint16))
    trained = load_bundle(bundle)
    record = trained.record.model_copy(update={"origin": {RAW_FOLDER: str(folder)}})
    save_bundle(bundle, Bundle(record, trained.weights))
    arguments = ("--to", "onnx", "--input-size", "32x48", "-o", tmp_path / "out.onnx", "--format", "json")
    assert run(monkeypatch, "export", bundle, *arguments) == 0
    assert json.loads(capsys.readouterr().out)["checked_on"] == "1 pictures of the training RAW"


@pytest.mark.slow
def test_tflite_prints_a_table_and_nothing_else(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.tflite"
    arguments = ("--to", "tflite", "--precision", "fp16", "--input-size", "dynamic", "-o", target)
    assert run(monkeypatch, "export", bundle, *arguments) == 0
    printed = capfd.readouterr().out
    assert "2 CONV_2D" in printed
    assert "1 DEPTH_TO_SPACE" in printed
    assert "Quantized" not in printed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"--precision": "int8"}, "exporter 'onnx' has no precision 'int8': it writes fp32, fp16; give one"),
        ({"--precision": "bf16"}, "fp16"),
        ({"--input-type": "jpeg"}, "normalised"),
        ({"--output-type": "jpeg"}, "uint8"),
        ({"--calibration": "."}, "give precision int8 with it (--calibration, --precision)"),
        ({"--pairs": "missing"}, "holds no folder raw/"),
        ({"--input-size": "544"}, "such as 544x960"),
        ({"--input-size": "0x960"}, "such as 544x960"),
        ({"--input-size": "-4x960"}, "such as 544x960"),
        ({"--input-size": "99999x960"}, "such as 544x960"),
        ({"-o": "out.tflite"}, r"\*.onnx"),
        ({"-o": "missing/out.onnx"}, "give a file in a writable folder"),
        ({"--input-size": "17000x960"}, "each 8 to 16384"),
        ({"--raw": "missing"}, "no such folder"),
        ({"--group": "wide"}, "give raw or calibration with it"),
        ({"--sensor": "nokia 3310"}, "unknown sensor"),
        ({"--to": "coreml"}, "unknown exporter 'coreml': known are tflite, onnx"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    options = {"--to": "onnx", "-o": "out.onnx", "--input-size": "32x48"} | changes
    assert run(monkeypatch, "export", bundle, *(part for pair in options.items() for part in pair)) == 2
    captured = capsys.readouterr()
    message = captured.err.strip().splitlines()[-1]
    assert message.startswith("nas-isp: ")
    assert reason.replace("\\", "") in message
    assert captured.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]


def test_a_model_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "export", tmp_path / "none.safetensors", "--to", "onnx", "-o", tmp_path / "a.onnx") == 2
    assert "none.safetensors" in capsys.readouterr().err
