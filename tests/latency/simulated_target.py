"""A target whose times, disturbances and faults a test decides."""

from collections.abc import Callable, Iterator, Sequence

from nas_isp.errors import InputError
from nas_isp.latency.measure.measuring_target import Failure, Timing
from nas_isp.latency.measure.reference_network import REFERENCE_NETWORK, reference_model
from nas_isp.latency.predict.provenance import Health, Setup
from nas_isp.latency.predict.table import DeviceRecord

REFERENCE_NETWORK_MS = 10.0


class SimulatedTarget:
    """Answers with the time that `time_of` says, times the next of `slowness` for every call that has kernels."""

    cool_down_s = 0.0

    def __init__(
        self,
        time_of: Callable[[bytes], float | Failure] = lambda model: len(model) / 1000,
        slowness: Iterator[float] | None = None,
        threads: int = 1,
    ) -> None:
        self.device = DeviceRecord(
            id="simulated",
            name="Simulated",
            soc="none",
            processor="cpu",
            runtime="none",
            precision="fp32",
            threads=threads,
        )
        self.setup = Setup(target="simulated", system="none", anchor=REFERENCE_NETWORK)
        self.calls: list[int] = []
        self.unplugged_after: int | None = None
        self.nodes: dict[bytes, tuple[int, int]] = {}
        self._time_of, self._slowness = time_of, slowness

    def time(self, models: Sequence[bytes]) -> list[Timing | Failure]:
        """See `MeasuringTarget.time`."""
        factor = 1.0
        if len(models) > 1:
            if self.unplugged_after is not None and len(self.calls) >= self.unplugged_after:
                raise InputError("the simulated target is gone: plug it in and run the same command again")
            self.calls.append(len(models) - 1)
            factor = next(self._slowness) if self._slowness is not None else 1.0
        return [self._answer(model, factor) for model in models]

    def health(self) -> Health:
        """See `MeasuringTarget.health`."""
        return Health(thermal_status="none", governor="performance", battery_percent=80)

    def _answer(self, model: bytes, factor: float) -> Timing | Failure:
        ms = REFERENCE_NETWORK_MS if model == reference_model() else self._time_of(model)
        if isinstance(ms, Failure):
            return ms
        nodes, delegated = self.nodes.get(model, (1, 1))
        return Timing(
            median_ms=factor * ms,
            min_ms=0.9 * factor * ms,
            runs=10,
            nodes=nodes,
            delegated_nodes=delegated,
            fell_back=delegated < nodes,
        )
