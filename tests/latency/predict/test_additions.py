"""An addition that a GPU fuses into a kernel costs what reading its second tensor costs."""

import pytest

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.predict.additions import (
    ms_per_added_mvalue,
    with_addition,
    without_addition,
    without_cost,
)
from nas_isp.latency.predict.predictor import Predictor, predict
from nas_isp.latency.predict.roofline import Roofline, added_mvalues
from nas_isp.latency.predict.table import DeviceRecord, LatencyTable, MeasuredKernel, SourceRecord, build_table

RATE = 0.05
PHONES = ("pixel4-gpu", "galaxy-s10-gpu", "mi8se-gpu", "galaxy-a03s-gpu", "iphone7-gpu", "iphonexs-gpu")
MEMORY = Roofline(constant_ms=1, ms_per_gmac=0, ms_per_mvalue=0.3, ms_per_mweight=0, kernels=2, mean_error=0)


def conv(side: int, channels: int = 32, activation: str = "relu", window: int = 3) -> Kernel:
    shape = {"op": "conv2d", "in_channels": channels, "out_channels": channels, "kernel": window, "padding": "same"}
    return Kernel.model_validate(shape | {"height": side, "width": side, "activation": activation})


def plain_ms(side: int, channels: int = 32) -> float:
    return 0.01 + side * side * channels * channels * 9 * 6e-9


def pairs(sides: tuple[int, ...]) -> list[tuple[Kernel, float]]:
    """Convolutions with and without an addition of side * side * 32 values, which takes 0.05 ms per 1e6."""
    plain = [(conv(side), plain_ms(side)) for side in sides]
    return plain + [(conv(side, activation="add_relu"), plain_ms(side) + RATE * side * side * 32e-6) for side in sides]


def table_of(timed: list[tuple[Kernel, float]], processor: str = "gpu") -> LatencyTable:
    device = {"id": "toy", "name": "Toy", "soc": "none", "processor": processor, "runtime": "none", "precision": "fp32"}
    entries = [MeasuredKernel(kernel=kernel, median_ms=time_ms, runs=1) for kernel, time_ms in timed]
    source = SourceRecord(how="by hand", when="once", licence="none", link="")
    return build_table(DeviceRecord.model_validate(device), source, entries)


def key(kernel: Kernel) -> tuple[object, ...]:
    return kernel.height, kernel.in_channels, kernel.added_tensors


def test_five_pairs_show_what_an_addition_costs() -> None:
    assert ms_per_added_mvalue(pairs((8, 14, 20, 28, 56)), key, MEMORY) == pytest.approx(RATE)


def test_with_fewer_pairs_or_none_that_show_it_memory_speaks() -> None:
    assert ms_per_added_mvalue(pairs((8, 14, 20, 28)), key, MEMORY) == 0.3
    assert ms_per_added_mvalue(pairs((8, 14, 20, 28)), key, None) == 0
    alike = [(kernel, 1.0) for kernel, _ in pairs((8, 14, 20, 28, 56))]
    assert ms_per_added_mvalue(alike, key, MEMORY) == 0.3


def test_kernels_differ_in_nothing_but_the_addition() -> None:
    assert without_addition(conv(8, activation="add_relu")) == conv(8, activation="relu")
    assert without_addition(conv(8, activation="add")) == conv(8, activation="none")
    assert with_addition(conv(8, activation="none")) == conv(8, activation="add")
    assert without_cost(1.0, 0.2) == pytest.approx(0.8)
    assert without_cost(1.0, 0.9) == 0.5


def test_an_addition_costs_its_values_whatever_was_measured() -> None:
    """Neither side of 36 was measured, of 48 only the plain convolution, of 40 only that with the addition."""
    timed = [*pairs((8, 14, 20, 28, 56)), (conv(48), 0.9), (conv(40, activation="add_relu"), 0.7)]
    predictor = Predictor(table_of(timed))
    for side in (36, 48, 40):
        plain, adding = (predictor.predict_kernel(conv(side, activation=steps)) for steps in ("relu", "add_relu"))
        assert adding.latency_ms - plain.latency_ms == pytest.approx(RATE * side * side * 32e-6, rel=1e-4)
    assert predictor.predict_kernel(conv(48, activation="add")).latency_ms == pytest.approx(
        0.9 + RATE * 48 * 48 * 32e-6
    )
    assert predictor.predict_kernel(conv(48, activation="add")).basis == "interpolated"
    assert predictor.predict_kernel(conv(48)).basis == "measured"


def test_a_cpu_has_no_such_price() -> None:
    """There an addition is work of its own, and a feature of the kernels that were measured: no twin speaks for it."""
    timed = [*pairs((8, 14, 20, 28, 56)), (conv(48), 0.9)]
    found = Predictor(table_of(timed, "cpu")).predict_kernel(conv(48, activation="add_relu"))
    assert found.latency_ms != pytest.approx(0.9 + RATE * 48 * 48 * 32e-6, rel=0.01)


@pytest.mark.parametrize("name", PHONES)
def test_on_every_phone_a_network_with_an_addition_costs_more(name: str) -> None:
    """By what a device's memory moves: between 0.02 and 2 ms for 1e6 values."""
    table = load_table(name)
    for side, channels, window in ((37, 40, 1), (37, 40, 3), (61, 72, 3), (19, 200, 1)):
        plain, adding = (conv(side, channels, steps, window) for steps in ("relu", "add_relu"))
        without, with_it = (predict(table, [conv(side, channels), kernel]) for kernel in (plain, adding))
        assert with_it.latency_ms > without.latency_ms
        added_ms = with_it.kernels_ms - without.kernels_ms
        assert 0.02 < added_ms / added_mvalues(adding) < 2
