"""Android's real adb program against a small device on loopback; the benchmark program really runs the models."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import convolution, elementwise
from nas_isp.latency.measure import benchmark_model, session
from nas_isp.latency.measure.benchmark_model import BenchmarkModelTarget
from nas_isp.latency.measure.measurements import read_measurements
from nas_isp.latency.measure.measuring_target import Failure, Timing
from nas_isp.latency.measure.probe_models import single_kernel_model
from nas_isp.latency.measure.remote import transport
from nas_isp.latency.measure.remote.adb import AdbTransport, attached_devices, chosen_device
from nas_isp.latency.measure.session import SessionSettings, measure, missing_kernels
from nas_isp.latency.measure.targets import TargetOptions, target_for
from nas_isp.latency.predict.predictor import predict
from nas_isp.latency.predict.provenance import Health
from tests.latency.android_device import AndroidDevice, adb, plugged_in
from tests.latency.benchmark_program import BenchmarkServer, client_script

pytestmark = pytest.mark.usefixtures("adb_server")

KERNELS = [convolution(4, 4, 3, (side, side), activation="relu") for side in (8, 16, 32, 64)]
STEADY = SessionSettings(max_drift=9.0)
"""This machine may be busy with other tests: nothing is too unsteady."""


@pytest.fixture
def few_runs(monkeypatch: pytest.MonkeyPatch, small_reference_network: None) -> None:
    """For sessions: what they do does not depend on how long each model runs."""
    monkeypatch.setattr(benchmark_model, "ROUNDS", 2)
    monkeypatch.setattr(benchmark_model, "WARM_UP_RUNS", 1)
    monkeypatch.setattr(session, "BATCH", 2)


def connected(server: BenchmarkServer, target: str = "adb", **options: object) -> BenchmarkModelTarget:
    binary = server.path.parent / "benchmark_model"
    binary.write_text(client_script(server))
    made = target_for(target, TargetOptions(**{"benchmark_binary": binary, "runs": 3} | options))  # type: ignore[arg-type]
    assert isinstance(made, BenchmarkModelTarget)
    made.cool_down_s = 0.0
    return made


def test_a_phone_says_what_it_is_and_how_it_feels(phone: AndroidDevice, server: BenchmarkServer) -> None:
    gpu = connected(server, delegate="gpu")
    assert gpu.device.id == "acme-phone-4-gpu"
    assert gpu.device.name == "Acme Phone 4"
    assert (gpu.device.soc, gpu.device.processor, gpu.device.processor_name) == ("sm8150", "gpu", "adreno")
    assert (gpu.device.precision, gpu.device.threads) == ("fp16", None)
    assert gpu.setup.system == "Android 13 (acme/phone/phone:13/TQ1A/9:user/release-keys)"
    assert gpu.setup.options[:2] == ("--use_gpu=true", "--gpu_precision_loss_allowed=true")
    assert gpu.setup.unit is not None
    assert "0A1B2C" not in gpu.setup.model_dump_json()
    assert gpu.health() == Health(thermal_status="light", governor="schedutil", battery_percent=83, temperature_c=29.4)
    cpu = connected(server, threads=2, cpu_mask="0xF0")
    assert (cpu.device.id, cpu.device.precision, cpu.device.threads) == ("acme-phone-4-cpu", "fp32", 2)
    assert cpu.setup.core_mask == "f0"
    assert phone.pushed == ["benchmark_model"]


@pytest.mark.usefixtures("few_runs")
def test_measured_on_a_phone_built_and_predicted(phone: AndroidDevice, server: BenchmarkServer, tmp_path: Path) -> None:
    target = connected(server, cpu_mask="f0", threads=2)
    done = measure(tmp_path / "phone.json", KERNELS, target, STEADY)
    assert {entry.kernel for entry in done.measured()} == set(KERNELS)
    assert all(entry.runs == 4 and entry.min_ms and not entry.averaged for entry in done.measured())
    assert done.batches[0].health.thermal_status == "light"
    assert predict(done.table(), KERNELS).measured_share == 1
    assert set((phone.root / "data/local/tmp/nas_isp/masks.txt").read_text().split()) == {"f0"}
    flags = server.command_lines[-1][1:]
    assert {"--num_threads=2", "--use_xnnpack=true", "--warmup_runs=1", "--num_runs=2"} <= set(flags)
    left = {path.name for path in (phone.root / "data/local/tmp/nas_isp").iterdir()}
    assert left == {"benchmark.pid", "benchmark_model", "masks.txt", "models"}


@pytest.mark.usefixtures("few_runs")
def test_eight_bit_kernels_are_measured_as_such(phone: AndroidDevice, server: BenchmarkServer, tmp_path: Path) -> None:
    done = measure(tmp_path / "phone.json", KERNELS[:1], connected(server, precision="int8"), STEADY)
    assert done.device.precision == "int8"
    assert [entry.kernel for entry in done.table().measured] == KERNELS[:1]
    model = Interpreter(model_path=str(phone.root / "data/local/tmp/nas_isp/models/1.tflite"))
    assert model.get_input_details()[0]["dtype"] == np.int8


def test_models_take_turns(phone: AndroidDevice, server: BenchmarkServer) -> None:
    connected(server).time([single_kernel_model(kernel) for kernel in KERNELS[:2]])
    assert [line[1] for line in server.command_lines] == ["--graph=models/0.tflite", "--graph=models/1.tflite"] * 3


def test_a_program_without_medians_is_believed_its_mean(phone: AndroidDevice, server: BenchmarkServer) -> None:
    server.prints_median = False
    (timing,) = connected(server, runs=30).time([single_kernel_model(KERNELS[0])])
    assert isinstance(timing, Timing)
    assert timing.averaged
    assert timing.runs == 30


@pytest.mark.usefixtures("few_runs")
def test_what_a_gpu_leaves_to_the_cpu_is_kept_apart(
    phone: AndroidDevice, server: BenchmarkServer, tmp_path: Path
) -> None:
    mean = elementwise("mean", 4, (16, 16))
    done = measure(tmp_path / "phone.json", [KERNELS[0], mean], connected(server, delegate="gpu"), STEADY)
    assert [entry.kernel for entry in done.fallen_back] == [mean]
    assert [entry.kernel for entry in done.table().measured] == [KERNELS[0]]
    assert done.table().fallen_back == tuple(done.fallen_back)
    assert (done.measured()[0].nodes, done.measured()[0].delegated_nodes) == (1, 1)
    assert done.table().device.precision == "fp16"


def test_a_broken_model_fails_alone_although_the_shell_loses_exit_statuses(
    phone: AndroidDevice, server: BenchmarkServer
) -> None:
    assert subprocess.run(["adb", "-s", phone.serial, "shell", "exit 3"], check=False).returncode == 0
    good, broken = single_kernel_model(KERNELS[0]), b"no model at all"
    answers = connected(server).time([broken, good])
    assert answers[0] == Failure("exit status 1: The model is not a valid Flatbuffer buffer")
    assert isinstance(answers[1], Timing)
    assert len(server.command_lines) == 4


def test_newer_shells_that_pass_exit_statuses_work_as_well(tmp_path: Path, server: BenchmarkServer) -> None:
    device = plugged_in(AndroidDevice(tmp_path / "newer", passes_exit_status=True))
    assert subprocess.run(["adb", "-s", device.serial, "shell", "exit 3"], check=False).returncode == 3
    answers = connected(server, f"adb:{device.serial}").time([b"no model", single_kernel_model(KERNELS[0])])
    assert [type(answer) for answer in answers] == [Failure, Timing]
    device.unplug()
    adb("disconnect", device.serial)


@pytest.mark.usefixtures("few_runs")
def test_a_phone_unplugged_in_the_middle_leaves_a_file_that_goes_on(
    phone: AndroidDevice, server: BenchmarkServer, tmp_path: Path
) -> None:
    path, target = tmp_path / "phone.json", connected(server)

    def after_the_first_batch(done: int, total: int, seconds_left: float | None) -> None:
        phone.unplugged_at = "models/1.tflite" if done == 2 else None

    with pytest.raises(InputError, match=rf"device {phone.serial} cannot be used any more .*run the same command") as e:
        measure(path, KERNELS, target, STEADY, after_the_first_batch)
    assert "\n" not in str(e.value)
    kept = read_measurements(path)
    assert len(kept.measured()) == 2
    phone.unplugged_at = None
    with pytest.raises(InputError, match=r"is offline|no Android device"):
        connected(server)
    adb("disconnect", phone.serial)
    phone.plug_in()
    plugged_in(phone)
    finished = measure(path, KERNELS, connected(server), STEADY)
    assert finished.batches[:1] == kept.batches
    assert not missing_kernels(finished, KERNELS)
    assert phone.pushed.count("benchmark_model") == 1


@pytest.mark.usefixtures("few_runs")
def test_a_throttled_batch_is_measured_again(phone: AndroidDevice, server: BenchmarkServer, tmp_path: Path) -> None:
    path, target = tmp_path / "phone.json", connected(server)
    throttled, server.fixed_us = iter([1.2] * 3 * benchmark_model.ROUNDS), 1000
    server.slowness = lambda: next(throttled, 1.0) if path.exists() else 1.0
    done = measure(path, KERNELS, target, SessionSettings())
    assert [batch.attempts for batch in done.batches] == [1, 2]
    assert not [entry for entry in done.measured() if entry.anchor_drift is not None]


def test_a_program_that_hangs_is_ended_and_named(
    phone: AndroidDevice, server: BenchmarkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark_model, "RUN_TIMEOUT_S", 0.5)
    hanging = connected(server)
    program = phone.root / "data/local/tmp/nas_isp/benchmark_model"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    assert hanging.time([b"any"]) == [Failure("it did not end within 0.5 s")]
    process = Path("/proc") / (program.parent / "benchmark.pid").read_text().strip()
    for _ in range(500):
        if not process.exists():
            break
        time.sleep(0.01)
    assert not process.exists()


def test_operators_are_profiled_in_a_run_of_their_own(phone: AndroidDevice, server: BenchmarkServer) -> None:
    times = connected(server).profile(single_kernel_model(convolution(4, 12, 3, (8, 8), activation="tanh")))
    assert [time.operator for time in times] == ["CONV_2D", "TANH"]
    assert all(time.average_ms > 0 for time in times)
    assert len(server.command_lines) == 1


def test_a_program_that_writes_no_profile_is_not_given_that_of_another_model(
    phone: AndroidDevice, server: BenchmarkServer
) -> None:
    target, model = connected(server), single_kernel_model(KERNELS[0])
    assert target.profile(model)
    server.writes_profiles = False
    assert target.profile(model) == []


@pytest.mark.usefixtures("few_runs")
def test_another_program_is_pushed_and_measurements_are_never_mixed(
    phone: AndroidDevice, server: BenchmarkServer, tmp_path: Path
) -> None:
    path = tmp_path / "phone.json"
    measure(path, KERNELS[:1], connected(server), STEADY)
    other = tmp_path / "other_build"
    other.write_text(client_script(server) + "# another build\n")
    with pytest.raises(InputError, match="device runtime_version 'sha256:"):
        measure(path, KERNELS[:1], connected(server, benchmark_binary=other), STEADY)
    assert phone.pushed.count("benchmark_model") == 2


def test_remote_shells_get_every_word_quoted(phone: AndroidDevice) -> None:
    from nas_isp.latency.measure.remote.transport import run_remote

    odd = "a b'c\"$(touch hacked);`touch hacked`"
    answer = run_remote(AdbTransport(), ["printf", "%s", odd])
    assert (answer.text, answer.status) == (odd, 0)
    assert not (phone.root / "hacked").exists()


def test_several_devices_need_a_serial(phone: AndroidDevice, tmp_path: Path) -> None:
    second = plugged_in(AndroidDevice(tmp_path / "second"))
    with pytest.raises(InputError, match=r"several devices attached: .*give adb:SERIAL"):
        AdbTransport()
    assert AdbTransport(second.serial).serial == second.serial
    with pytest.raises(InputError, match=r"no device 'R58M' attached; attached are"):
        AdbTransport("R58M")
    second.unplug()
    adb("disconnect", second.serial)


def test_no_device_and_one_that_was_not_allowed_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="turn on USB debugging"):
        AdbTransport()
    locked = plugged_in(AndroidDevice(tmp_path / "locked", authorized=False))
    assert attached_devices()[locked.serial] in ("unauthorized", "authorizing")
    with pytest.raises(InputError, match="accept 'Allow USB debugging"):
        AdbTransport()
    locked.unplug()
    adb("disconnect", locked.serial)


@pytest.mark.parametrize(
    ("state", "advice"),
    [("offline", "replug"), ("no permissions", "udev"), ("bootloader", "boot it"), ("odd", "see `adb devices")],
)
def test_a_device_that_is_not_ready_says_what_to_do(state: str, advice: str) -> None:
    with pytest.raises(InputError, match=advice) as caught:
        chosen_device({"R58M": state}, None)
    assert "\n" not in str(caught.value)


def test_without_adb_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"program 'adb' not found: .*apt install adb"):
        AdbTransport()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"benchmark_binary": None}, "benchmark_model built for the device$"),
        ({"benchmark_binary": Path("absent")}, "absent: cannot be read"),
        ({"cpu_mask": "xyz"}, "CPU mask 'xyz'"),
        ({"cpu_mask": "0"}, "CPU mask '0'"),
    ],
)
def test_options_are_checked_before_the_device(
    server: BenchmarkServer, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        connected(server, **options)


WIRELESS = "adb-0123456789-AbCdEf (2)._adb-tls-connect._tcp"


def listing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> dict[str, str]:
    """The devices that an adb tells which prints a text."""
    program = tmp_path / "adb"
    program.write_text(f"#!{sys.executable} -SE\nimport sys\nsys.stdout.buffer.write({text.encode()!r})\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return attached_devices()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_serials_with_blanks_and_states_with_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end: str) -> None:
    lines = (
        "* daemon not running; starting now at tcp:5037",
        "List of devices attached",
        "* daemon started successfully",
        f"{WIRELESS} device product:PJE110 model:PJE110 device:OP5D55L1 transport_id:2",
        "0A1B2C                 unauthorized usb:1-1 transport_id:1",
        "my own device (3)\toffline",
        "R58M no permissions (user in plugdev group; are your udev rules wrong?); see [http://a.b] usb:1-4",
        "127.0.0.1:5555         device",
        "emulator-5554          recovery",
        "",
    )
    assert listing(monkeypatch, tmp_path, end.join(lines)) == {
        WIRELESS: "device",
        "0A1B2C": "unauthorized",
        "my own device (3)": "offline",
        "R58M": "no permissions",
        "127.0.0.1:5555": "device",
        "emulator-5554": "recovery",
    }


def test_a_serial_with_blanks_is_chosen_by_target_and_by_adb_s_own_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    both = {WIRELESS: "device", "0A1B2C": "device"}
    assert chosen_device(both, WIRELESS) == WIRELESS
    assert chosen_device({WIRELESS: "device"}, None) == WIRELESS
    with pytest.raises(
        InputError, match=r"several devices attached: .*; give adb:SERIAL, quoted where it holds blanks"
    ):
        chosen_device(both, None)
    text = f"List of devices attached\n{WIRELESS} device transport_id:2\n0A1B2C device\n"
    listing(monkeypatch, tmp_path, text)
    monkeypatch.setenv("ANDROID_SERIAL", WIRELESS)
    assert AdbTransport().serial == WIRELESS
    assert AdbTransport("0A1B2C").serial == "0A1B2C"


NOISE = r"printf 'WARNING: linker: /vendor/lib64/libx.so: unsupported flags DT_FLAGS_1=0x8000001\r\n\r'"


@pytest.mark.usefixtures("few_runs")
def test_a_noisy_loader_and_carriage_returns_hide_nothing(
    phone: AndroidDevice, server: BenchmarkServer, tmp_path: Path
) -> None:
    for name in ("sha256sum", "getprop", "mkdir", "chmod", "dumpsys"):
        program = phone.root / "bin" / name
        quiet = program.rename(program.with_suffix(".quiet")) if program.exists() else shutil.which(name)
        program.write_text(f"#!/bin/sh\n{NOISE}\n{NOISE} >&2\n{quiet} \"$@\" | sed 's/$/\\r/'\n")
        program.chmod(0o755)
    done = measure(tmp_path / "phone.json", KERNELS[:1], connected(server), STEADY)
    assert len(done.measured()) == 1
    assert done.device.name == "Acme Phone 4"
    assert done.batches[0].health == Health(
        thermal_status="light", governor="schedutil", battery_percent=83, temperature_c=29.4
    )


@pytest.mark.parametrize(
    ("printed", "text", "status"),
    [
        ("a\r\nb\r\nnas-isp-exit=3\r\n", "a\nb\n", 3),
        ("a\r\r\nnas-isp-exit=0\nWARNING: linker: too late\n", "a\n", 0),
        ("+ echo nas-isp-exit=0\nnas-isp-exit=0\n", "+ echo nas-isp-exit=0\n", 0),
    ],
)
def test_what_a_shell_says_around_an_answer(
    monkeypatch: pytest.MonkeyPatch, printed: str, text: str, status: int
) -> None:
    done = subprocess.CompletedProcess([], 0, printed, "")
    monkeypatch.setattr(transport, "call", lambda *_: done)
    answer = transport.shell_with(["adb"], "x", 1.0, "", InputError)
    assert (answer.text, answer.status) == (text, status)


@pytest.mark.usefixtures("few_runs")
def test_litert_s_program_is_asked_in_its_own_words_and_understood(
    phone: AndroidDevice, tmp_path: Path, server: BenchmarkServer
) -> None:
    server.is_litert = True
    done = measure(tmp_path / "phone.json", KERNELS[:1], connected(server, threads=2), STEADY)
    assert done.setup.options[:2] == ("--num_threads=2", "--use_cpu=true")
    (entry,) = done.measured()
    assert entry.averaged
    assert entry.runs == 4
    assert connected(server).profile(single_kernel_model(KERNELS[0])) == []


@pytest.mark.usefixtures("few_runs")
def test_options_that_the_program_ignores_make_no_time(phone: AndroidDevice, server: BenchmarkServer) -> None:
    server.unknown = ("gpu_precision_loss_allowed",)
    (answer,) = connected(server, delegate="gpu", precision="fp32").time([single_kernel_model(KERNELS[0])])
    assert answer == Failure("the program does not know --gpu_precision_loss_allowed=false; give a newer one")
