"""`MeasuringTarget`: what a target does for a measuring session, whatever it is and however it is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nas_isp.latency.predict.provenance import Health, Setup
from nas_isp.latency.predict.table import DeviceRecord


@dataclass(frozen=True)
class Timing:
    """Times of one model in ms; None is what the runtime does not tell."""

    median_ms: float
    min_ms: float
    runs: int
    p10_ms: float | None = None
    p90_ms: float | None = None
    averaged: bool = False
    """Whether `median_ms` is a mean, because the runtime tells no median."""
    nodes: int | None = None
    delegated_nodes: int | None = None
    fell_back: bool = False
    """Whether another processor than the one asked for ran a part, so that this is not the time that was asked for."""

    @property
    def nodes_told(self) -> str:
        """How much the delegate ran, for people."""
        if self.nodes is None or self.delegated_nodes is None:
            return "how many nodes it runs is not told"
        return f"{self.delegated_nodes} of {self.nodes} nodes"


@dataclass(frozen=True)
class Failure:
    """A model that the target could not run."""

    reason: str


class MeasuringTarget(Protocol):
    """Times TFLite models on one target."""

    device: DeviceRecord
    setup: Setup
    cool_down_s: float
    """Rest before a batch is repeated."""

    def time(self, models: Sequence[bytes]) -> list[Timing | Failure]:
        """Time models in turns, so that a disturbance hits all of them alike; one answer a model, in order.

        Raises:
            InputError: the target cannot be used any more, such as a phone that was unplugged.
        """
        ...

    def health(self) -> Health:
        """The device's state now."""
        ...
