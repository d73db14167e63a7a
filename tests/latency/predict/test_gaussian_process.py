import math

import numpy as np
import pytest

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.gaussian_process import LENGTHS, NOISE, Interpolator, position
from nas_isp.latency.predict.roofline import Roofline, fit_roofline, work


def conv(side: int, inputs: int = 32, outputs: int = 32, window: int = 3) -> Kernel:
    shape = {"op": "conv2d", "in_channels": inputs, "out_channels": outputs, "kernel": window, "padding": "same"}
    return Kernel.model_validate(shape | {"height": side, "width": side})


def interpolator(times: dict[Kernel, float]) -> Interpolator:
    kernels = list(times)
    model = fit_roofline(np.array([work(kernel) for kernel in kernels]), np.array(list(times.values())))
    return Interpolator(model, list(times.items()))


def made_up_ms(kernel: Kernel) -> float:
    """A time that no roofline gives: narrow maps are run at half the speed."""
    return float(work(kernel)[1]) * (2 if kernel.height < 20 else 1) + 0.01


def test_every_feature_has_a_length() -> None:
    assert len(LENGTHS) == len(position(conv(8))) == 10
    assert min(LENGTHS.values()) > 0


def test_a_measured_kernel_is_nearly_met_and_one_between_two_lies_between_them() -> None:
    known = {conv(side, c, c): made_up_ms(conv(side, c, c)) for side in (8, 14, 28, 56) for c in (16, 32, 64, 128)}
    found = interpolator(known)
    for kernel, time in known.items():
        assert found.latency_ms(kernel) == pytest.approx(time, rel=0.12)
    between = found.latency_ms(conv(28, 48, 64))
    assert found.latency_ms(conv(28, 32, 64)) < between < found.latency_ms(conv(28, 64, 64))


@pytest.mark.parametrize(("changed", "length"), [("inputs", 4.0), ("outputs", 2.0)])
def test_likeness_fades_over_the_length_of_what_differs(changed: str, length: float) -> None:
    """Two kernels of which one has eight times the channels of the other, and one between: solved by hand.

    Channels that are multiples of four differ in nothing but their logarithm. Their times are e ** 0.1 and e ** -0.1
    where the model says 1 ms.
    """

    def likeness(log_ratio: float) -> float:
        distance = log_ratio / length
        return (1 + math.sqrt(3) * distance) * math.exp(-math.sqrt(3) * distance)

    one_ms = Roofline(constant_ms=1, ms_per_gmac=0, ms_per_mvalue=0, ms_per_mweight=0, kernels=2, mean_error=0)
    narrow, middle, wide = (conv(28, **{"inputs": 256, "outputs": 256, changed: count}) for count in (256, 512, 2048))
    found = Interpolator(one_ms, [(narrow, math.exp(0.1)), (wide, math.exp(-0.1))])
    weight = 0.1 / (1 + NOISE - likeness(math.log(8)))
    alike = likeness(0) - likeness(math.log(8))
    assert math.log(found.latency_ms(narrow)) == pytest.approx(weight * alike, rel=1e-6)
    middle_alike = likeness(math.log(2)) - likeness(math.log(4))
    assert math.log(found.latency_ms(middle)) == pytest.approx(weight * middle_alike, rel=1e-6)


def test_neighbors_mend_what_the_roofline_gets_wrong() -> None:
    known = {conv(side, c, 2 * c): made_up_ms(conv(side, c, 2 * c)) for side in (7, 14, 28, 56) for c in (16, 32, 64)}
    found, kernel = interpolator(known), conv(14, 32, 32)
    modelled = float(work(kernel) @ fit_roofline(*_rows(known)).coefficients)
    assert abs(found.latency_ms(kernel) / made_up_ms(kernel) - 1) < 0.5 * abs(modelled / made_up_ms(kernel) - 1)


def test_a_larger_map_keeps_the_ratio_of_the_largest_measured_ones() -> None:
    found = interpolator({conv(side): float(work(conv(side))[1]) * 1.5 for side in (14, 28, 56)})
    assert found.latency_ms(conv(448)) / found.latency_ms(conv(224)) == pytest.approx(4, rel=0.02)
    assert "larger" in found.beyond(conv(448))
    assert "channels" in found.beyond(conv(28, 512))
    assert found.beyond(conv(40)) == ""


def _rows(times: dict[Kernel, float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([work(kernel) for kernel in times]), np.array(list(times.values()))
