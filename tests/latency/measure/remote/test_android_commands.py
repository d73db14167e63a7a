"""The commands a user types, against a phone: measure, break, resume, build, predict, validate."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nas_isp.latency.kernels.kernel import convolution, shuffle
from nas_isp.latency.measure.measurements import read_measurements
from nas_isp.latency.measure.probe_models import kernel_chain_model
from tests.latency.android_device import AndroidDevice
from tests.latency.benchmark_program import BenchmarkServer, client_script

LOOSE = ("--max-drift", "900")
"""This machine may be busy with other tests: nothing is too unsteady."""


SIZE = (32, 48)
NETWORK = [
    convolution(4, 12, 3, SIZE, activation="tanh"),
    convolution(12, 12, 3, SIZE, activation="relu"),
    shuffle(3, 2, SIZE),
]


@pytest.fixture
def kernels_file(tmp_path: Path) -> Path:
    """More kernels than a batch has, those of `NETWORK` among them."""
    kernels = NETWORK + [convolution(12, 12, 3, (side, side), activation="relu") for side in range(8, 16)]
    path = tmp_path / "kernels.json"
    path.write_text(json.dumps([kernel.model_dump(mode="json") for kernel in kernels]))
    return path


@pytest.fixture
def target(server: BenchmarkServer, tmp_path: Path) -> list[str]:
    (tmp_path / "benchmark_model").write_text(client_script(server))
    return ["--target", "adb", "--benchmark-binary", str(tmp_path / "benchmark_model"), "--runs", "3"]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "nas_isp.cli.app", "latency", *map(str, arguments)]


def answer(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_from_a_killed_measurement_to_a_validated_table(
    phone: AndroidDevice, target: list[str], kernels_file: Path, tmp_path: Path
) -> None:
    path, table = tmp_path / "phone.json", tmp_path / "mine.json"
    measure = ("measure", *target, *LOOSE, "--kernels", kernels_file, "-o", path)
    with subprocess.Popen(command(*measure), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    kept = read_measurements(path)
    assert len(kept.batches) == 1
    resumed = answer(*measure)
    assert resumed.returncode == 0, resumed.stderr
    assert "11 kernels measured on Acme Phone 4" in resumed.stderr
    assert read_measurements(path).batches[:1] == kept.batches

    assert answer("build", path, "-o", table).returncode == 0
    predicted = json.loads(answer("predict", "--device", table, "--kernels", kernels_file, "--format", "json").stdout)
    assert predicted["device"] == "acme-phone-4-cpu"
    assert predicted["measured_share"] == 1

    networks = tmp_path / "networks"
    networks.mkdir()
    (networks / "network.tflite").write_bytes(kernel_chain_model(NETWORK))
    (networks / "broken.tflite").write_bytes(b"????TFL3 but nothing else")
    found = answer("validate", *target, "--device", table, "--networks", networks, "--profile", "--format", "json")
    assert found.returncode == 0, found.stderr
    result: dict[str, Any] = json.loads(found.stdout)
    assert [row["network"] for row in result["results"]] == ["network.tflite"]
    assert result["results"][0]["measured_share"] == pytest.approx(1)
    assert [entry["network"] for entry in result["failed"]] == ["broken.tflite"]
    operators = [operator["operator"] for operator in result["profiles"]["network.tflite"]]
    assert operators == ["CONV_2D", "TANH", "CONV_2D", "DEPTH_TO_SPACE"]


def test_a_phone_that_is_not_there_gives_one_line_and_no_file(
    adb_server: None, target: list[str], kernels_file: Path, tmp_path: Path
) -> None:
    refused = answer("measure", *target, "--kernels", kernels_file, "-o", tmp_path / "phone.json")
    assert refused.returncode == 2
    assert "no Android device attached" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "phone.json").exists()


def test_profiles_are_refused_where_the_target_tells_none(tmp_path: Path) -> None:
    refused = answer("validate", "--device", "host", "--networks", "tiny:1", "--profile")
    assert refused.returncode == 2
    assert "profile: this target tells no times of operators" in refused.stderr
