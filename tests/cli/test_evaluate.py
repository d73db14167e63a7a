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
from nas_isp.evaluation.color_chart import reference_srgb
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord, save_bundle
from nas_isp.perceptual.weight_files import WEIGHTS_VARIABLE
from nas_isp.raw.classical import render_image
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription
from tests.evaluation.test_color_chart import drawn
from tests.preview_files import mosaic_of, write_capture
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


def refused(pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *more: object) -> str:
    monkeypatch.setattr(sys, "argv", ["nas-isp", "evaluate", str(pairs / "m.safetensors"), *map(str, more)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code
    return capsys.readouterr().err


def test_one_thing_to_measure_against_is_asked_for(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "nothing to measure against" in refused(pairs, monkeypatch, capsys)
    assert "more than one" in refused(pairs, monkeypatch, capsys, "--pairs", pairs, "--previews", pairs / "raw")
    assert "--chart" in refused(pairs, monkeypatch, capsys, "--previews", pairs / "raw", "-o", pairs / "a.png")


def test_captures_are_measured_against_their_previews_beside_classical_and_libraw(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = pairs / "captures"
    folder.mkdir()
    for at in range(2):
        write_capture(folder / f"{at}.dng", seed=at)
    arguments = ("evaluate", pairs / "m.safetensors", "--previews", folder)
    monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments), "--format", "json"])
    with pytest.raises(SystemExit):
        main()
    found = json.loads(capsys.readouterr().out)
    assert found["captures"] == 2
    assert set(found["each"]) == {"0.dng", "1.dng"}
    assert found["classical"]["psnr"] > 15
    assert found["model"] != found["classical"]
    assert found["model"]["psnr"] == pytest.approx(np.mean([one["model"]["psnr"] for one in found["each"].values()]))
    assert found["LibRaw"]["delta_e00"] > 0
    monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments)])
    with pytest.raises(SystemExit):
        main()
    out = capsys.readouterr().out
    assert "0.dng" in out
    assert "against the camera's pictures of 2 captures" in out


def test_a_folder_without_previews_is_refused(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(pairs, monkeypatch, capsys, "--previews", pairs / "raw")
    assert "no RAW file with a JPEG of the camera" in said
    assert "--previews" in said


def test_a_chart_is_measured_in_its_corners(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a bare mosaic: the picture of the patches and a report of the model and of our rendering."""
    picture = drawn(reference_srgb()) / 255
    linear = np.where(picture <= 0.04045, picture / 12.92, ((picture + 0.055) / 1.055) ** 2.4)
    np.save(pairs / "raw" / "chart.npy", mosaic_of(linear, 64, 1023, (1.0, 1.0, 1.0)))
    described = SENSOR.model_copy(update={"white_balance": (1.0, 1.0, 1.0)})
    (pairs / "raw" / "sensor.json").write_text(described.model_dump_json())
    corners = ("60,40", "660,40", "660,440", "60,440")
    arguments = ("evaluate", pairs / "m.safetensors", "--chart", pairs / "raw/chart.npy", "--corners", *corners)
    more = ("-o", str(pairs / "patches.png"), "--format", "json")
    monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments), *more])
    with pytest.raises(SystemExit):
        main()
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"model", "classical"}
    assert found["classical"]["mean"] < 4  # of gray world, which a chart is only about
    assert len(found["model"]["delta_e00"]) == 24
    assert found["model"]["mean"] > 5
    with Image.open(pairs / "patches.png") as saved:
        assert saved.size == (576, 384)
    monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments)])
    with pytest.raises(SystemExit):
        main()
    assert "chroma ratio" in capsys.readouterr().out


def test_corners_that_are_no_points_are_refused(
    pairs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chart = ("--chart", pairs / "raw/a.npy", "--corners")
    for corners in (("1", "2", "3", "4"), ("a,b", "1,2", "3,4", "5,6"), ("1,2,3", "1,2", "3,4", "5,6")):
        assert "give four points x,y" in refused(pairs, monkeypatch, capsys, *chart, *corners)


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
