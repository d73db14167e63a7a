from pathlib import Path

import pytest

from nas_isp.latency.kernels.from_tflite import kernels_of_tflite
from nas_isp.latency.kernels.kernel import Kernel, convolution, elementwise
from nas_isp.latency.measure.measuring_target import Timing
from nas_isp.latency.measure.probe_models import single_kernel_model
from nas_isp.latency.measure.probes import probe

SIZE = (272, 480)


def labels(model: bytes) -> list[str]:
    return [kernel.label() for kernel in kernels_of_tflite(model, Path("probe.tflite"))]


@pytest.mark.parametrize(
    ("kernel", "in_place"),
    [
        (convolution(4, 8, 3, SIZE, activation="relu"), True),
        (elementwise("mean", 8, SIZE), True),
        (elementwise("mul", 8, (1, 1), broadcast=True), True),
        (elementwise("mul", 8, SIZE, broadcast=True), False),
        (convolution(4, 8, 3, SIZE, activation="tanh"), False),
    ],
)
def test_what_works_on_memory_of_its_own_is_timed_alone(kernel: Kernel, in_place: bool) -> None:
    assert probe(kernel, "fp32", in_place).models == (single_kernel_model(kernel),)


def test_elementwise_work_is_timed_between_two_convolutions_and_without() -> None:
    kernel = elementwise("mul", 8, SIZE, broadcast=True)
    found = probe(kernel, "int8", in_place=True)
    within, rest, alone = (labels(model) for model in found.models)
    assert rest == ["conv2d 1x1 4->8 @ 272x480", "conv2d 1x1 8->4 @ 272x480"]
    assert within == [rest[0], *[kernel.label()] * found.repeats, rest[1]]
    assert alone == [kernel.label()]


def test_what_follows_a_convolution_is_timed_before_another_one() -> None:
    kernel = convolution(8, 8, 3, SIZE, activation="add_tanh")
    within, rest, _ = (labels(model) for model in probe(kernel, "fp32", in_place=True).models)
    assert within == [kernel.label(), *rest]
    assert rest == ["conv2d 1x1 8->4 @ 272x480"]


def test_the_time_is_the_difference_for_each_repetition_and_stays_positive() -> None:
    found = probe(elementwise("add", 8, SIZE, broadcast=True), "fp32", in_place=True)
    rest, alone = Timing(4.0, 3.5, 20, 3.6, 5.0), Timing(1.0, 0.8, 50, 0.9, 1.5)
    timing = found.timing([Timing(4.0 + 3.2, 3.5 + 2.8, 15, 6.5, 9.0), rest, alone])
    assert timing.median_ms == pytest.approx(3.2 / found.repeats)
    assert timing.min_ms == pytest.approx(2.8 / found.repeats)
    assert (timing.p10_ms, timing.p90_ms, timing.runs) == (None, None, 15)
    disturbed = found.timing([Timing(3.9, 3.6, 15), rest, alone])
    assert 0 < disturbed.min_ms <= disturbed.median_ms == pytest.approx(0.05)
