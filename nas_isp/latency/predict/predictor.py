"""Predicted latency of kernels and networks on a device: measured where possible, else interpolated, and said so.

A kernel that the table holds costs what was measured. Any other costs what the fitted roofline of its kind says, times
the ratio of measured to modelled time that the measured kernels around it suggest. The sum is corrected to the time of
a whole network. Pure numpy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from nas_isp.errors import InputError
from nas_isp.latency.kernels.kernel import CLAMPS, CONVOLUTIONS, WINDOW_OPS, Kernel, Padding
from nas_isp.latency.predict.additions import ms_per_added_mvalue, with_addition, without_addition, without_cost
from nas_isp.latency.predict.correction import Extras
from nas_isp.latency.predict.gaussian_process import Interpolator
from nas_isp.latency.predict.roofline import (
    MEMORY_BOUND,
    SMALLEST_TIME_MS,
    WINOGRAD,
    Roofline,
    added_mvalues,
    kind_of,
    stored_mvalues,
    substitutes,
    work,
)
from nas_isp.latency.predict.table import LatencyTable

MakeInterpolator = Callable[[Roofline, Sequence[tuple[Kernel, float]]], Interpolator]
"""From a kind's roofline and its timed kernels to what predicts kernels between them."""

Basis = Literal["measured", "interpolated", "extrapolated"]
FALLS_BACK = "the delegate leaves it to the CPU; this is its time alone, without what the network loses around it"

