"""Latency and size of an architecture on a real device."""

import hashlib
from typing import Protocol

from nas_isp.generators.architecture import Architecture
from nas_isp.generators.cost import count
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.predict.predictor import Predictor
from nas_isp.picture_size import FULL_HD_PACKED


class CostModel(Protocol):
    """What is known of an architecture before any training."""

    def latency_ms(self, architecture: Architecture) -> float:
        """Predicted latency; `InputError` if the device's table cannot speak of a kernel."""

    def size(self, architecture: Architecture) -> tuple[int, float]:
        """Parameters, and multiply-accumulates of one picture in 10^9."""


class TableCostModel:
    """Predicts with a device's latency table, for one packed size."""

    def __init__(
        self,
        device: str,
        packed_height: int = FULL_HD_PACKED[0],
        packed_width: int = FULL_HD_PACKED[1],
        balanced: bool = False,
    ) -> None:
        """`device` is a shipped name, `host`, or the path of a table; networks of balanced RAW multiply it by gains.

        Raises:
            InputError: unknown device (the message lists the known ones), a malformed table, or a table of `host`
                that was measured on another machine or runtime.
        """
        table = load_table(device)
        self._predictor, self._size, self._balanced = Predictor(table), (packed_height, packed_width), balanced
        self.digest = hashlib.sha256(table.model_dump_json().encode()).hexdigest()[:12]

    def latency_ms(self, architecture: Architecture) -> float:
        """Predicted milliseconds of a picture."""
        return self._predictor.predict(kernels_of(architecture, *self._size, self._balanced)).latency_ms

    def size(self, architecture: Architecture) -> tuple[int, float]:
        """Parameters of the deployed form, and multiply-accumulates of a picture in 10^9."""
        cost = count(architecture, *self._size)
        return cost.params, cost.gmacs
