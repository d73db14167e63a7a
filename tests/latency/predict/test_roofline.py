import numpy as np
import pytest

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.correction import Correction, fit_correction
from nas_isp.latency.predict.roofline import (
    MEMORY_BOUND,
    fit_models,
    fit_roofline,
    kind_of,
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


def test_correction_recovers_scale_launch_and_constant() -> None:
    sums, counts = [1.0, 5.0, 20.0, 3.0, 9.0], [10, 20, 60, 50, 5]
    measured = [1.1 * total + 0.02 * count + 0.9 for total, count in zip(sums, counts, strict=True)]
    found = fit_correction(sums, counts, measured)
    assert (found.scale, found.ms_per_kernel, found.constant_ms) == pytest.approx((1.1, 0.02, 0.9), abs=1e-5)
    assert found.fitted
    assert found.networks == 5
    assert found.apply(2.0, 30) == pytest.approx(2.2 + 0.6 + 0.9, abs=1e-4)


def test_no_correction_changes_nothing_and_says_that_it_is_not_fitted() -> None:
    assert Correction().apply(3.5, 12) == 3.5
    assert not Correction().fitted


def test_one_network_gives_a_scale_and_no_constant() -> None:
    found = fit_correction([2.0], [4], [3.0])
    assert found.apply(2.0, 4) == pytest.approx(3.0, rel=1e-5)
    assert found.scale > 0
