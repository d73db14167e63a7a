import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nas_isp.generators.published import PUBLISHED
from nas_isp.latency.kernels.kernel import convolution, shuffle
from nas_isp.latency.measure.host import host_device
from nas_isp.latency.measure.measurements import Measurements, write_measurements
from nas_isp.latency.measure.probe_models import kernel_chain_model, single_kernel_model
from nas_isp.latency.predict.provenance import Setup

NETWORK = {
    "network": "first",
    "kernels": [
        {
            "op": "conv2d",
            "in_channels": 3,
            "out_channels": 32,
            "kernel": [3, 3],
            "stride": [2, 2],
            "groups": 1,
            "height": 224,
            "width": 224,
            "activation": "relu",
        },
        {"op": "mean", "in_channels": 320, "out_channels": 320, "height": 7, "width": 7},
    ],
}


@pytest.fixture
def nas_isp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NAS_ISP_CACHE", str(tmp_path / "cache"))

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "nas_isp.cli.app", "latency", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    return call


def refused(answer: subprocess.CompletedProcess[str]) -> str:
    lines = answer.stderr.strip().splitlines()
    assert answer.returncode == 2, answer.stderr
    assert answer.stdout == ""
    assert len(lines) == 1, lines
    return lines[0]


def test_list_names_every_device(nas_isp: Any) -> None:
    rows = json.loads(nas_isp("list", "--format", "json").stdout)
    ids = {row["id"] for row in rows}
    assert ids == {
        *("pixel4-gpu", "galaxy-s10-gpu", "mi8se-gpu", "galaxy-a03s-gpu", "iphone7-gpu", "iphonexs-gpu"),
        *("host", "host-int8"),
    }
    by_id = {row["id"]: row for row in rows}
    assert by_id["host"]["kernels"] == 0
    assert by_id["pixel4-gpu"]["processor"] == "gpu"
    assert 0 < by_id["pixel4-gpu"]["mean_error"] < 0.1
    table = nas_isp("list").stdout
    assert "galaxy-s10-gpu" in table
    assert f"{100 * by_id['pixel4-gpu']['mean_error']:.1f} %" in table
    assert f"{100 * by_id['pixel4-gpu']['within_10_percent']:.0f} %" in table


