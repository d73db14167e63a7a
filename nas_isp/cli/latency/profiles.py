"""What the operators of whole networks cost on a target, each network in a run of its own."""

from collections.abc import Mapping, Sequence

from nas_isp.cli.common import ReportsProgress, print_table
from nas_isp.errors import InputError
from nas_isp.latency.measure.benchmark_model import BenchmarkModelTarget
from nas_isp.latency.measure.benchmark_output import OperatorTime
from nas_isp.latency.measure.target import MeasuringTarget
from nas_isp.latency.validate.timing import CandidateNetwork

Profiles = Mapping[str, tuple[OperatorTime, ...]]
"""A network's operators in the order in which they run, by its name; none where the program tells none."""


def check_profiles(runner: MeasuringTarget) -> BenchmarkModelTarget:
    """The runner, if its target profiles operators.

    Raises:
        InputError: it does not.
    """
    if not isinstance(runner, BenchmarkModelTarget):
        raise InputError("--profile: this target tells no times of operators; give --target adb or ssh:HOST")
    return runner


def profiles(networks: Sequence[CandidateNetwork], runner: BenchmarkModelTarget, report: ReportsProgress) -> Profiles:
    """Times of every network's operators.

    Profiling slows a run down: these times explain a measured one, they do not add up to it.

    Raises:
        InputError: a target that cannot be used, or a network that does not run there.
    """
    found = {}
    for index, network in enumerate(networks):
        report(index, len(networks), "profiling networks")
        found[network.name] = tuple(runner.profile(network.write()))
    return found


def print_profiles(found: Profiles) -> None:
    """Where the time of all networks together goes, by operator."""
    totals: dict[str, tuple[int, float]] = {}
    for operator in (operator for operators in found.values() for operator in operators):
        count, ms = totals.get(operator.operator, (0, 0.0))
        totals[operator.operator] = count + 1, ms + operator.average_ms
    whole = sum(ms for _, ms in totals.values()) or 1.0
    slowest_first = sorted(totals.items(), key=lambda item: -item[1][1])
    rows = [(name, count, ms, 100 * ms / whole) for name, (count, ms) in slowest_first]
    print_table(("operator", "count", "ms", "time %"), rows, f"profiled operators of {len(found)} networks")
