"""`doctor` says of every feature network where its weights are or how to get them."""

import json
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from nas_isp.cli.app import main
from nas_isp.perceptual.features import FEATURE_NETWORKS
from nas_isp.perceptual.weight_files import WEIGHTS_VARIABLE
from tests.weights_files import save_random_alexnet


@pytest.fixture(autouse=True)
def empty_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["nas-isp", "doctor", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def findings(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    return {row["what"]: row for row in json.loads(capsys.readouterr().out)}


def test_missing_weights_are_optional_and_named_with_address_and_hash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "--format", "json") == 0
    rows = findings(capsys)
    assert rows["features 'lite'"]["state"] == "ok"
    for name in FEATURE_NETWORKS:
        row = rows[f"features '{name}'"]
        for file in FEATURE_NETWORKS[name].files:
            assert row["state"] == "optional"
            assert f"--fetch-weights {name}" in row["do"]
            assert all(part in row["do"] for part in (file.name, file.address or "", file.sha256 or ""))
    assert rows["LPIPS"]["state"] == "optional"
    assert not (tmp_path / "cache").exists()


def test_weights_in_a_folder_are_found_and_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    save_random_alexnet(tmp_path)
    (tmp_path / "vgg19-dcbb9e9d.pth").write_bytes(b"broken")
    assert run(monkeypatch, "--weights-dir", tmp_path, "--format", "json") == 0
    rows = findings(capsys)
    assert rows["features 'alexnet'"]["state"] == rows["LPIPS"]["state"] == "ok"
    assert str(tmp_path / "alexnet-owt-7be5be79.pth") in rows["features 'alexnet'"]["found"]
    assert rows["features 'vgg19'"]["state"] == "optional"
    assert "cannot be read" in rows["features 'vgg19'"]["do"]


@pytest.mark.parametrize(("name", "reason"), [("vgg99", "known are lite"), ("lite", "in the package")])
def test_what_cannot_be_fetched_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    assert run(monkeypatch, "--fetch-weights", name) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert reason in line


def test_a_feature_network_of_a_broken_package_is_told_and_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = EntryPoint("broken", "no_such_package:SOURCE", "nas_isp.features")
    monkeypatch.setitem(FEATURE_NETWORKS._installed, "broken", [broken])
    run(monkeypatch, "--format", "json")
    rows = findings(capsys)
    assert rows["features 'broken'"]["state"] == "missing"
    assert "cannot be imported (ModuleNotFoundError" in rows["features 'broken'"]["do"]
    assert rows["features 'lite'"]["state"] == "ok"
