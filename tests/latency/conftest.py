"""A phone and its benchmark program for the tests that drive Android's real adb."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nas_isp.latency.measure import reference_network
from tests.latency.android_device import AndroidDevice, adb, plugged_in
from tests.latency.benchmark_program import BenchmarkServer

PROPERTIES = {
    "ro.product.manufacturer": "Acme",
    "ro.product.model": "Phone 4",
    "ro.board.platform": "sm8150",
    "ro.hardware.egl": "adreno",
    "ro.build.version.release": "13",
    "ro.build.fingerprint": "acme/phone/phone:13/TQ1A/9:user/release-keys",
    "ro.serialno": "0A1B2C",
}
STUBS = {
    "getprop": "".join(f"echo '[{name}]: [{value}]'\n" for name, value in PROPERTIES.items()),
    "dumpsys": 'case "$1" in\n'
    "thermalservice) echo 'IsStatusOverride: false'; echo 'Thermal Status: 1';;\n"
    "battery) echo '  level: 83'; echo '  temperature: 294';;\nesac\n",
    "taskset": 'echo "$1" >>masks.txt; shift; exec "$@"\n',
}


@pytest.fixture(scope="module")
def adb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server of adb for this module alone, with its own port and keys."""
    if shutil.which("adb") is None:
        pytest.skip("Android's adb program is not installed")
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        patch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
        patch.setenv("HOME", str(tmp_path_factory.mktemp("adb")))
        yield
        adb("kill-server")


@pytest.fixture
def phone(tmp_path: Path, adb_server: None) -> Iterator[AndroidDevice]:
    root = tmp_path / "phone"
    device = plugged_in(AndroidDevice(root))
    (root / "bin").mkdir()
    for name, text in STUBS.items():
        (root / "bin" / name).write_text(f"#!/bin/sh\n{text}")
        (root / "bin" / name).chmod(0o755)
    governor = root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    governor.parent.mkdir(parents=True)
    governor.write_text("schedutil\n")
    yield device
    device.unplug()
    adb("disconnect", device.serial)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[BenchmarkServer]:
    server = BenchmarkServer(tmp_path / "benchmark.socket")
    yield server
    server.close()


@pytest.fixture
def small_reference_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For sessions: what they do does not depend on how long the reference network runs."""
    monkeypatch.setattr(reference_network, "FULL_HD_PACKED", (34, 60))
    reference_network.reference_model.cache_clear()
    yield
    reference_network.reference_model.cache_clear()
