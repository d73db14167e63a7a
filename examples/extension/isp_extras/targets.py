"""A measuring target: this machine in a process of its own for every batch, so that a crash of LiteRT ends nothing."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from nas_isp.errors import InputError
from nas_isp.latency.measure.host import HostTarget
from nas_isp.latency.measure.measuring_target import Failure, MeasuringTarget, Timing
from nas_isp.latency.measure.targets import TargetOptions
from nas_isp.latency.predict.provenance import Health

CHILD = "child"


class ChildTarget:
    """This machine's CPU; see `nas_isp.latency.measure.measuring_target.MeasuringTarget`."""

    def __init__(self, threads: int) -> None:
        here = HostTarget(threads)
        self.device = here.device.model_copy(update={"id": CHILD})
        self.setup = here.setup.model_copy(update={"target": CHILD})
        self.cool_down_s = here.cool_down_s
        self._threads = threads

    def time(self, models: Sequence[bytes]) -> list[Timing | Failure]:
        """All models in one process, in turns; where that breaks down, each in one of its own."""
        try:
            with ProcessPoolExecutor(1, get_context("spawn")) as child:
                return child.submit(_timed, self._threads, list(models)).result()
        except BrokenProcessPool:
            if len(models) == 1:
                return [Failure("its process broke down")]
            return [answer for model in models for answer in self.time([model])]

    def health(self) -> Health:
        """Nothing is known."""
        return Health()


def _timed(threads: int, models: list[bytes]) -> list[Timing | Failure]:
    return HostTarget(threads).time(models)


def connect_child(address: str, options: TargetOptions) -> MeasuringTarget:
    """The target named `child`; it has no address, and computes in fp32."""
    if address:
        raise InputError(f"target 'child:{address}': a process has no address; give child", "target")
    if options.precision not in (None, "fp32"):
        raise InputError(f"target 'child' computes in fp32, not in {options.precision}", "precision")
    options.refuse(("delegate", "benchmark_binary", "cpu_mask", "runs"), "target 'child' runs LiteRT as it is")
    return ChildTarget(options.threads)
