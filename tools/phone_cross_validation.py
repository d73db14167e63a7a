"""Latency predictions of networks whose whole family was left out of table, models and correction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from phone_fitting import phone_table
from phone_measurements import Measurements, Row, by_network

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.gaussian_process import Interpolator, position
from nas_isp.latency.predict.predictor import MakeInterpolator, Predictor
from nas_isp.latency.predict.roofline import Roofline
from nas_isp.latency.predict.uncertainty import Uncertainty, calibrate

SMALL_SIDE, LARGE_SIDE = 58, 110
"""Maps up to the first, with their borders, predict those from the second on: how far off an extrapolation is."""


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


@dataclass(frozen=True)
class Method:
    """A way to predict, to be compared with others."""

    name: str
    make_interpolator: MakeInterpolator = Interpolator
    extras: bool = True
    knows_kernels: bool = False
    """Whether every kernel's measured time is known and only the correction is left to fit."""


class RooflineOnly(Interpolator):
    """No correction by neighbors."""

    def latency_ms(self, kernel: Kernel) -> float:
        return self._modelled(kernel)


class Neighbors(Interpolator):
    """The mean ratio of measured to modelled time of the five nearest kernels, closer ones counting more."""

    SOFTENING = 0.1

    def __init__(self, model: Roofline, timed: Sequence[tuple[Kernel, float]], kind: str = "") -> None:
        super().__init__(model, timed, kind)
        self._points = np.array([position(kernel)[:8] for kernel, _ in timed])
        self._ratios = np.log([time / self._modelled(kernel) for kernel, time in timed])

    def latency_ms(self, kernel: Kernel) -> float:
        distances = np.linalg.norm(self._points - position(kernel, self.largest_pixels)[:8], axis=1)
        nearest = np.argsort(distances, kind="stable")[:5]
        closeness = 1 / (distances[nearest] + self.SOFTENING)
        return self._modelled(kernel) * float(np.exp(closeness @ self._ratios[nearest] / closeness.sum()))


class Trees(Interpolator):
    """Boosted trees on the logarithm of measured over modelled time; needs scikit-learn."""

    def __init__(self, model: Roofline, timed: Sequence[tuple[Kernel, float]], kind: str = "") -> None:
        from sklearn.ensemble import GradientBoostingRegressor

        super().__init__(model, timed, kind)
        self._trees = GradientBoostingRegressor(
            n_estimators=200, learning_rate=0.08, max_depth=5, subsample=0.5, min_samples_leaf=3, random_state=0
        )
        ratios = [time / self._modelled(kernel) for kernel, time in timed]
        self._trees.fit([position(kernel) for kernel, _ in timed], np.log(ratios))

    def latency_ms(self, kernel: Kernel) -> float:
        ratio = self._trees.predict([position(kernel, self.largest_pixels)])[0]
        return self._modelled(kernel) * float(np.exp(ratio))


SHIPPED = Method("Gaussian process")
METHODS = {
    "process": SHIPPED,
    "three-numbers": Method("Gaussian process, correction of three numbers", extras=False),
    "neighbors": Method("five nearest neighbors", Neighbors),
    "neighbors-three-numbers": Method("five nearest neighbors, correction of three numbers", Neighbors, extras=False),
    "trees": Method("boosted trees", Trees),
    "roofline": Method("roofline alone", RooflineOnly),
    "known": Method("measured kernels, only the correction fitted", knows_kernels=True),
}


def cross_validate(
    phone: str, measurements: Measurements, group_of: Callable[[str], str], method: Method = SHIPPED
) -> list[LeftOut]:
    """Every network, predicted without its group, from its kernels by the documented keys alone."""
    found = []
    for held_out in sorted({group_of(row.network) for row in measurements.rows}):
        kept = [row for row in measurements.rows if group_of(row.network) != held_out]
        left_out = [row for row in measurements.rows if group_of(row.network) == held_out]
        predict = _prediction(phone, kept, left_out, measurements, method)
        for network, kernels in by_network(left_out).items():
            latency_ms, unmeasured = predict([as_a_user_gives_it(kernel) for kernel in kernels])
            measured_ms = measurements.networks_ms[network][phone]
            found.append(LeftOut(network, held_out, latency_ms, measured_ms, unmeasured))
    return found


def as_a_user_gives_it(kernel: Kernel) -> Kernel:
    """The kernel by the documented keys alone, which do not say how borders are padded."""
    return kernel.model_copy(update={"padding": None})


def extrapolation_errors(phone: str, measurements: Measurements) -> list[float]:
    """Relative errors of kernels on large maps, predicted from small maps alone."""
    small = [row for row in measurements.rows if row.kernel.height <= SMALL_SIDE]
    large = {row.kernel: row.times_ms[phone] for row in measurements.rows if _is_large(row, phone)}
    predictor = Predictor(phone_table(phone, small, measurements.networks_ms, correct=False))
    return [predictor.predict_kernel(kernel).latency_ms / time - 1 for kernel, time in large.items()]


def coverage(left_out: Sequence[LeftOut], extrapolated: Sequence[float]) -> float:
    """Share of networks within intervals that were calibrated without the network's own group."""
    within = []
    for network in left_out:
        others = [other for other in left_out if other.group != network.group]
        half_width = calibrated(others, extrapolated).half_width(network.unmeasured_share, 0)
        within.append(abs(network.measured_ms / network.predicted_ms - 1) <= half_width)
    return float(np.mean(within))


def calibrated(left_out: Sequence[LeftOut], extrapolated: Sequence[float]) -> Uncertainty:
    """The half-widths that hold 90 % of these networks."""
    errors = [network.measured_ms / network.predicted_ms - 1 for network in left_out]
    return calibrate(errors, [network.unmeasured_share for network in left_out], extrapolated)


def _prediction(
    phone: str, kept: list[Row], left_out: list[Row], measurements: Measurements, method: Method
) -> Callable[[Sequence[Kernel]], tuple[float, float]]:
    table = phone_table(phone, kept, measurements.networks_ms, method.make_interpolator, method.extras)
    if method.knows_kernels:
        everything = phone_table(phone, [*kept, *left_out], measurements.networks_ms, correct=False)
        table = everything.model_copy(update={"correction": table.correction})
    predictor = Predictor(table, method.make_interpolator)

    def predict(kernels: Sequence[Kernel]) -> tuple[float, float]:
        prediction = predictor.predict(kernels)
        return prediction.latency_ms, 1 - prediction.measured_share

    return predict


def _is_large(row: Row, phone: str) -> bool:
    return row.kernel.height >= LARGE_SIDE and phone in row.times_ms
