import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_isp.latency.predict.uncertainty import Uncertainty, calibrate


def test_half_width_adds_what_is_not_measured() -> None:
    uncertainty = Uncertainty(measured=0.04, interpolated=0.1, extrapolated=0.4)
    assert uncertainty.half_width(0, 0) == 0.04
    assert uncertainty.half_width(0.5, 0) == pytest.approx(0.09)
    assert uncertainty.half_width(0.25, 0.75) == pytest.approx(0.04 + 0.025 + 0.3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_at_least_nine_of_ten_calibrated_errors_lie_within(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.uniform(0, 1, 60)
    errors = rng.normal(0, 0.02 + 0.05 * shares)
    found = calibrate(errors.tolist(), shares.tolist(), [0.1, 0.2])
    widths = [found.half_width(share, 0) for share in shares]
    assert (np.abs(errors) <= np.array(widths) + 1e-4).mean() >= 0.9


def test_errors_that_grow_with_the_share_make_a_slope() -> None:
    shares = np.linspace(0, 1, 50)
    found = calibrate((0.02 + 0.1 * shares).tolist(), shares.tolist(), [0.5] * 20)
    assert found.interpolated == pytest.approx(0.1, abs=0.02)
    assert found.measured == pytest.approx(0.02, abs=0.02)
    assert found.extrapolated == 0.5


def test_an_extrapolation_is_never_surer_than_an_interpolation() -> None:
    found = calibrate([0.1, 0.2, 0.3], [0.5, 0.9, 1.0], [0.0])
    assert found.extrapolated >= found.interpolated


def test_a_large_family_counts_once() -> None:
    """20 networks that are right say no more than one: of 20 families, the worst but one decides."""
    alone = [0.01 * index for index in range(1, 20)]
    errors, groups = [*[0.0] * 20, *alone], [*["resnet"] * 20, *[f"family {index}" for index in range(19)]]
    by_family = calibrate(errors, [0.0] * len(errors), [0.5] * 20, groups)
    assert by_family.measured == pytest.approx(0.18)
    assert calibrate(errors, [0.0] * len(errors), [0.5] * 20).measured == pytest.approx(0.16)


def test_few_families_give_the_widest_interval_that_they_show() -> None:
    """A sixth of them lies within the largest error in 5 of 6 cases, which is all that five can say."""
    found = calibrate([0.01, 0.02, 0.03, 0.04, 0.2], [0.0] * 5, [0.5], list("abcde"))
    assert found.measured == pytest.approx(0.2)


def test_nine_of_ten_further_families_lie_within() -> None:
    """Families that err together: intervals of 40 of them, asked about 400 others, 200 times over."""
    rng = np.random.default_rng(0)

    def families(count: int) -> tuple[list[float], list[str], list[float]]:
        centers, sizes = rng.normal(0, 0.05, count), rng.integers(1, 9, count)
        errors = np.repeat(centers, sizes) + rng.normal(0, 0.005, sizes.sum())
        return errors.tolist(), [str(index) for index in np.repeat(np.arange(count), sizes)], (1 / sizes).tolist()

    held = []
    for _ in range(200):
        errors, groups, _ = families(40)
        width = calibrate(errors, [0.0] * len(errors), [0.5], groups).half_width(0, 0)
        further, names, weights = families(400)
        held.append(np.average(np.abs(further) <= width, weights=[weights[int(name)] for name in names]))
    assert 0.89 < np.mean(held) < 0.94
