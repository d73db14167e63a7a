"""Latency predictions of networks whose whole family was left out, also from the choice of how to predict.

Outer folds: each family in turn is set aside. Inner folds: without it, each other family is predicted by tables that
know neither. On the inner errors, averaged over phones, first the method for kernels is chosen (by the sum of a
network's kernels), then the form of the correction (by the time of the network). Every family counts the same, in
choosing and in fitting: a network unlike the table's is of a family of its own.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from phone_fitting import phone_table
from phone_measurements import Measurements, Row, by_network
from phone_methods import CORRECTION_FORMS, KERNEL_METHODS, PROCESS, CorrectionForm, KernelMethod

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.correction import Extras, fit_correction
from nas_isp.latency.predict.predictor import Predictor
from nas_isp.latency.predict.uncertainty import COVERAGE, Uncertainty, calibrate

SMALL_SIDE, LARGE_SIDE = 58, 110
"""Maps up to the first, with their borders, predict those from the second on: how far off an extrapolation is."""

Errors = np.ndarray
Candidate = TypeVar("Candidate", KernelMethod, CorrectionForm)


@dataclass(frozen=True)
class Summed:
    """What a table says of a network before any correction."""

    kernels_ms: float
    kernels: int
    extras: Extras
    unmeasured_share: float


@dataclass(frozen=True)
class LeftOut:
    """A network predicted without its family."""

    network: str
    group: str
    predicted_ms: float
    measured_ms: float
    unmeasured_share: float

    @property
    def error(self) -> float:
        """Signed relative error."""
        return self.predicted_ms / self.measured_ms - 1


class CrossValidation:
    """Errors with families left out; what tables say is computed once for each set of families left out."""

    def __init__(self, measurements: Measurements, group_of: Callable[[str], str], phones: Sequence[str]) -> None:
        """Set the folds.

        Args:
            measurements: of all networks.
            group_of: family of a network.
            phones: over which inner errors are averaged.
        """
        self.measurements, self.phones = measurements, list(phones)
        self.group_of = {network: group_of(network) for network in by_network(measurements.rows)}
        self.groups = sorted(set(self.group_of.values()))
        self.summed = cache(self._summed)

    def chosen(self, outer: str | None = None) -> tuple[KernelMethod, CorrectionForm]:
        """What the inner folds choose without anything of the outer family; None: with all families."""
        method = simplest_of_the_best(
            {method: self._inner(outer, lambda phone, group, m=method: self._sum_error(phone, outer, group, m))
             for method in KERNEL_METHODS}
        )  # fmt: skip
        form = simplest_of_the_best(
            {form: self._inner(outer, lambda phone, group, f=form: self._error(phone, outer, group, method, f))
             for form in CORRECTION_FORMS}
        )  # fmt: skip
        return method, form

    def left_out(self, phone: str, group: str, method: KernelMethod, form: CorrectionForm) -> list[LeftOut]:
        """The networks of a family, predicted without it."""
        return self._predicted(phone, frozenset({group}), group, method, form)

    def _inner(self, outer: str | None, error: Callable[[str, str], float]) -> Errors:
        """(families,): mean over the phones of an error in each inner family."""
        inner = [group for group in self.groups if group != outer]
        return np.array([np.mean([error(phone, group) for phone in self.phones]) for group in inner])

    def _sum_error(self, phone: str, outer: str | None, group: str, method: KernelMethod) -> float:
        """Mean relative error of the sums of kernels of a family, against the kernels' measured times."""
        summed = self.summed(phone, _without(outer, group))[method]
        known = self.summed(phone, _without(outer))[method]
        return float(np.mean([abs(summed[n].kernels_ms / known[n].kernels_ms - 1) for n in self._networks(group)]))

    def _error(self, phone: str, outer: str | None, group: str, method: KernelMethod, form: CorrectionForm) -> float:
        predicted = self._predicted(phone, _without(outer, group), group, method, form)
        return float(np.mean([abs(network.error) for network in predicted]))

    def _predicted(
        self, phone: str, excluded: frozenset[str], group: str, method: KernelMethod, form: CorrectionForm
    ) -> list[LeftOut]:
        summed, times = self.summed(phone, excluded)[method], self.measurements.networks_ms
        kept = [network for network, family in self.group_of.items() if family not in excluded]
        correction = fit_correction(
            [summed[network].kernels_ms for network in kept],
            [summed[network].kernels for network in kept],
            [times[network][phone] for network in kept],
            [summed[network].extras for network in kept],
            terms=form.terms,
            shrinkage=form.shrinkage,
            weights=family_weights([self.group_of[network] for network in kept]),
        )
        found = []
        for network in self._networks(group):
            of_it = summed[network]
            latency_ms = correction.apply(of_it.kernels_ms, of_it.kernels, of_it.extras)
            found.append(LeftOut(network, group, latency_ms, times[network][phone], of_it.unmeasured_share))
        return found

    def _networks(self, group: str) -> list[str]:
        return [network for network, family in self.group_of.items() if family == group]

    def _summed(self, phone: str, excluded: frozenset[str]) -> dict[KernelMethod, dict[str, Summed]]:
        """All networks by each method and a table that knows nothing of some families, whose borders are not told."""
        rows = [row for row in self.measurements.rows if self.group_of[row.network] not in excluded]
        table = phone_table(phone, rows)
        asked = {
            network: [as_a_user_gives_it(kernel) for kernel in kernels]
            if self.group_of[network] in excluded
            else kernels
            for network, kernels in by_network(self.measurements.rows).items()
        }
        return {method: _sums(Predictor(table, method.make_interpolator), asked) for method in KERNEL_METHODS}