def test_predict_answers_a_list_for_jsonl_and_an_object_for_json(nas_isp: Any, tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_text(f"{json.dumps(NETWORK)}\n\n{json.dumps(NETWORK | {'network': 'second'})}\n")
    (tmp_path / "one.json").write_text(json.dumps(NETWORK["kernels"]))
    many = json.loads(
        nas_isp("predict", "--device", "pixel4-gpu", "--kernels", "many.jsonl", "--format", "json").stdout
    )
    one = json.loads(nas_isp("predict", "--device", "pixel4-gpu", "--kernels", "one.json", "--format", "json").stdout)
    assert [entry["network"] for entry in many] == ["first", "second"]
    assert one["latency_ms"] == pytest.approx(many[0]["latency_ms"])
    assert one["measured_share"] + one["interpolated_share"] + one["extrapolated_share"] == pytest.approx(1)
    assert [kernel["op"] for kernel in one["kernels"]] == ["conv2d", "mean"]


def test_predict_a_published_model(nas_isp: Any) -> None:
    arguments = ("predict", "--device", "mi8se-gpu", "--model", "efficient-isp", "--input-size", "272x480")
    answer = nas_isp(*arguments, "--format", "json")
    assert json.loads(answer.stdout)["latency_ms"] > 1
    assert "larger maps are extrapolated" in answer.stderr
    assert "depth_to_space" in nas_isp(*arguments).stdout


def test_a_tflite_file_is_predicted_by_its_operators(nas_isp: Any, tmp_path: Path) -> None:
    kernels = [convolution(4, 12, 3, (32, 32), activation="relu"), shuffle(3, 2, (32, 32))]
    (tmp_path / "network.tflite").write_bytes(kernel_chain_model(kernels))
    (tmp_path / "network.json").write_text(json.dumps([kernel.model_dump(mode="json") for kernel in kernels]))
    arguments = ("predict", "--device", "pixel4-gpu", "--format", "json")
    found = json.loads(nas_isp(*arguments, "--model", "network.tflite").stdout)
    assert [kernel["label"] for kernel in found["kernels"]] == [kernel.label() for kernel in kernels]
    assert found["latency_ms"] == json.loads(nas_isp(*arguments, "--kernels", "network.json").stdout)["latency_ms"]
    assert "absent.tflite: cannot be read" in refused(nas_isp(*arguments, "--model", "absent.tflite"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict", "--device", "nope", "--model", "efficient-isp"), "known are"),
        (("predict", "--device", "pixel4-gpu"), "--model"),
        (("predict", "--device", "pixel4-gpu", "--kernels", "absent.json"), "absent.json"),
        (("predict", "--device", "pixel4-gpu", "--kernels", "bad.jsonl"), "line 2, field 'kernels.0.op'"),
        (("predict", "--device", "pixel4-gpu", "--kernels", "broken.jsonl"), "line 1: malformed JSON"),
        (("predict", "--device", "pixel4-gpu", "--kernels", "empty.jsonl"), "no network"),
        (("predict", "--device", "pixel4-gpu", "--model", "efficient-isp", "--input-size", "0x4"), "0x4"),
        (("measure", "--target", "gpio", "--model", "efficient-isp"), "unknown target 'gpio'"),
        (("measure", "--target", "host:1", "--model", "efficient-isp", "-o", "x.json"), "no address"),
        (("measure", "--target", "host", "--space", "nope"), "nope"),
        (("measure", "--target", "host"), "give one of a space, a model and"),
        (
            ("measure", "--target", "host", "--space", "tiny", "--model", "efficient-isp"),
            "give one of a space, a model and",
        ),
        (("measure", "--target", "host", "--model", "efficient-isp", "--runs", "9"), "leave out runs (--runs)"),
        (("build", "bad.jsonl", "-o", "table.json"), "bad.jsonl"),
        (("validate", "--device", "host", "--networks", "mobile"), "SPACE:N"),
        (("validate", "--device", "host", "--networks", "."), "holds no .json"),
        (("measure", "--target", "host", "--model", "efficient-isp", "-o", "broken.jsonl/y.json"), "cannot be made"),
        (("validate", "--device", "host", "--networks", "tiny:1", "-o", "none/y.json"), "cannot be written"),
        (
            ("validate", "--device", "pixel4-gpu", "--networks", "mobile:1"),
            "give the target and the options of the table (--device, --target)",
        ),
    ],
)
def test_bad_input_gets_one_line(nas_isp: Any, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    wrong = {"kernels": [{"op": "warp", "in_channels": 1, "out_channels": 1}]}
    (tmp_path / "bad.jsonl").write_text(f"{json.dumps(NETWORK)}\n{json.dumps(wrong)}\n")
    (tmp_path / "broken.jsonl").write_text('{"kernels": [')
    (tmp_path / "empty.jsonl").write_text("\n")
    assert message in refused(nas_isp(*arguments))


def test_stale_measurements_of_this_machine_hide_no_other_device(nas_isp: Any, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    old = host_device(1).model_copy(update={"runtime_version": "0.1"})
    setup = Setup(target="host", system="old", anchor="old")
    write_measurements(tmp_path / "cache" / "host.json", Measurements(device=old, setup=setup))
    listed = nas_isp("list", "--format", "json")
    rows = {row["id"]: row for row in json.loads(listed.stdout)}
    assert rows["host"]["kernels"] == 0
    assert rows["pixel4-gpu"]["kernels"] > 1000
    assert "LiteRT 0.1" in listed.stderr
    assert "move this file away" in listed.stderr


def test_measured_kernels_become_a_table_that_predicts(nas_isp: Any, tmp_path: Path) -> None:
    small = {"op": "conv2d", "in_channels": 4, "out_channels": 8, "kernel": 3, "height": 32, "width": 32}
    (tmp_path / "one.json").write_text(json.dumps([small, {**small, "height": 64, "width": 64}]))
    measured = nas_isp("measure", "--target", "host", "--kernels", "one.json", "-o", "measurements.json")
    assert measured.returncode == 0, measured.stderr
    assert "2 kernels measured" in measured.stderr
    assert "build a table of them" in refused(
        nas_isp("predict", "--device", "measurements.json", "--kernels", "one.json")
    )
    assert "give the result of" in refused(
        nas_isp("build", "measurements.json", "-o", "t.json", "--networks", "one.json")
    )
    built = nas_isp("build", "measurements.json", "-o", "table.json")
    assert "2 kernels, 1 models, correction not fitted" in built.stderr
    answer = nas_isp("predict", "--device", "table.json", "--kernels", "one.json", "--format", "json")
    found = json.loads(answer.stdout)
    assert found["measured_share"] == 1
    assert found["latency_ms"] == pytest.approx(found["kernels_ms"])


def test_predict_on_this_machine_times_what_is_missing(nas_isp: Any, tmp_path: Path) -> None:
    arguments = ("predict", "--device", "host", "--model", "efficient-isp", "--input-size", "32x32", "--format", "json")
    first = nas_isp(*arguments)
    assert json.loads(first.stdout)["measured_share"] == 1
    assert nas_isp(*arguments).stdout == first.stdout
    assert (tmp_path / "cache" / "host.json").is_file()
    assert "move this one away" in refused(nas_isp(*arguments, "--threads", "2"))
    rows = json.loads(nas_isp("list", "--format", "json").stdout)
    assert next(row for row in rows if row["id"] == "host")["kernels"] == 3


def test_measurements_of_both_precisions_are_kept_apart(nas_isp: Any, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps([NETWORK["kernels"][1]]))
    for device, precision in (("host", "fp32"), ("host-int8", "int8")):
        path = nas_isp("measure", "--target", "host", "--precision", precision, "--kernels", "one.json").stdout.strip()
        assert Path(path).name == f"{device}.json"
        answer = nas_isp("predict", "--device", device, "--kernels", "one.json", "--format", "json")
        assert json.loads(answer.stdout)["measured_share"] == 1
    arguments = ("measure", "--target", "host", "--precision", "int8", "--kernels", "one.json")
    assert "but this is 'host-int8'" in refused(nas_isp(*arguments, "-o", "cache/host.json"))


@pytest.mark.slow
def test_validate_takes_a_folder_in_8_bits_and_leaves_out_what_it_cannot_use(nas_isp: Any, tmp_path: Path) -> None:
    folder = tmp_path / "networks"
    folder.mkdir()
    (folder / "good.json").write_text(PUBLISHED["robust-isp"].to_json())
    (folder / "broken.json").write_text("{")
    (folder / "float.tflite").write_bytes(single_kernel_model(convolution(4, 4, 3, (32, 32))))
    (folder / "float.tflite.json").write_text('{"runtime": "tflite"}')
    arguments = ("--device", "host-int8", "--networks", "networks", "--input-size", "32x32", "-o", "out.json")
    answer = nas_isp("validate", *arguments)
    assert answer.returncode == 0, answer.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert [row["network"] for row in found["results"]] == ["good.json"]
    assert {fault["network"] for fault in found["failed"]} == {"broken.json", "float.tflite"}
    assert "is fp32, but int8 is measured" in answer.stderr
    assert found["precision"] == "int8"
    assert found["results"][0]["measured_share"] == 1


@pytest.mark.slow
def test_validate_compares_whole_networks(nas_isp: Any, tmp_path: Path) -> None:
    arguments = ("--device", "host", "--networks", "tiny:2", "--input-size", "64x64", "-o", "out.json")
    answer = nas_isp("validate", *arguments, "--format", "json")
    found = json.loads(answer.stdout)
    assert found["networks"] == len(found["results"]) == 2
    assert all(row["measured_ms"] > 0 and row["predicted_ms"] > 0 for row in found["results"])
    assert sum(kind["share"] for kind in found["kinds"]) == pytest.approx(1)
    assert json.loads((tmp_path / "out.json").read_text()) == found
    measured = tmp_path / "cache" / "host.json"
    built = nas_isp("build", measured, "-o", "mine.json", "--networks", "out.json")
    assert "correction fitted on 2 networks" in built.stderr
