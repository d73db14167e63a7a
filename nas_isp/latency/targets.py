"""What `--target` takes: how to reach the thing that kernels are timed on."""

from collections.abc import Callable
from dataclasses import dataclass

from nas_isp.errors import InputError
from nas_isp.latency.host import HOST, HostRunner
from nas_isp.latency.runner import Runner


@dataclass(frozen=True)
class TargetOptions:
    """How a target is asked to run models."""

    threads: int = 1


def runner_for(target: str, options: TargetOptions) -> Runner:
    """The runner of a target such as `host`.

    Raises:
        InputError: unknown target (the message lists the known ones), or one that cannot be used.
    """
    kind, colon, address = target.partition(":")
    if kind not in _RUNNERS or (colon and not address):
        raise InputError(
            f"unknown target '{target}': known are {', '.join(TARGETS)}; "
            "tables of other devices can be given to --device as a .json file"
        )
    return _RUNNERS[kind](address, options)


def _host(address: str, options: TargetOptions) -> Runner:
    if address:
        raise InputError(f"target 'host:{address}': this machine has no address; give --target host")
    return HostRunner(options.threads)


_RUNNERS: dict[str, Callable[[str, TargetOptions], Runner]] = {HOST: _host}

TARGETS = (HOST,)
"""As people are told."""
