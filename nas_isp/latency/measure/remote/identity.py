"""What a device over a transport says about itself: its name, chip and build, and its state while it is measured."""

import re
from dataclasses import dataclass
from hashlib import sha256

from nas_isp.latency.measure.remote.transport import Transport
from nas_isp.latency.predict.provenance import Health

QUERY_S = 20.0
THERMAL_STATES = ("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")
"""Names of Android's PowerManager.THERMAL_STATUS_*."""

_GOVERNORS = "cat /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor 2>/dev/null"
_ANDROID_STATE = f"dumpsys thermalservice; dumpsys battery; {_GOVERNORS}"
_LINUX_STATE = f"cat /sys/class/thermal/thermal_zone0/temp 2>/dev/null; {_GOVERNORS}"
_LINUX_NAMES = (
    "echo model=$(tr -d '\\0' 2>/dev/null </proc/device-tree/model || cat /sys/class/dmi/id/product_name);"
    "echo chip=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1);"
    "echo machine=$(uname -m); echo kernel=$(uname -sr); . /etc/os-release; echo system=$PRETTY_NAME;"
    "echo unit=$(cat /etc/machine-id)"
)


@dataclass(frozen=True)
class Identity:
    """Which device it is."""

    name: str
    soc: str
    gpu: str
    system: str
    unit: str | None


def android_identity(transport: Transport) -> Identity:
    """Identity of an Android device, from its system properties."""
    listed = transport.shell("getprop", QUERY_S).text
    properties = dict(re.findall(r"^\[([^\]]+)\]: \[([^\]]*)\]", listed, re.MULTILINE))

    def first(*names: str) -> str:
        return next((properties[name] for name in names if properties.get(name)), "")

    maker, model = first("ro.product.manufacturer"), first("ro.product.model") or "Android device"
    name = model if model.lower().startswith(maker.lower()) else f"{maker} {model}"
    return Identity(
        name=name.strip(),
        soc=first("ro.soc.model", "ro.board.platform", "ro.hardware"),
        gpu=first("ro.hardware.egl", "ro.hardware.vulkan"),
        system=f"Android {first('ro.build.version.release')} ({first('ro.build.fingerprint')})",
        unit=_unit(first("ro.serialno", "ro.boot.serialno")),
    )


def android_health(transport: Transport) -> Health:
    """State of an Android device. A service that a device lacks says nothing and is no fault."""
    text = transport.shell(_ANDROID_STATE, QUERY_S).text
    status = _number(r"^\s*Thermal Status:\s*(\d+)", text)
    tenths = _number(r"^\s*temperature:\s*(-?\d+)", text)
    known = status is not None and status < len(THERMAL_STATES)
    return Health(
        thermal_status=THERMAL_STATES[int(status)] if known and status is not None else None,
        governor=_governors(text),
        battery_percent=_percent(_number(r"^\s*level:\s*(\d+)", text)),
        temperature_c=None if tenths is None else tenths / 10,
    )


def linux_identity(transport: Transport) -> Identity:
    """Identity of a Linux board."""
    told = dict(re.findall(r"^(\w+)=(.*)$", transport.shell(_LINUX_NAMES, QUERY_S).text, re.MULTILINE))
    name = told.get("model") or "Linux board"
    return Identity(
        name=name,
        soc=told.get("chip") or f"{name} ({told.get('machine', '')})",
        gpu="",
        system=f"{told.get('system', '')} ({told.get('kernel', '')} {told.get('machine', '')})",
        unit=_unit(told.get("unit", "")),
    )


def linux_health(transport: Transport) -> Health:
    """State of a Linux board."""
    text = transport.shell(_LINUX_STATE, QUERY_S).text
    thousandths = _number(r"^(\d+)$", text)
    return Health(governor=_governors(text), temperature_c=None if thousandths is None else thousandths / 1000)


def _unit(serial: str) -> str | None:
    return sha256(serial.encode()).hexdigest()[:12] if serial else None


def _number(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text, re.MULTILINE)
    return None if found is None else float(found[1])


def _percent(value: float | None) -> int | None:
    return int(value) if value is not None and value <= 100 else None


def _governors(text: str) -> str | None:
    known = {"performance", "powersave", "userspace", "ondemand", "conservative", "schedutil", "interactive", "walt"}
    return " ".join(sorted(known.intersection(line.strip() for line in text.splitlines()))) or None
