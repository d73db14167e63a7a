"""A faulty table or kernel, given on the command line, gets one line that names the place, and exit status 2."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nas_isp.cli.app import main
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.devices import device_names
from nas_isp.latency.predict.table import DeviceRecord, MeasuredKernel, SourceRecord, build_table, write_table
from tests.json_faults import spoil

CONV = {"op": "conv2d", "in_channels": 4, "out_channels": 8, "kernel": [3, 3], "height": 16, "width": 16}


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    """A valid table's JSON."""
    device = {"id": "toy", "name": "Toy", "soc": "none", "processor": "gpu", "runtime": "none", "precision": "fp32"}
    entries = [
        MeasuredKernel(
            kernel=Kernel.model_validate(CONV | {"height": side, "width": side}), median_ms=side / 10, runs=1
        )
        for side in (8, 16, 32)
    ]
    source = SourceRecord(how="by hand", when="once", licence="none", link="")
    write_table(tmp_path / "table.json", build_table(DeviceRecord.model_validate(device), source, entries))
    loaded: dict[str, Any] = json.loads((tmp_path / "table.json").read_text())
    return loaded


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Calls the verb; gives exit status, output and error output."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["nas-isp", "latency", "predict", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        printed = capsys.readouterr()
        return int(caught.value.code or 0), printed.out, printed.err

    return call


def refusal(answer: tuple[int, str, str]) -> str:
    status, output, line = answer
    assert (status, output) == (2, "")
    assert len(line.strip().splitlines()) == 1
    return line


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("device", "processor"), None, "field 'device.processor'"),
        (("measured",), None, "field 'measured'"),
        (("measured", 1, "median_ms"), -0.5, "field 'measured.1.median_ms'"),
        (("measured", 1, "median_ms"), float("nan"), "field 'measured.1.median_ms'"),
        (("schema_version",), 2, "field 'schema_version'"),
        (("measured", 0, "kernel", "op"), "warp", "field 'measured.0.kernel.op'"),
        (("measured", 0, "kernel", "color"), "red", "field 'measured.0.kernel.color'"),
        (("correction", "winograd_scale"), -1, "field 'correction.winograd_scale'"),
        (("uncertainty", "measured"), "wide", "field 'uncertainty.measured'"),
    ],
)
def test_a_faulty_table(
    tmp_path: Path,
    content: dict[str, Any],
    predict: Callable[..., tuple[int, str, str]],
    path: tuple[Any, ...],
    value: Any,
    message: str,
) -> None:
    spoil(content, path, value)
    table, kernels = tmp_path / "faulty.json", tmp_path / "kernels.json"
    table.write_text(json.dumps(content))
    kernels.write_text(json.dumps([CONV]))
    line = refusal(predict("--device", table, "--kernels", kernels))
    assert message in line
    assert "faulty.json" in line


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ({"op": "warp"}, "field 'kernels.0.op'"),
        ({"op": "depth_to_space", "out_channels": 1, "kernel": 2}, "cannot speak of kernel 'depth_to_space"),
        ({"activation": "sparkle"}, "unknown activation 'sparkle'"),
        ({"in_channels": -4}, "field 'kernels.0.in_channels'"),
    ],
)
def test_a_kernel_nobody_knows(
    tmp_path: Path,
    content: dict[str, Any],
    predict: Callable[..., tuple[int, str, str]],
    kernel: dict[str, Any],
    message: str,
) -> None:
    (tmp_path / "kernels.jsonl").write_text(json.dumps({"network": "n", "kernels": [CONV | kernel]}) + "\n")
    assert content["schema_version"] == 1
    line = refusal(predict("--device", tmp_path / "table.json", "--kernels", tmp_path / "kernels.jsonl"))
    assert message in line


def test_fields_that_say_nothing_are_skipped_with_a_note(
    tmp_path: Path, content: dict[str, Any], predict: Callable[..., tuple[int, str, str]]
) -> None:
    network = {"network": "n", "flops": 7, "kernels": [CONV | {"node": 3, "output_height": 16}]}
    (tmp_path / "kernels.jsonl").write_text(json.dumps(network))
    files = "--device", tmp_path / "table.json", "--kernels", tmp_path / "kernels.jsonl"
    status, output, notes = predict(*files, "--format", "json")
    assert status == 0
    assert [line.split("'")[1] for line in notes.strip().splitlines()] == ["flops", "node", "output_height"]
    (answer,) = json.loads(output)
    assert answer["latency_ms"] == pytest.approx(1.6)
    assert answer["uncertainty"] > 0
    assert answer["interval_ms"][0] < answer["latency_ms"] < answer["interval_ms"][1]
    assert content["device"]["id"] == answer["device"]


@pytest.mark.parametrize("columns", [30, 60, 80, 200])
def test_a_list_never_breaks_an_id_over_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.argv", ["nas-isp", "latency", "list"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().out
    assert all(f" {name} " in printed for name in device_names())