WHOLE_SIDES = (7, 14, 28, 56, 112, 224)
"""Sides of the maps of classification networks; a side that exceeds one by less than a window holds its border."""


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
    uncertainty: float
    """Relative half-width of the interval that holds the measured time with 90 % probability, as far as is known."""
    kernels: list[KernelPrediction]

    @property
    def interval_ms(self) -> tuple[float, float]:
        """The interval that `uncertainty` means."""
        return self.latency_ms * max(1 - self.uncertainty, 0), self.latency_ms * (1 + self.uncertainty)

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

    def __init__(self, table: LatencyTable, make_interpolator: MakeInterpolator = Interpolator) -> None:
        self.table = table
        self._make_interpolator = make_interpolator
        self._measured: dict[tuple[object, ...], float] = {}
        self._fallen_back = {self._key(entry.kernel): entry.median_ms for entry in table.fallen_back}
        self._paddings: dict[tuple[object, ...], Padding] = {}
        self._timed: dict[str, list[tuple[Kernel, float]]] = {}
        self._interpolators: dict[str, Interpolator] = {}
        self._known: dict[Kernel, KernelPrediction] = {}
        self._extras: dict[Kernel, Extras] = {}
        self._adds_borders = any(_holds_border(entry.kernel) for entry in table.measured)
        timed = [(_pooled_to_one(entry.kernel), entry.median_ms) for entry in table.measured]
        on_gpu = table.device.processor == "gpu"
        self._addition = ms_per_added_mvalue(timed, self._key, table.models.get(MEMORY_BOUND)) if on_gpu else 0.0
        for entry in table.measured:
            self._paddings.setdefault(_geometry(entry.kernel), entry.kernel.padding or "same")
        for kernel, time_ms in timed:
            self._measured[self._key(kernel)] = time_ms
            addition_ms = self._addition_ms(kernel)
            bare = (without_addition(kernel), without_cost(time_ms, addition_ms)) if addition_ms else (kernel, time_ms)
            self._timed.setdefault(self._kind(kernel), []).append(bare)

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
        latency = self.table.correction.apply(total, len(parts), self.extras(parts))
        half_width = self.table.uncertainty.half_width(share["interpolated"], share["extrapolated"])
        return Prediction(latency, share["measured"], share["interpolated"], share["extrapolated"], half_width, parts)

    def predict_kernel(self, kernel: Kernel) -> KernelPrediction:
        """Time of one kernel.

        Raises:
            InputError: the table cannot speak of it.
        """
        known = self._known.get(kernel)
        if known is None:
            if len(self._known) >= _KERNELS_KEPT:
                self._known.clear()
            known = self._known[kernel] = self._predicted(kernel)
        return known

    def extras(self, parts: Sequence[KernelPrediction]) -> Extras:
        """What the correction charges for on top of the sum of the kernels."""
        amounts = [self._extras_of(part) for part in parts]
        return Extras(*(sum(column) for column in zip(*amounts, strict=True)))

    def _extras_of(self, part: KernelPrediction) -> Extras:
        known = self._extras.get(part.kernel)
        if known is None:
            if len(self._extras) >= _KERNELS_KEPT:
                self._extras.clear()
            kernel = self._resolved(part.kernel)
            stored = stored_mvalues(kernel)
            known = self._extras[part.kernel] = Extras(
                winograd_ms=part.latency_ms if self._kind(kernel) == WINOGRAD else 0.0,
                mweights=float(work(kernel)[3]),
                padded_mvalues=kernel.in_channels * kernel.height * kernel.width / 1e6
                if _holds_border(kernel)
                else 0.0,
                stored_mvalues=stored,
                copied_mvalues=2 * stored if kernel.op == "concat" else 0.0,
                added_mvalues=added_mvalues(kernel),
            )
        return known

    def key(self, kernel: Kernel) -> tuple[object, ...]:
        """What a measurement of this kernel is found by: equal for kernels that cost the same on this device."""
        return self._key(self._resolved(kernel))

    def _predicted(self, kernel: Kernel) -> KernelPrediction:
        self._check_precision(kernel)
        resolved = self._resolved(kernel)
        measured = self._measured.get(self._key(resolved))
        if measured is not None:
            return KernelPrediction(kernel, measured, "measured")
        if (alone_ms := self._fallen_back.get(self._key(resolved))) is not None:
            return KernelPrediction(kernel, alone_ms, "extrapolated", FALLS_BACK)
        kind = self._kind(resolved)
        if kind not in self._timed or kind not in self.table.models:
            return self._borrowed(kernel, resolved, kind)
        if (twin_ms := self._of_twin(resolved)) is not None:
            return KernelPrediction(kernel, twin_ms, "interpolated")
        interpolator = self._interpolator(kind)
        beyond = interpolator.beyond(resolved)
        addition_ms = self._addition_ms(resolved)
        latency_ms = interpolator.latency_ms(without_addition(resolved) if addition_ms else resolved) + addition_ms
        return KernelPrediction(kernel, latency_ms, "extrapolated" if beyond else "interpolated", beyond)

    def _addition_ms(self, kernel: Kernel) -> float:
        """What reading the second tensor takes; nothing where additions are kernels or features of their own."""
        return self._addition * added_mvalues(kernel) if self._addition else 0.0

    def _of_twin(self, kernel: Kernel) -> float | None:
        """Time by the measured kernel that differs in nothing but an addition."""
        if not self._addition:
            return None
        if kernel.added_tensors:
            plain_ms = self._measured.get(self._key(without_addition(kernel)))
            return None if plain_ms is None else plain_ms + self._addition_ms(kernel)
        adding = with_addition(kernel)
        adding_ms = self._measured.get(self._key(adding))
        return None if adding_ms is None else without_cost(adding_ms, self._addition_ms(adding))

    def _interpolator(self, kind: str) -> Interpolator:
        if kind not in self._interpolators:
            self._interpolators[kind] = self._make_interpolator(self.table.models[kind], self._timed[kind])
        return self._interpolators[kind]

    def _borrowed(self, kernel: Kernel, resolved: Kernel, kind: str) -> KernelPrediction:
        for substitute in substitutes(kind):
            if substitute in self.table.models:
                addition_ms = self._addition_ms(resolved)
                bare = without_addition(resolved) if addition_ms else resolved
                modelled_ms = float(work(bare) @ self.table.models[substitute].coefficients)
                latency_ms = max(modelled_ms, SMALLEST_TIME_MS) + addition_ms
                like = "an operator that only moves values" if substitute == MEMORY_BOUND else substitute
                reason = f"no {kind} was measured; estimated as {like}"
                return KernelPrediction(kernel, latency_ms, "extrapolated", reason)
        raise InputError(
            f"device '{self.table.device.id}' cannot speak of kernel '{kernel.label()}': it has measured "
            f"{', '.join(sorted(self._timed)) or 'nothing'}; choose another device or measure the kernel"
        )

    def _check_precision(self, kernel: Kernel) -> None:
        if not self.table.device.suits(kernel.precision):
            raise InputError(
                f"device '{self.table.device.id}' was measured in {self.table.device.precision}, kernel "
                f"'{kernel.label()}' is {kernel.precision}: choose a table of that precision"
            )

    def _kind(self, kernel: Kernel) -> str:
        return kind_of(kernel, self.table.device.winograd)

    def _resolved(self, kernel: Kernel) -> Kernel:
        """The kernel with a stated padding: where none is given, the one that the source ran this geometry with."""
        if kernel.padding is None and kernel.op in WINDOW_OPS:
            padding = self._paddings.get(_geometry(kernel)) or self._likely_padding(kernel)
            kernel = kernel.model_copy(update={"padding": padding})
        return _pooled_to_one(kernel)

    def _likely_padding(self, kernel: Kernel) -> Padding:
        """How a window whose padding nobody states treats the border, in networks like those of the source."""
        if kernel.kernel == (kernel.height, kernel.width) and kernel.height > 1:
            return "valid"
        holds_border = kernel.height not in WHOLE_SIDES and any(
            kernel.height - border in WHOLE_SIDES for border in range(1, kernel.kernel[0])
        )
        return "valid" if self._adds_borders and holds_border and kernel.height == kernel.width else "same"

    def _key(self, kernel: Kernel) -> tuple[object, ...]:
        kind = kind_of(kernel)
        op = kind if kind in ("fully_connected", "pool") else kernel.op
        # On a GPU every fused step without a second input is free.
        steps: tuple[str, ...] | int = kernel.added_tensors
        if self.table.device.processor != "gpu":
            steps = tuple(step for step in kernel.steps if step not in CLAMPS)
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
_KERNELS_KEPT = 4096


def _geometry(kernel: Kernel) -> tuple[object, ...]:
    return (kernel.op, kernel.kernel, kernel.stride, kernel.height, kernel.width)


def _pooled_to_one(kernel: Kernel) -> Kernel:
    """An average over a window that is the whole map is a mean, which is what a runtime makes of it."""
    if kernel.op != "avg_pool" or kernel.padding != "valid" or kernel.kernel != (kernel.height, kernel.width):
        return kernel
    return kernel.model_copy(update={"op": "mean", "kernel": (1, 1), "stride": (1, 1), "padding": None})


def _holds_border(kernel: Kernel) -> bool:
    """Whether the border of a window was added to the input by an operator before."""
    if kernel.padding != "valid" or kernel.op not in (*CONVOLUTIONS, "max_pool"):
        return False
    return kernel.kernel[0] > 1 and kernel.kernel[0] > kernel.stride[0]
