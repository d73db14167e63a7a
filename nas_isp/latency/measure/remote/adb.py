"""Android devices through Android's own `adb` program."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from nas_isp.errors import InputError
from nas_isp.latency.measure.remote.transport import Answer, call, last_line, push_with, shell_with

NO_ADB = "install Android's platform tools (Debian: apt install adb) or put adb on the PATH"
QUERY_S = 20.0
"""Longest time that adb takes to start its server and list devices."""

ALLOW = "unlock the phone, accept 'Allow USB debugging?', and run the command again"
ADVICE = {
    "unauthorized": ALLOW,
    "authorizing": ALLOW,
    "offline": "replug it or restart its debugging, then `adb reconnect offline`",
    "no permissions": "this user may not open the USB device; see `adb devices -l` (udev rules)",
    "recovery": "boot it normally",
    "sideload": "boot it normally",
    "bootloader": "boot it normally",
}
"""What to do about a device that is attached in another state than `device`."""

_ROW = re.compile(r"(?P<serial>\S.*?|\S)\s+(?:(?P<denied>no permissions)\b.*|(?P<state>[^\s:]+)(?:\s+[a-z_]+:\S*)*)")
"""Of `adb devices -l`: serial, state, facts such as `model:Pixel_4`. The serial of a phone in the same network may hold
blanks, such as ``adb-0A1B2C-dEfGhI (2)._adb-tls-connect._tcp``."""


class AdbTransport:
    """One Android device."""

    folder = "/data/local/tmp/nas_isp"

    def __init__(self, serial: str | None = None) -> None:
        """Choose the device of that serial, that of adb's own variable ANDROID_SERIAL, or the only one.

        Raises:
            InputError: no adb, no device, several devices and no serial, or a device that is not ready.
        """
        self.serial = chosen_device(attached_devices(), serial or os.environ.get("ANDROID_SERIAL"))

    def push(self, files: Sequence[Path], folder: str) -> None:
        """See `Transport.push`."""
        push_with(["adb", "-s", self.serial, "push", *map(str, files), f"{folder}/"], NO_ADB, self._gone)

    def shell(self, command: str, timeout_s: float) -> Answer:
        """See `Transport.shell`."""
        return shell_with(["adb", "-s", self.serial, "shell"], command, timeout_s, NO_ADB, self._gone)

    def _gone(self, reason: str) -> InputError:
        return InputError(
            f"device {self.serial} cannot be used any more ({reason}): plug it in, check `adb devices -l`, "
            "and run the same command again; what was measured is kept"
        )


def attached_devices() -> dict[str, str]:
    """State of every attached device by its serial number.

    Raises:
        InputError: no adb, or its server does not start.
    """
    process = call(["adb", "devices", "-l"], QUERY_S, NO_ADB)
    if process.returncode:
        raise InputError(f"adb does not work ({last_line(process)}): try `adb kill-server`, then `adb devices -l`")
    _, _, listed = process.stdout.partition("List of devices attached")
    rows = [_ROW.fullmatch(line.strip()) for line in listed.splitlines() if not line.startswith("*")]
    return {row["serial"]: row["denied"] or row["state"] for row in rows if row is not None}


def chosen_device(devices: dict[str, str], serial: str | None) -> str:
    """The device to use.

    Raises:
        InputError: none, several and no serial given, an unknown serial, or one that is not ready.
    """
    listed = ", ".join(f"{name} ({state})" for name, state in devices.items())
    if not devices:
        raise InputError("no Android device attached: plug it in and turn on USB debugging in its developer options")
    if serial is None and len(devices) > 1:
        raise InputError(f"several devices attached: {listed}; give adb:SERIAL, quoted where it holds blanks", "target")
    serial = next(iter(devices)) if serial is None else serial.strip()
    if serial not in devices:
        raise InputError(f"no device '{serial}' attached; attached are {listed}")
    state = devices[serial]
    if state != "device":
        raise InputError(f"device {serial} is {state}: {ADVICE.get(state, 'see `adb devices -l`')}")
    return serial
