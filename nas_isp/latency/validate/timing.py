"""Whole networks timed on a target in turns with the reference network, to compare with what a table predicts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median_low

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.drift import TimedBatch, steadiest, time_beside_reference, warm_up
from nas_isp.latency.measure.measuring_target import Failure, MeasuringTarget, Timing
from nas_isp.latency.measure.reference_network import MAX_DRIFT

BATCH = 4
"""Networks that are timed in turns with the reference network."""


@dataclass(frozen=True)
class CandidateNetwork:
    """A network to predict and time."""

    name: str
    kernels: tuple[Kernel, ...]
    write: Callable[[], bytes]
    """Its TFLite file, called when its turn comes."""


@dataclass(frozen=True)
class TimedNetwork:
    """What came of one network."""

    network: str
    """Its name."""
    timed_ms: float
    """Median as timed."""
    anchor_ms: float
    """The reference network's median in the same batch."""
    runs: int

    def measured_ms(self, reference_ms: float) -> float:
        """The time while the reference network takes its reference."""
        return self.timed_ms * reference_ms / self.anchor_ms


def median_of(timed: Sequence[TimedNetwork]) -> TimedNetwork:
    """One network timed in several batches: that batch whose time at a common reference is the (lower) median."""
    chosen = median_low(network.measured_ms(1.0) for network in timed)
    kept = next(network for network in timed if network.measured_ms(1.0) == chosen)
    return replace(kept, runs=sum(network.runs for network in timed))


@dataclass(frozen=True)
class Untimed:
    """A network that could not be read or timed as asked."""

    network: str
    """Its name."""
    reason: str


ReportsNetworks = Callable[[int, int], None]
"""Told the networks done and all to do."""


def time_networks(
    networks: Sequence[CandidateNetwork],
    target: MeasuringTarget,
    on_progress: ReportsNetworks | None = None,
    max_drift: float = MAX_DRIFT,
) -> Iterator[TimedNetwork | Untimed]:
    """Time networks batch by batch; one that fails or falls back is told and stops nothing.

    A batch whose anchor is off that of the batches so far by more than `max_drift`, a share, is timed again.

    Raises:
        InputError: the target cannot be used, or cannot run the reference network.
    """
    anchors: list[float] = []

    def drift(batch: TimedBatch) -> float:
        return batch.anchor_ms / median_low(anchors) - 1 if anchors else 0.0

    warm_up(target, max_drift)
    for start in range(0, len(networks), BATCH):
        if on_progress is not None:
            on_progress(start, len(networks))
        models: dict[str, bytes] = {}
        for network in networks[start : start + BATCH]:
            try:
                models[network.name] = network.write()
            except InputError as error:
                yield Untimed(network.name, str(error))
        attempt = partial(time_beside_reference, target, list(models.values()))
        batch, _ = steadiest(attempt, drift, max_drift, target.cool_down_s)
        anchors.append(batch.anchor_ms)
        yield from (_outcome(name, answer, batch.anchor_ms) for name, answer in zip(models, batch.answers, strict=True))


def _outcome(name: str, answer: Timing | Failure, anchor_ms: float) -> TimedNetwork | Untimed:
    if isinstance(answer, Failure):
        return Untimed(name, answer.reason)
    if answer.fell_back:
        return Untimed(name, f"falls back: the delegate runs {answer.nodes_told}")
    return TimedNetwork(name, answer.median_ms, anchor_ms, answer.runs)
