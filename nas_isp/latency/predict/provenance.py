"""How something was measured: the set-up of a session, and the state of the device meanwhile."""

from typing import Annotated

from pydantic import Field

from nas_isp.settings import Settings


class Setup(Settings):
    """How a target is timed. Times of different set-ups never meet in one file."""

    target: Annotated[str, Field(min_length=1, description="Kind of target: host, adb or ssh.")]
    system: Annotated[str, Field(description="Operating system and build of the device.")]
    unit: Annotated[
        str | None, Field(description="Which specimen: start of the SHA-256 of its serial number; null: not known.")
    ] = None
    benchmark_sha256: Annotated[str | None, Field(description="SHA-256 of the benchmark program, if there is one.")] = (
        None
    )
    options: Annotated[tuple[str, ...], Field(description="Options that the benchmark program is given.")] = ()
    core_mask: Annotated[str | None, Field(description="Cores that it may use, as taskset takes them.")] = None
    anchor: Annotated[str, Field(description="Name of the reference network.")]


def difference(there: Settings, here: Settings, fields: set[str] | None = None) -> str:
    """The first field in which two records of a kind differ, such as ``threads 1, but this is 2``; empty if in none.

    Args:
        there: what was.
        here: what is.
        fields: that count; None for all.
    """
    was, now = there.model_dump(include=fields), here.model_dump(include=fields)
    return next((f"{name} {was[name]!r}, but this is {now[name]!r}" for name in was if was[name] != now[name]), "")


class Health(Settings):
    """State of a device at the end of a batch; null is what it does not tell."""

    thermal_status: Annotated[str | None, Field(description="Throttling as the system calls it.")] = None
    governor: Annotated[str | None, Field(description="Frequency governors of the cores in use.")] = None
    battery_percent: Annotated[int | None, Field(ge=0, le=100, description="Charge of the battery.")] = None
    temperature_c: Annotated[float | None, Field(description="Temperature of the battery or the processor.")] = None
