"""What the operators of whole networks cost on a target, each network in a run of its own."""

from collections.abc import Mapping, Sequence

from nas_isp.errors import InputError
from nas_isp.latency.measure.benchmark_model import BenchmarkModelTarget
from nas_isp.latency.measure.benchmark_output import OperatorTime
from nas_isp.latency.measure.measuring_target import MeasuringTarget
from nas_isp.latency.validate.timing import CandidateNetwork
from nas_isp.progress import ReportsProgress, unseen

Profiles = Mapping[str, tuple[OperatorTime, ...]]
"""A network's operators in the order in which they run, by its name; none where the program tells none."""


def check_profiles(target: MeasuringTarget) -> BenchmarkModelTarget:
    """The target, if it profiles operators.

    Raises:
        InputError: it does not.
    """
    if not isinstance(target, BenchmarkModelTarget):
        raise InputError("profile: this target tells no times of operators; give adb or ssh:HOST", "profile", "target")
    return target


def profiles(
    networks: Sequence[CandidateNetwork], target: BenchmarkModelTarget, progress: ReportsProgress = unseen
) -> Profiles:
    """Times of every network's operators.

    Profiling slows a run down: these times explain a measured one, they do not add up to it.

    Raises:
        InputError: a target that cannot be used, or a network that does not run there.
    """
    found = {}
    for index, network in enumerate(networks):
        progress(index, len(networks), "profiling networks")
        found[network.name] = tuple(target.profile(network.write()))
    return found
