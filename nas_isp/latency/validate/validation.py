"""Validates a table: whole networks are timed on its device and compared with their prediction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.device_table import table_for
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.measure.host import HOST_PRECISIONS
from nas_isp.latency.measure.measuring_target import MeasuringTarget
from nas_isp.latency.measure.reference_network import MAX_DRIFT
from nas_isp.latency.predict.provenance import difference
from nas_isp.latency.predict.table import LatencyTable
from nas_isp.latency.validate.comparison import Comparison, compare
from nas_isp.latency.validate.timing import (
    CandidateNetwork,
    ReportsNetworks,
    TimedNetwork,
    Untimed,
    median_of,
    time_networks,
)
from nas_isp.picture_size import FULL_HD_PACKED
from nas_isp.precision import Precision
from nas_isp.progress import ReportsProgress, unseen

SAME_SETUP = {"unit", "core_mask", "anchor"}
"""What of a table's set-up the target must share, beside being the same device: else other times are compared."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True)
class ValidationSettings:
    """How networks are validated."""

    passes: int = 1
    """Times that all networks are timed; the median of each counts."""
    max_drift: float = MAX_DRIFT
    """Share by which the reference network may be off before a batch is timed again."""
    input_size: tuple[int, int] = FULL_HD_PACKED
    """Packed rows and columns of networks that can have any."""
    seed: int = 0
    """Which random networks."""
    profile: bool = False
    """Whether the operators are timed too, in runs apart."""


def stated_precision(device: str) -> Precision | None:
    """The arithmetic that a device's table was measured in; None where it states none that can be asked for.

    Raises:
        InputError: unknown device.
    """
    if device in HOST_PRECISIONS:
        return HOST_PRECISIONS[device]
    stated = load_table(device).device.precision
    return next((precision for precision in PRECISIONS if precision == stated), None)


def table_of_target(
    device: str, kernels: Sequence[Kernel], target: MeasuringTarget, progress: ReportsProgress = unseen
) -> LatencyTable:
    """The device's table; for this machine, kernels not yet measured are timed first.

    Raises:
        InputError: a table of another device than the target.
    """
    if device in HOST_PRECISIONS and device == target.device.id:
        return table_for(device, kernels, target.device.threads or 1, progress)
    table = load_table(device)
    different = difference(table.device, target.device)
    if table.source.setup is not None:
        different = different or difference(table.source.setup, target.setup, SAME_SETUP)
    if different:
        raise InputError(
            f"device '{device}' was measured with {different}: give the target and the options of the table",
            "device",
            "target",
        )
    return table


def validate_networks(
    table: LatencyTable,
    networks: Sequence[CandidateNetwork],
    target: MeasuringTarget,
    report: ReportsNetworks,
    keep: Callable[[Comparison], None],
    settings: ValidationSettings,
    faults: Sequence[Untimed] = (),
) -> Comparison:
    """Time networks on a target and compare with their prediction.

    Args:
        table: to predict with.
        networks: each once.
        target: that times them.
        report: told the progress.
        keep: given the result so far after every network.
        settings: how.
        faults: networks that could not even be read, for the result.

    Raises:
        InputError: a target that cannot be used, or no network that could be timed.
    """
    kernels = {network.name: network.kernels for network in networks}
    timed: dict[str, list[TimedNetwork]] = {}
    failed: dict[str, Untimed] = {}
    size = "x".join(map(str, settings.input_size))

    def so_far() -> Comparison:
        left_out = [fault for name, fault in failed.items() if name not in timed]
        chosen = [median_of(times) for times in timed.values()]
        return compare(table, kernels, chosen, [*left_out, *faults], size)

    for number in range(settings.passes):
        queue = networks if number % 2 == 0 else networks[::-1]
        for outcome in time_networks(queue, target, report, settings.max_drift):
            if isinstance(outcome, TimedNetwork):
                timed.setdefault(outcome.network, []).append(outcome)
                keep(so_far())
            else:
                failed[outcome.network] = outcome
    if not timed:
        first = next(iter(failed.values()))
        raise InputError(f"no network could be timed: {first.network}: {first.reason}")
    result = so_far()
    keep(result)
    return result
