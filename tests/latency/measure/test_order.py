"""Breaking off a session early must leave a table that predicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.order import SPREAD, measuring_order
from nas_isp.latency.predict.predictor import predict
from nas_isp.latency.predict.roofline import kind_of, work
from nas_isp.latency.predict.table import DeviceRecord, MeasuredKernel, SourceRecord, build_table
from nas_isp.search.space import load_space


def conv(inputs: int, outputs: int, side: int, window: int = 3) -> Kernel:
    return Kernel(
        op="conv2d", in_channels=inputs, out_channels=outputs, kernel=(window, window), height=side, width=side
    )


@given(st.lists(st.tuples(st.integers(1, 64), st.integers(1, 64), st.integers(1, 99)), unique=True, max_size=40))
def test_the_order_is_a_permutation(shapes: list[tuple[int, int, int]]) -> None:
    kernels = [conv(*shape) for shape in shapes]
    ordered = measuring_order(kernels)
    assert len(ordered) == len(kernels)
    assert set(ordered) == set(kernels)


def test_kinds_take_turns_and_the_most_frequent_of_each_comes_first() -> None:
    means = [Kernel(op="mean", in_channels=c, out_channels=c, height=8, width=8) for c in (4, 8)]
    pointwise = [conv(c, 8, 16, 1) for c in (8, 16)]
    spatial = [conv(8, 8, side) for side in (16, 17)]
    ordered = measuring_order([*spatial, *pointwise, *means])
    assert ordered == [spatial[0], pointwise[0], means[0], spatial[1], pointwise[1], means[1]]


def test_the_first_of_a_kind_span_its_channels_and_sizes() -> None:
    frequent = [conv(8, 8, 100 + step) for step in range(30)]
    extremes = [conv(4, 4, 8), conv(64, 64, 8), conv(4, 4, 500), conv(64, 64, 500), conv(4, 4, 8, 9)]
    ordered = measuring_order([*frequent, *extremes])
    assert ordered[0] == frequent[0]
    assert set(extremes) <= set(ordered[:SPREAD])
    assert ordered[SPREAD:] == [kernel for kernel in frequent if kernel not in ordered[:SPREAD]]


def device_ms(kernel: Kernel) -> float:
    """A made-up CPU: a roofline with launch cost and an efficiency that depends on the channels."""
    constant, gmac, mvalue, mweight = work(kernel)[:4]
    efficiency = 1 + 2 / kernel.in_channels + 2 / kernel.out_channels
    return float(0.02 * constant + max(30 * gmac * efficiency, 0.3 * mvalue) + mweight)


def error_after(kernels: list[Kernel], networks: list[list[Kernel]]) -> float:
    device = DeviceRecord(id="toy", name="Toy", soc="none", processor="cpu", runtime="none", precision="fp32")
    source = SourceRecord(how="made up", when="never", licence="none", link="")
    entries = [MeasuredKernel(kernel=kernel, median_ms=device_ms(kernel), runs=1) for kernel in kernels]
    table = build_table(device, source, entries)
    errors = [abs(predict(table, network).latency_ms / sum(map(device_ms, network)) - 1) for network in networks]
    return float(np.mean(errors))


@pytest.fixture(scope="module")
def mobile() -> tuple[list[Kernel], list[list[Kernel]]]:
    from nas_isp.search.kernels import space_kernels

    space, rng = load_space("mobile"), np.random.default_rng(7)
    return space_kernels("mobile", (544, 960), 400), [kernels_of(space.sample(rng)) for _ in range(30)]


def test_one_spread_of_every_kind_predicts_the_whole_space(mobile: tuple[list[Kernel], list[list[Kernel]]]) -> None:
    kernels, networks = mobile
    ordered = measuring_order(kernels)
    kinds = {kind_of(kernel) for kernel in kernels}
    spread = [kernel for index, kernel in enumerate(ordered) if index < SPREAD * len(kinds)]
    assert {kind_of(kernel) for kernel in ordered[: len(kinds)]} == kinds
    after_break, by_frequency = error_after(spread, networks), error_after(kernels[: len(spread)], networks)
    assert after_break < 0.1
    assert after_break < by_frequency
    assert error_after(ordered[: len(ordered) // 2], networks) < after_break
    assert error_after(ordered, networks) == pytest.approx(0, abs=0.02)
