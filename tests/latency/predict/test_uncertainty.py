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