def _sums(predictor: Predictor, networks: dict[str, list[Kernel]]) -> dict[str, Summed]:
    found = {}
    for network, kernels in networks.items():
        prediction = predictor.predict(kernels)
        extras = predictor.extras(prediction.kernels)
        found[network] = Summed(prediction.kernels_ms, len(kernels), extras, 1 - prediction.measured_share)
    return found


def simplest_of_the_best(errors: dict[Candidate, Errors]) -> Candidate:
    """The best of the simplest candidates that tie with the best of all.

    Two tie where their errors differ by no more than one standard error of that difference over the families.
    """
    best = min(errors, key=lambda candidate: float(errors[candidate].mean()))
    tied = []
    for candidate, found in errors.items():
        worse = found - errors[best]
        if worse.mean() <= worse.std(ddof=1) / len(worse) ** 0.5:
            tied.append(candidate)
    return min(tied, key=lambda candidate: (candidate.complexity, float(errors[candidate].mean())))


def family_weights(families: Sequence[str]) -> list[float]:
    """Weights of networks by which all families count the same."""
    return [1 / families.count(family) for family in families]


def as_a_user_gives_it(kernel: Kernel) -> Kernel:
    """The kernel by the documented keys alone, which do not say how borders are padded."""
    return kernel.model_copy(update={"padding": None})


def extrapolation_errors(phone: str, measurements: Measurements) -> list[float]:
    """Relative errors of kernels on large maps, predicted from small maps alone."""
    small = [row for row in measurements.rows if row.kernel.height <= SMALL_SIDE]
    large = {row.kernel: row.times_ms[phone] for row in measurements.rows if _is_large(row, phone)}
    predictor = Predictor(phone_table(phone, small), PROCESS.make_interpolator)
    return [predictor.predict_kernel(kernel).latency_ms / time - 1 for kernel, time in large.items()]


def coverage(left_out: Sequence[LeftOut], extrapolated: Sequence[float]) -> float:
    """Share of networks, all families alike, within intervals that were calibrated without the network's family."""
    within = reach(left_out, extrapolated) <= 1
    return float(np.average(within, weights=family_weights([network.group for network in left_out])))


def reach(left_out: Sequence[LeftOut], extrapolated: Sequence[float]) -> Errors:
    """(networks,): errors in half-widths of intervals that were calibrated without the network's family."""
    without = {
        group: calibrated([other for other in left_out if other.group != group], extrapolated)
        for group in {network.group for network in left_out}
    }
    widths = [without[network.group].half_width(network.unmeasured_share, 0) for network in left_out]
    return np.abs([network.measured_ms / network.predicted_ms - 1 for network in left_out]) / widths


def stated(left_out: Sequence[LeftOut], extrapolated: Sequence[float]) -> Uncertainty:
    """Calibrated half-widths, widened until they would have held 90 % of the families that they did not know."""
    plain, reached = calibrated(left_out, extrapolated), reach(left_out, extrapolated)
    order = np.argsort(reached)
    weights = np.array(family_weights([network.group for network in left_out]))[order]
    held = np.cumsum(weights) / weights.sum() >= COVERAGE - 1e-9
    factor = max(float(reached[order][int(np.argmax(held))]), 1.0)
    measured, interpolated = (math.ceil(width * factor * 1e4) / 1e4 for width in (plain.measured, plain.interpolated))
    return plain.model_copy(
        update={
            "measured": measured,
            "interpolated": interpolated,
            "extrapolated": max(plain.extrapolated, interpolated),
        }
    )


def calibrated(left_out: Sequence[LeftOut], extrapolated: Sequence[float]) -> Uncertainty:
    """The half-widths that hold 90 % of the networks of a further family."""
    errors = [network.measured_ms / network.predicted_ms - 1 for network in left_out]
    shares = [network.unmeasured_share for network in left_out]
    return calibrate(errors, shares, extrapolated, [network.group for network in left_out])


def _without(*groups: str | None) -> frozenset[str]:
    return frozenset(group for group in groups if group is not None)


def _is_large(row: Row, phone: str) -> bool:
    return row.kernel.height >= LARGE_SIDE and phone in row.times_ms
