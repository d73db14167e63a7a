import numpy as np
import pytest

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.roofline import (
    MEMORY_BOUND,
    added_mvalues,
    fit_models,
    fit_roofline,
    kind_of,
    stored_mvalues,
    work,
)


def kernel(op: str = "conv2d", **changes: object) -> Kernel:
    shape = {"op": op, "in_channels": 8, "out_channels": 16, "kernel": 3, "height": 10, "width": 10}
    return Kernel.model_validate(shape | changes)


def test_work_is_counted_by_hand() -> None:
    convolution = [1, 100 * 9 * 8 * 16 / 1e9, (800 + 1600) / 1e6, 9 * 8 * 16 / 1e6, 9 * 8 / 1e3]
    assert work(kernel()).tolist() == pytest.approx(convolution)
    assert work(kernel(activation="add_relu"))[2] == pytest.approx((800 + 2 * 1600) / 1e6)
    assert work(kernel("depthwise_conv2d", out_channels=8))[1] == pytest.approx(100 * 9 * 8 / 1e9)
    assert work(kernel("mean", out_channels=8)).tolist() == pytest.approx([1, 800 / 1e9, 808 / 1e6, 0, 100 / 1e3])
    full = work(kernel("add", in_channels=16))
    assert full.tolist() == pytest.approx([1, 0, 3 * 1600 / 1e6, 0, 1 / 1e3])
    assert work(kernel("add", in_channels=16, broadcast=True))[2] == pytest.approx(2 * 1600 / 1e6)


def test_a_concatenation_copies_its_channels_one_after_another() -> None:
    """Read and written once each; one work item does all channels of a pixel."""
    joined = kernel("concat", in_channels=24, out_channels=64, kernel=1)
    assert work(joined).tolist() == pytest.approx([1, 0, 2 * 6400 / 1e6, 0, 64 / 1e3])
    assert stored_mvalues(joined) == pytest.approx(6400 / 1e6)
    assert added_mvalues(joined) == 0
    assert added_mvalues(kernel("concat", out_channels=64, activation="add")) == pytest.approx(6400 / 1e6)


def test_a_wide_concatenation_on_a_small_map_costs_its_chain() -> None:
    """As on a phone: 1024 channels of 7x7 pixels take longer than 256 of 14x14, which are as many values."""
    shapes = [(side, wide) for side in (7, 14, 28, 56) for wide in (64, 128, 256, 512)]
    joined = [kernel("concat", out_channels=wide, height=side, width=side) for side, wide in shapes]
    truth = np.array([0.005, 0, 0.07, 0, 0.12])
    model = fit_roofline(np.array([work(k) for k in joined]), np.array([work(k) @ truth for k in joined]))
    assert model.coefficients == pytest.approx(truth, abs=1e-5)
    small, large = (
        kernel("concat", out_channels=wide, height=side, width=side) for side, wide in ((7, 1024), (14, 256))
    )
    assert work(small)[2] == work(large)[2]
    assert work(small) @ model.coefficients > 2 * (work(large) @ model.coefficients)


def test_channels_count_in_slices_of_four() -> None:
    assert work(kernel(in_channels=3)).tolist() == work(kernel(in_channels=4)).tolist()


def test_winograd_is_expected_only_for_wide_three_by_three_convolutions() -> None:
    wide = {"in_channels": 64, "out_channels": 64, "height": 56, "width": 56}
    assert kind_of(kernel(**wide), winograd=True) == "conv2d_winograd"
    assert kind_of(kernel(**wide), winograd=False) == "conv2d_spatial"
    assert kind_of(kernel(**wide | {"in_channels": 48}), winograd=True) == "conv2d_spatial"
    assert kind_of(kernel(**wide | {"height": 14, "width": 14}), winograd=True) == "conv2d_spatial"
    assert kind_of(kernel(**wide, stride=2), winograd=True) == "conv2d_spatial"


def test_a_roofline_recovers_the_coefficients_that_made_the_times() -> None:
    sizes = [(h, c) for h in (7, 14, 28, 56) for c in (8, 32, 128)]
    rows = np.array([work(kernel(height=h, width=h, in_channels=c, out_channels=2 * c)) for h, c in sizes])
    truth = np.array([0.01, 5.0, 0.2, 0.7, 0.3])
    model = fit_roofline(rows, rows @ truth)
    assert model.coefficients == pytest.approx(truth, rel=1e-4)
    assert model.mean_error == pytest.approx(0, abs=1e-4)


def test_memory_bound_model_comes_from_pooling_and_concatenation_alone() -> None:
    kernels = [kernel("max_pool", out_channels=8, height=h, width=h) for h in (8, 16, 32)]
    kernels += [kernel("mean", out_channels=8), kernel()]
    models = fit_models(kernels, [0.1, 0.2, 0.5, 9.0, 9.0], winograd=False)
    assert models[MEMORY_BOUND].kernels == 3
    assert models[MEMORY_BOUND].ms_per_gmac == 0
    assert models[MEMORY_BOUND].constant_ms < 1


def test_no_coefficient_is_negative_and_the_others_make_up_for_it() -> None:
    """Times that fall with the work: the best line that does not is flat, at 1 / t weighted as relative errors are."""
    rows = np.array([[1.0, macs, 0.0, 0.0, 0.0] for macs in (1.0, 2.0)])
    model = fit_roofline(rows, np.array([2.0, 1.0]))
    assert model.coefficients.tolist() == pytest.approx([(1 / 2 + 1) / (1 / 4 + 1), 0, 0, 0, 0])
    assert model.mean_error == pytest.approx((0.4 + 0.2) / 2)


def test_of_two_amounts_in_proportion_the_first_is_charged_for() -> None:
    """A fully connected kernel multiplies with each weight once."""
    shapes = [{"in_channels": wide, "out_channels": out} for wide, out in ((64, 100), (256, 100), (1024, 1000))]
    rows = np.array([work(kernel("fully_connected", kernel=1, height=1, width=1, **shape)) for shape in shapes])
    assert rows[:, 1] * 1e9 == pytest.approx(rows[:, 3] * 1e6)
    model = fit_roofline(rows, 0.01 + 20 * rows[:, 1])
    assert (model.constant_ms, model.ms_per_gmac, model.ms_per_mweight) == pytest.approx((0.01, 20, 0))
