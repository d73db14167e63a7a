"""RAW of one sensor becomes RAW of another: exact where it can be, never a color the file does not hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_isp.raw.adaptation import STRIP, ColorExchange, color_exchange, exchanged

FILE_GAINS, MODEL_GAINS = (2.0, 1.0, 1.5), (1.6, 1.0, 1.9)
FILE_MATRIX = np.array([[1.9, -0.8, -0.1], [-0.3, 1.7, -0.4], [0.1, -0.6, 1.5]], np.float32)
MODEL_MATRIX = np.array([[1.6, -0.4, -0.2], [-0.2, 1.5, -0.3], [0.0, -0.5, 1.5]], np.float32)
EXCHANGE = color_exchange(FILE_GAINS, MODEL_GAINS, FILE_MATRIX, MODEL_MATRIX)

level = st.floats(0.01, 0.3)


def flat(red: float, green: float, blue: float, size: tuple[int, int] = (6, 5)) -> np.ndarray:
    return np.broadcast_to(np.float32([red, green, green, blue])[:, None, None], (4, *size)).copy()


@settings(deadline=None)
@given(level, level, level)
def test_a_flat_color_comes_out_as_the_wanted_sensor_records_it(red: float, green: float, blue: float) -> None:
    linear = FILE_MATRIX @ (np.array([red, green, blue]) * FILE_GAINS)
    expected = np.linalg.inv(MODEL_MATRIX) @ linear / MODEL_GAINS
    result = exchanged(flat(red, green, blue), EXCHANGE)
    assert np.allclose(result, flat(*expected), atol=1e-5)


def test_the_same_sensor_in_the_same_light_gives_the_same_array() -> None:
    planes = np.random.default_rng(0).random((4, 8, 8), np.float32)
    assert exchanged(planes, color_exchange(FILE_GAINS, FILE_GAINS, FILE_MATRIX, FILE_MATRIX)) is planes


def test_gains_alone_are_exact_for_every_sample() -> None:
    planes = np.random.default_rng(0).random((4, 8, 8), np.float32) * 0.5
    result = exchanged(planes, color_exchange(FILE_GAINS, MODEL_GAINS))
    gains = np.float32([2.0 / 1.6, 1, 1, 1.5 / 1.9])[:, None, None]
    assert np.allclose(result, planes * gains, rtol=1e-6)


def test_gray_detail_down_to_single_samples_stays_gray_detail() -> None:
    gray = np.random.default_rng(1).uniform(0.05, 0.4, (1, 9, 9)).astype(np.float32)
    result = exchanged(gray / np.float32([2.0, 1, 1, 1.5])[:, None, None], EXCHANGE)
    steps = np.abs(np.diff(gray, axis=2)).mean()
    off = result * np.float32([1.6, 1, 1, 1.9])[:, None, None] - gray
    assert np.abs(off).mean() < 0.25 * steps
    smooth = np.broadcast_to(np.linspace(0.1, 0.4, 9, dtype=np.float32)[:, None], (1, 9, 9))
    result = exchanged(smooth / np.float32([2.0, 1, 1, 1.5])[:, None, None], color_exchange(FILE_GAINS, MODEL_GAINS))
    assert np.allclose(result * np.float32([1.6, 1, 1, 1.9])[:, None, None], smooth, atol=1e-6)


def test_noise_is_amplified_by_the_gains_and_hardly_by_the_matrices() -> None:
    noise = np.random.default_rng(2).normal(0, 0.01, (4, 64, 64)).astype(np.float32)
    result = exchanged(flat(0.1, 0.2, 0.15, (64, 64)) + noise, EXCHANGE).std(axis=(1, 2))
    by_gains = 0.01 * np.array([2.0 / 1.6, 1, 1, 1.5 / 1.9])
    assert (result / by_gains < 1.06).all()


def test_values_below_black_stay_below_black() -> None:
    assert exchanged(flat(-0.01, -0.01, -0.01), color_exchange(FILE_GAINS, MODEL_GAINS)).max() < 0


@pytest.mark.parametrize("saturation", [1.0, 0.936])
def test_a_saturated_cell_stays_saturated(saturation: float) -> None:
    assert np.allclose(exchanged(flat(saturation, saturation, saturation), EXCHANGE, saturation), saturation)


def test_a_highlight_that_fades_out_of_range_stays_neutral_and_monotonic() -> None:
    # Light rises until red, the channel with the largest gain, has saturated as the last one.
    light = np.linspace(0.5, 2.2, 60, dtype=np.float32)
    cells = np.minimum(light / np.float32([2.0, 1, 1, 1.5])[:, None], 1)
    result = np.stack(
        [exchanged(np.broadcast_to(cell[:, None, None], (4, 3, 3)).copy(), EXCHANGE)[:, 1, 1] for cell in cells.T]
    )
    assert (np.diff(result, axis=0) > -1e-6).all()
    assert np.allclose(result[-1], 1)
    balanced = result * np.float32([1.6, 1, 1, 1.9])
    clipped = np.minimum(balanced, 1)
    assert (clipped.max(axis=1) - clipped.min(axis=1)).max() < 0.03


def test_cutting_into_strips_changes_nothing() -> None:
    planes = np.random.default_rng(3).random((4, 2 * STRIP + 7, 12), np.float32) * 1.05
    whole = exchanged(planes, EXCHANGE)
    around = slice(STRIP - 20, STRIP + 20)
    assert np.array_equal(exchanged(planes[:, around], EXCHANGE)[:, 1:-1], whole[:, around][:, 1:-1])


def test_a_missing_matrix_or_one_without_inverse_leaves_the_gains() -> None:
    for theirs, ours in ((None, MODEL_MATRIX), (FILE_MATRIX, None), (FILE_MATRIX, np.ones((3, 3), np.float32))):
        assert np.array_equal(color_exchange(FILE_GAINS, MODEL_GAINS, theirs, ours).matrix, np.eye(3))


def test_only_the_ratios_of_gains_count() -> None:
    doubled = color_exchange((4.0, 2.0, 3.0), MODEL_GAINS)
    assert isinstance(doubled, ColorExchange)
    assert doubled.from_gains == FILE_GAINS
