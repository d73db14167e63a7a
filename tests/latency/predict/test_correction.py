import pytest

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.correction import MEMORY_TERMS, Correction, Extras, fit_correction
from nas_isp.latency.predict.predictor import Predictor
from tests.latency.predict.test_additions import conv, pairs, table_of

SUMS, COUNTS = [1.0, 5.0, 20.0, 3.0, 9.0, 14.0, 2.0, 7.0], [10, 20, 60, 50, 5, 30, 44, 12]
EXTRAS = [
    Extras(mweights=weights, stored_mvalues=stored, copied_mvalues=copied, added_mvalues=added)
    for weights, stored, copied, added in (
        *((1, 2, 0, 1), (4, 1, 3, 0), (2, 9, 1, 5), (7, 3, 0, 2)),
        *((1, 8, 5, 0), (3, 2, 2, 6), (0, 4, 7, 3), (6, 6, 1, 1)),
    )
]
RATES = (0.1, 0.2, 0.3, 0.4)


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


def test_what_goes_through_memory_is_told_apart() -> None:
    measured = [
        1.1 * total
        + 0.02 * count
        + 0.9
        + sum(rate * getattr(extra, name) for rate, name in zip(RATES, MEMORY_TERMS, strict=True))
        for total, count, extra in zip(SUMS, COUNTS, EXTRAS, strict=True)
    ]
    found = fit_correction(SUMS, COUNTS, measured, EXTRAS, terms=MEMORY_TERMS)
    rates = [found.ms_per_mweight, found.ms_per_stored_mvalue, found.ms_per_copied_mvalue, found.ms_per_added_mvalue]
    assert rates == pytest.approx(RATES, abs=1e-4)
    assert (found.scale, found.ms_per_kernel, found.constant_ms) == pytest.approx((1.1, 0.02, 0.9), abs=1e-4)
    applied = [found.apply(*network) for network in zip(SUMS, COUNTS, EXTRAS, strict=True)]
    assert applied == pytest.approx(measured, rel=1e-4)


def test_terms_are_shrunk_and_the_three_numbers_are_not() -> None:
    """Two networks of each size, one of them with 1e6 weights, which cost 0.5 ms."""
    sums, amounts = [1.0, 1.0, 2.0, 2.0], [Extras(mweights=amount) for amount in (0.0, 1.0, 0.0, 1.0)]
    times = [sum_ms + 0.5 * extra.mweights for sum_ms, extra in zip(sums, amounts, strict=True)]
    fitted = [
        fit_correction(sums, [0] * 4, times, amounts, terms=("mweights",), shrinkage=shrinkage).ms_per_mweight
        for shrinkage in (0.0, 0.1, 1.0, 1e6)
    ]
    assert fitted[0] == pytest.approx(0.5, abs=1e-5)
    assert sorted(fitted, reverse=True) == fitted
    assert fitted[-1] == pytest.approx(0, abs=1e-5)


def test_a_weight_of_two_is_the_network_twice() -> None:
    measured = [1.2, 6.0, 19.0, 5.0, 12.0, 15.0, 4.0, 9.0]
    doubled = fit_correction([*SUMS, SUMS[0]], [*COUNTS, COUNTS[0]], [*measured, measured[0]])
    weighted = fit_correction(SUMS, COUNTS, measured, weights=[2.0, *[1] * 7])
    for name in ("scale", "ms_per_kernel", "constant_ms"):
        assert getattr(weighted, name) == pytest.approx(getattr(doubled, name), abs=1e-6)


def test_branches_that_meet_in_a_concatenation_cost_its_copy() -> None:
    """Two convolutions to 32 channels on 20x20 pixels, joined: 2 * 20 * 20 * 64 values move, 0.5 ms per 1e6."""
    joined = Kernel.model_validate({"op": "concat", "in_channels": 32, "out_channels": 64, "height": 20, "width": 20})
    timed = [*pairs((8, 14, 20, 28, 56)), (joined, 0.04)]
    correction = Correction(scale=1.0, ms_per_copied_mvalue=0.5, networks=9)
    predictor = Predictor(table_of(timed).model_copy(update={"correction": correction}))
    branches = [conv(20), conv(20, activation="none")]
    apart, together = predictor.predict(branches), predictor.predict([*branches, joined])
    assert predictor.extras(apart.kernels).copied_mvalues == 0
    assert predictor.extras(together.kernels).copied_mvalues == pytest.approx(2 * 20 * 20 * 64e-6)
    assert together.latency_ms - apart.latency_ms == pytest.approx(0.04 + 0.5 * 2 * 20 * 20 * 64e-6)


def test_what_kernels_write_and_their_weights_are_counted_by_hand() -> None:
    predictor = Predictor(table_of(pairs((8, 14, 20, 28, 56))))
    extras = predictor.extras(predictor.predict([conv(20), conv(28, activation="add_relu")]).kernels)
    assert extras.stored_mvalues == pytest.approx((20 * 20 + 28 * 28) * 32e-6)
    assert extras.added_mvalues == pytest.approx(28 * 28 * 32e-6)
    assert extras.mweights == pytest.approx(2 * 9 * 32 * 32e-6)


def test_a_tensor_that_was_written_long_before_costs_more_within_a_network() -> None:
    correction = Correction(scale=1.0, ms_per_added_mvalue=0.5, networks=9)
    predictor = Predictor(table_of(pairs((8, 14, 20, 28, 56))).model_copy(update={"correction": correction}))
    plain, adding = (predictor.predict([conv(28, activation=steps)]) for steps in ("relu", "add_relu"))
    kernel_ms = adding.kernels_ms - plain.kernels_ms
    assert kernel_ms == pytest.approx(0.05 * 28 * 28 * 32e-6)
    assert adding.latency_ms - plain.latency_ms == pytest.approx(kernel_ms + 0.5 * 28 * 28 * 32e-6)
