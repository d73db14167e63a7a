"""The door for measuring targets: how to reach the thing that kernels are timed on, by name."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nas_isp.errors import InputError
from nas_isp.latency.measure.benchmark_output import Delegate
from nas_isp.latency.measure.host import HostTarget
from nas_isp.latency.measure.measuring_target import MeasuringTarget
from nas_isp.precision import Precision
from nas_isp.registry import Registry

if TYPE_CHECKING:
    from nas_isp.latency.measure.benchmark_model import BenchmarkOptions


@dataclass(frozen=True)
class TargetOptions:
    """How a target is asked to run models; None is what the target does by default."""

    threads: int = 1
    delegate: Delegate | None = None
    precision: Precision | None = None
    benchmark_binary: Path | None = None
    cpu_mask: str | None = None
    runs: int | None = None

    def refuse(self, names: tuple[str, ...], why: str) -> None:
        """Refuse options that a target has no use for.

        Args:
            names: of the options.
            why: the beginning of the message.

        Raises:
            InputError: one of them was given.
        """
        for name in names:
            if getattr(self, name) is not None:
                raise InputError(f"{why}; leave out {name}", name)


class ConnectsTarget(Protocol):
    """Reaches a target of one kind."""

    def __call__(self, address: str, options: TargetOptions, /) -> MeasuringTarget:
        """The target, ready to time.

        Args:
            address: what stands behind the colon of ``NAME:ADDRESS``; "" without.
            options: how it shall run models.

        Raises:
            InputError: a target that cannot be used, or an option that it lacks or has no use for.
        """
        ...


TARGETS: Registry[ConnectsTarget] = Registry(
    "target",
    "nas_isp.targets",
    {
        "host": "nas_isp.latency.measure.targets:connect_host",
        "adb": "nas_isp.latency.measure.targets:connect_android",
        "ssh": "nas_isp.latency.measure.targets:connect_board",
    },
)


def target_for(target: str, options: TargetOptions) -> MeasuringTarget:
    """The target of a text such as `host`, `adb`, `adb:SERIAL` or `ssh:USER@HOST`.

    Raises:
        InputError: unknown target (the message lists the known ones), an option that it lacks or has no use for, or a
            target that cannot be used.
    """
    check_target(target)
    name, _, address = target.partition(":")
    return TARGETS[name](address, options)


def check_target(target: str) -> None:
    """Find out whether there is such a kind of target, without reaching for it.

    Raises:
        InputError: unknown; the message lists the known ones.
    """
    name, colon, address = target.partition(":")
    if name not in TARGETS or (colon and not address):
        raise InputError(
            f"unknown target '{target}': known are {', '.join(TARGETS)}, with an address as in adb:SERIAL or "
            "ssh:USER@HOST; of other devices a table can be given as a .json file",
            "target",
        )


def connect_host(address: str, options: TargetOptions) -> MeasuringTarget:
    """This machine's CPU, in this process.

    Raises:
        InputError: an address, or an option that says nothing about it.
    """
    if address:
        raise InputError(f"target 'host:{address}': this machine has no address; give host", "target")
    if options.delegate == "gpu" or options.precision == "fp16":
        raise InputError(
            "target 'host' runs on the CPU (XNNPACK) in fp32 or int8; give neither delegate gpu nor precision fp16",
            *("delegate", "precision"),
        )
    options.refuse(
        ("benchmark_binary", "cpu_mask", "runs"), "target 'host' times in this process, in as many runs as it needs"
    )
    return HostTarget(options.threads, options.precision or "fp32")


def connect_android(address: str, options: TargetOptions) -> MeasuringTarget:
    """A phone over adb; the address is its serial number, needed where several are attached.

    Raises:
        InputError: no such phone, or no program to time with.
    """
    from nas_isp.latency.measure.benchmark_model import BenchmarkModelTarget
    from nas_isp.latency.measure.remote.adb import AdbTransport
    from nas_isp.latency.measure.remote.identity import android_health, android_identity

    asked = _benchmark_options("adb", options)
    transport = AdbTransport(address or None)
    return BenchmarkModelTarget(transport, "adb", android_identity(transport), android_health, asked)


def connect_board(address: str, options: TargetOptions) -> MeasuringTarget:
    """A Linux board over ssh; the address is its host, as ssh takes it.

    Raises:
        InputError: no address, no such board, or no program to time with.
    """
    from nas_isp.latency.measure.benchmark_model import BenchmarkModelTarget
    from nas_isp.latency.measure.remote.identity import linux_health, linux_identity
    from nas_isp.latency.measure.remote.ssh import SshTransport

    if not address:
        raise InputError("target 'ssh': give ssh:HOST or ssh:USER@HOST", "target")
    asked = _benchmark_options("ssh", options)
    transport = SshTransport(address)
    return BenchmarkModelTarget(transport, "ssh", linux_identity(transport), linux_health, asked)


def _benchmark_options(kind: str, options: TargetOptions) -> "BenchmarkOptions":
    from nas_isp.latency.measure.benchmark_model import WANTED, BenchmarkOptions

    if options.benchmark_binary is None:
        raise InputError(f"target '{kind}': {WANTED}", "benchmark_binary")
    delegate = options.delegate or "xnnpack"
    return BenchmarkOptions(
        binary=options.benchmark_binary,
        delegate=delegate,
        precision=options.precision or ("fp16" if delegate == "gpu" else "fp32"),
        threads=options.threads,
        runs=options.runs or BenchmarkOptions.runs,
        core_mask=None if options.cpu_mask is None else options.cpu_mask.lower().removeprefix("0x"),
    )
