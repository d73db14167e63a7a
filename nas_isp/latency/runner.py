"""`Runner`: what a target does for a measuring session, whatever it is and however it is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nas_isp.latency.provenance import Health, Setup
from nas_isp.latency.tables import DeviceRecord


@dataclass(frozen=True)
class Timing:
    """Times of one model in ms; None is what the runtime does not tell."""

    median_ms: float
    min_ms: float
    runs: int
    p10_ms: float | None = None
    p90_ms: float | None = None
    nodes: int | None = None
    delegated_nodes: int | None = None

    @property
    def fell_back(self) -> bool:
        """Whether the delegate left nodes to the CPU, so that this is not the time that was asked for."""
        return self.nodes is not None and self.delegated_nodes is not None and self.delegated_nodes < self.nodes


@dataclass(frozen=True)
class Failure:
    """A model that the target could not run."""

    reason: str


class Runner(Protocol):
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
