"""What `--target` takes: how to reach the thing that kernels are timed on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nas_isp.errors import InputError
from nas_isp.latency.measure.benchmark_output import Delegate
from nas_isp.latency.measure.host import HOST, HostTarget
from nas_isp.latency.measure.target import MeasuringTarget
from nas_isp.precision import Precision

if TYPE_CHECKING:
    from nas_isp.latency.measure.benchmark_model import BenchmarkOptions

TARGETS = ("host", "adb[:SERIAL]", "ssh:[USER@]HOST")
"""As people are told."""


@dataclass(frozen=True)
class TargetOptions:
    """How a target is asked to run models; None is what the target does by default."""

    threads: int = 1
    delegate: Delegate | None = None
    precision: Precision | None = None
    benchmark_binary: Path | None = None
    cpu_mask: str | None = None
    runs: int | None = None


def target_for(target: str, options: TargetOptions) -> MeasuringTarget:
    """The runner of a target such as `host`, `adb`, `adb:SERIAL` or `ssh:HOST`.

    Raises:
        InputError: unknown target (the message lists the known ones), an option that it lacks or has no use for, or a
            target that cannot be used.
    """
    check_target(target)
    kind, _, address = target.partition(":")
    return _RUNNERS[kind](address, options)


def check_target(target: str) -> None:
    """Find out whether there is such a kind of target, without reaching for it.

    Raises:
        InputError: unknown; the message lists the known ones.
    """
    kind, colon, address = target.partition(":")
    if kind not in _RUNNERS or (colon and not address):
        raise InputError(
            f"unknown target '{target}': known are {', '.join(TARGETS)}; "
            "tables of other devices can be given to --device as a .json file"
        )


def _host(address: str, options: TargetOptions) -> MeasuringTarget:
    if address:
        raise InputError(f"target 'host:{address}': this machine has no address; give --target host")
    if options.delegate == "gpu" or options.precision == "fp16":
        raise InputError(
            "target 'host' runs on the CPU (XNNPACK) in fp32 or int8; leave out --delegate and --precision fp16"
        )
    useless = {
        "--benchmark-binary": options.benchmark_binary,
        "--cpu-mask": options.cpu_mask,
        "--runs": options.runs,
    }
    for name, given in useless.items():
        if given is not None:
            raise InputError(f"target 'host' times in this process, in as many runs as it needs; leave out {name}")
    return HostTarget(options.threads, options.precision or "fp32")


def _android(address: str, options: TargetOptions) -> MeasuringTarget:
    from nas_isp.latency.measure.benchmark_model import BenchmarkModelTarget
    from nas_isp.latency.measure.remote.adb import AdbTransport
    from nas_isp.latency.measure.remote.identity import android_health, android_identity

    asked = _benchmark_options("adb", options)
    transport = AdbTransport(address or None)
    return BenchmarkModelTarget(transport, "adb", android_identity(transport), android_health, asked)


def _board(address: str, options: TargetOptions) -> MeasuringTarget:
    from nas_isp.latency.measure.benchmark_model import BenchmarkModelTarget
    from nas_isp.latency.measure.remote.identity import linux_health, linux_identity
    from nas_isp.latency.measure.remote.ssh import SshTransport

    if not address:
        raise InputError("target 'ssh': give ssh:HOST or ssh:USER@HOST")
    asked = _benchmark_options("ssh", options)
    transport = SshTransport(address)
    return BenchmarkModelTarget(transport, "ssh", linux_identity(transport), linux_health, asked)


_RUNNERS: dict[str, Callable[[str, TargetOptions], MeasuringTarget]] = {HOST: _host, "adb": _android, "ssh": _board}


def _benchmark_options(kind: str, options: TargetOptions) -> "BenchmarkOptions":
    from nas_isp.latency.measure.benchmark_model import WANTED, BenchmarkOptions

    if options.benchmark_binary is None:
        raise InputError(f"target '{kind}': {WANTED} to --benchmark-binary")
    delegate = options.delegate or "xnnpack"
    return BenchmarkOptions(
        binary=options.benchmark_binary,
        delegate=delegate,
        precision=options.precision or ("fp16" if delegate == "gpu" else "fp32"),
        threads=options.threads,
        runs=options.runs or BenchmarkOptions.runs,
        core_mask=None if options.cpu_mask is None else options.cpu_mask.lower().removeprefix("0x"),
    )
