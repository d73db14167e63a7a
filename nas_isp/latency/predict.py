"""Predicted latency of kernels and networks on a device: measured where possible, else interpolated, and said so.

A kernel that the table holds costs what was measured. Any other costs what the fitted roofline of its kind says, times
the mean ratio of measured to fitted time of the five nearest measured kernels of that kind. The sum is corrected to the
time of a whole network. Pure numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nas_isp.errors import InputError
from nas_isp.latency.fit import MEMORY_BOUND, SMALLEST_TIME_MS, FloatArray, Roofline, kind_of, substitutes, work
from nas_isp.latency.kernel import WINDOW_OPS, Kernel, Padding
from nas_isp.latency.tables import LatencyTable

NEIGHBOURS = 5
SOFTENING = 0.1
"""Distance added before neighbours are weighted by closeness, so that no single one decides."""

FEATURE_WEIGHTS = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0])
"""Weights of the features in `_position`: channels in and out, sides in and out, window, stride, groups, addition."""

Basis = Literal["measured", "interpolated", "extrapolated"]
FALLS_BACK = "the delegate leaves it to the CPU; this is its time alone, without what the network loses around it"
FREE_ON_CPU = ("relu", "relu6")
"""Activations that a CPU runtime clamps while it stores; on a GPU every fused step without a second input is free."""


@dataclass(frozen=True)
class KernelPrediction:
    """One kernel: its time within the sum, on what basis, and why if it was not measured."""

    kernel: Kernel
    latency_ms: float
    basis: Basis
    reason: str = ""


@dataclass(frozen=True)
class Prediction:
    """A network. The shares are of the summed kernel time and add up to 1."""

    latency_ms: float
    measured_share: float
    interpolated_share: float
    extrapolated_share: float
    kernels: list[KernelPrediction]

    @property
    def kernels_ms(self) -> float:
        """Sum of the kernel times, before the correction to a whole network."""
        return sum(kernel.latency_ms for kernel in self.kernels)


def predict(table: LatencyTable, kernels: Sequence[Kernel]) -> Prediction:
    """Latency of a network given as its kernels.

    Raises:
        InputError: no kernels, or one that the table cannot speak of; the message names it.
    """
    return predictor_of(table).predict(kernels)


class Predictor:
    """A table made ready for many predictions."""

    def __init__(self, table: LatencyTable) -> None:
        self.table = table
        self._measured: dict[tuple[object, ...], float] = {}
        self._fallen_back = {self._key(entry.kernel): entry.median_ms for entry in table.fallen_back}
        self._paddings: dict[tuple[object, ...], Padding] = {}
        rows: dict[str, list[tuple[Kernel, float]]] = {}
        for entry in table.measured:
            if entry.kernel.padding is not None:
                self._paddings.setdefault(_geometry(entry.kernel), entry.kernel.padding)
            self._measured[self._key(entry.kernel)] = entry.median_ms
            rows.setdefault(self._kind(entry.kernel), []).append((entry.kernel, entry.median_ms))
        self._neighbourhoods = {
            kind: _Neighbourhood(table.models[kind], timed) for kind, timed in rows.items() if kind in table.models
        }

    def predict(self, kernels: Sequence[Kernel]) -> Prediction:
        """See `predict`."""
        if not kernels:
            raise InputError("no kernels given: a network has at least one")
        parts = [self.predict_kernel(kernel) for kernel in kernels]
        total = sum(part.latency_ms for part in parts)
        share = {
            basis: sum(part.latency_ms for part in parts if part.basis == basis) / total
            for basis in ("measured", "interpolated", "extrapolated")
        }
        latency = self.table.correction.apply(total, len(parts))
        return Prediction(latency, share["measured"], share["interpolated"], share["extrapolated"], parts)

    def predict_kernel(self, kernel: Kernel) -> KernelPrediction:
        """Time of one kernel.

        Raises:
            InputError: the table cannot speak of it.
        """
        self._check_precision(kernel)
        resolved = self._with_padding(kernel)
        measured = self._measured.get(self._key(resolved))
        if measured is not None:
            return KernelPrediction(kernel, measured, "measured")
        if (alone_ms := self._fallen_back.get(self._key(resolved))) is not None:
            return KernelPrediction(kernel, alone_ms, "extrapolated", FALLS_BACK)
        kind = self._kind(resolved)
        if kind in self._neighbourhoods:
            return self._near(kernel, resolved, self._neighbourhoods[kind])
        return self._borrowed(kernel, resolved, kind)

    def holds(self, kernel: Kernel) -> bool:
        """Whether the table has a measured time of this very kernel."""
        return self.key(kernel) in self._measured

    def key(self, kernel: Kernel) -> tuple[object, ...]:
        """What a measurement of this kernel is found by: equal for kernels that cost the same on this device."""
        return self._key(self._with_padding(kernel))

    def _near(self, kernel: Kernel, resolved: Kernel, neighbourhood: "_Neighbourhood") -> KernelPrediction:
        latency_ms = neighbourhood.latency_ms(resolved)
        beyond = neighbourhood.beyond(resolved)
        return KernelPrediction(kernel, latency_ms, "extrapolated" if beyond else "interpolated", beyond)

    def _borrowed(self, kernel: Kernel, resolved: Kernel, kind: str) -> KernelPrediction:
        for substitute in substitutes(kind):
            if substitute in self.table.models:
                latency_ms = max(float(work(resolved) @ self.table.models[substitute].coefficients), SMALLEST_TIME_MS)
                like = "an operator that only moves values" if substitute == MEMORY_BOUND else substitute
                reason = f"no {kind} was measured; estimated as {like}"
                return KernelPrediction(kernel, latency_ms, "extrapolated", reason)
        raise InputError(
            f"device '{self.table.device.id}' cannot speak of kernel '{kernel.label()}': it has measured "
            f"{', '.join(sorted(self._neighbourhoods)) or 'nothing'}; choose another device or measure the kernel"
        )

    def _check_precision(self, kernel: Kernel) -> None:
        stated = self.table.device.precision
        if kernel.precision is not None and kernel.precision != stated and "int8" in (kernel.precision, stated):
            raise InputError(
                f"device '{self.table.device.id}' was measured in {stated}, kernel '{kernel.label()}' is "
                f"{kernel.precision}: choose a table of that precision"
            )

    def _kind(self, kernel: Kernel) -> str:
        return kind_of(kernel, self.table.device.winograd)

    def _with_padding(self, kernel: Kernel) -> Kernel:
        """The kernel with a stated padding: where none is given, the one that the source ran this geometry with."""
        if kernel.padding is not None or kernel.op not in WINDOW_OPS:
            return kernel
        return kernel.model_copy(update={"padding": self._paddings.get(_geometry(kernel), "same")})

    def _key(self, kernel: Kernel) -> tuple[object, ...]:
        kind = kind_of(kernel)
        op = kind if kind in ("fully_connected", "pool") else kernel.op
        steps: tuple[str, ...] | int = kernel.added_tensors
        if self.table.device.processor != "gpu":
            steps = tuple(step for step in kernel.steps if step not in FREE_ON_CPU)
        shape = (
            kernel.kernel,
            kernel.stride,
            kernel.groups,
            kernel.height,
            kernel.width,
            kernel.output_size,
            kernel.broadcast,
        )
        return (op, kernel.in_channels, kernel.out_channels, *shape, steps)


class _Neighbourhood:
    """The measured kernels of one kind as points, each with its ratio of measured to modelled time."""

    def __init__(self, model: Roofline, timed: Sequence[tuple[Kernel, float]]) -> None:
        self.coefficients = model.coefficients
        self.positions = np.array([_position(kernel) for kernel, _ in timed])
        modelled = np.array([self._modelled(kernel) for kernel, _ in timed])
        self.log_ratios = np.log(np.array([time for _, time in timed]) / modelled)
        self.largest_pixels = max(kernel.height * kernel.width for kernel, _ in timed)
        self.most_channels = max(max(kernel.in_channels, kernel.out_channels) for kernel, _ in timed)

    def latency_ms(self, kernel: Kernel) -> float:
        """The model's time, corrected by the kernels around it.

        A map larger than every measured one is compared with the largest measured maps: the ratio found there is kept
        while the model scales with the pixels, as saturated kernels do.
        """
        distances = np.sqrt(((self.positions - _position(kernel, self.largest_pixels)) ** 2).sum(axis=1))
        nearest = np.argsort(distances, kind="stable")[:NEIGHBOURS]
        closeness = 1 / (distances[nearest] + SOFTENING)
        log_ratio = float(closeness @ self.log_ratios[nearest] / closeness.sum())
        return self._modelled(kernel) * float(np.exp(log_ratio))

    def beyond(self, kernel: Kernel) -> str:
        """Why the kernel lies outside of what was measured; empty if it does not."""
        if kernel.height * kernel.width > self.largest_pixels:
            side = round(self.largest_pixels**0.5)
            return f"the map is larger than every measured one (about {side} x {side})"
        if max(kernel.in_channels, kernel.out_channels) > self.most_channels:
            return f"more channels than every measured kernel (at most {self.most_channels})"
        return ""

    def _modelled(self, kernel: Kernel) -> float:
        return max(float(work(kernel) @ self.coefficients), SMALLEST_TIME_MS)


def predictor_of(table: LatencyTable) -> Predictor:
    """The predictor of a table, kept for the next call with the same table."""
    known = _PREDICTORS.get(id(table))
    if known is None or known.table is not table:
        if len(_PREDICTORS) >= _PREDICTORS_KEPT:
            _PREDICTORS.clear()
        known = _PREDICTORS[id(table)] = Predictor(table)
    return known


_PREDICTORS: dict[int, Predictor] = {}
_PREDICTORS_KEPT = 16


def _geometry(kernel: Kernel) -> tuple[object, ...]:
    return (kernel.op, kernel.kernel, kernel.stride, kernel.height, kernel.width)


def _position(kernel: Kernel, largest_pixels: float = np.inf) -> FloatArray:
    """(8,): the point at which a kernel lies among others, log-scaled and weighted."""
    rows, columns = kernel.output_size
    shrink = min(1.0, (largest_pixels / (kernel.height * kernel.width)) ** 0.5)
    depthwise = kernel.op == "depthwise_conv2d"
    point = [
        kernel.in_channels,
        kernel.out_channels,
        (kernel.height * kernel.width) ** 0.5 * shrink,
        (rows * columns) ** 0.5 * shrink,
        (kernel.kernel[0] * kernel.kernel[1]) ** 0.5,
        (kernel.stride[0] * kernel.stride[1]) ** 0.5,
        1 if depthwise else kernel.groups,
        1 + kernel.added_tensors,
    ]
    result: FloatArray = np.log(np.array(point, dtype=float)) * FEATURE_WEIGHTS
    return result
