"""The estimator of the light: gray scenes, what tells nothing, and what no camera gives."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas_isp.errors import InputError
from nas_isp.raw.light_estimator import (
    COMMON_SENSOR,
    GAIN_LIMIT,
    WEIGHTS_FILE,
    estimate_light,
    infer_light,
    read_weights,
)
from nas_isp.raw.light_statistics import Floats, light_statistics
from nas_isp.raw.sensor import Gains


def scene(light: Gains, height: int = 64, width: int = 64) -> Floats:
    """Pale surfaces of all kinds, gray on the whole, in a light."""
    rng = np.random.default_rng(1)
    level = rng.uniform(0.05, 0.8, (1, height, width))
    color = np.exp(rng.normal(0, 0.1, (3, height, width)))
    red, green, blue = level * color / np.array(light)[:, None, None]
    return np.stack((red, green, green, blue)).astype(np.float32)


def off_degrees(estimated: Gains, true: Gains) -> float:
    """Angle between gray, balanced, and gray."""
    balanced = np.divide(estimated, true)
    return float(np.degrees(np.arccos(min(balanced.sum() / (np.linalg.norm(balanced) * 3**0.5), 1.0))))


@pytest.mark.parametrize("light", [(2.0, 1.0, 1.6), (1.7, 1.0, 1.9), (2.4, 1.0, 1.3), (1.8, 1.0, 1.8), (1.4, 1.0, 1.3)])
def test_the_light_of_a_gray_scene_is_found(light: Gains) -> None:
    assert off_degrees(estimate_light(scene(light)), light) < 3.5
    assert off_degrees(estimate_light(scene(light), prior=light), light) < 1.5


@pytest.mark.parametrize("shift", [(1.3, 0.9), (0.6, 1.5)])
def test_another_sensor_with_its_own_prior_gives_the_same_light(shift: tuple[float, float]) -> None:
    """Gains that a sensor brings cancel against those of its prior."""
    factor = np.array([shift[0], 1, 1, shift[1]], np.float32)[:, None, None]
    one = estimate_light(scene((2.0, 1.0, 1.6)) * np.float32(0.5), COMMON_SENSOR)
    red, _, blue = COMMON_SENSOR
    other = estimate_light(scene((2.0, 1.0, 1.6)) * np.float32(0.5) * factor, (red / shift[0], 1.0, blue / shift[1]))
    assert np.allclose(np.multiply(other, (shift[0], 1, shift[1])), one, rtol=1e-3)


def test_saturated_cells_say_nothing() -> None:
    packed = scene((2.0, 1.0, 1.6), 128, 128)
    blown = packed.copy()
    blown[:, :16] = 1.0
    cut = estimate_light(np.ascontiguousarray(packed[:, 16:]))
    assert off_degrees(estimate_light(blown), cut) < 1.0
    lower = blown * np.float32(0.9)
    assert off_degrees(estimate_light(lower, saturation=0.9), estimate_light(blown)) < 0.01


def test_single_hot_cells_change_nothing() -> None:
    packed = scene((2.0, 1.0, 1.6), 512, 512)
    hot = packed.copy()
    hot[:, ::64, ::64] = 1.0
    assert off_degrees(estimate_light(hot), estimate_light(packed)) < 0.2


def test_patches_of_a_capture_tell_what_the_capture_tells() -> None:
    packed = scene((1.7, 1.0, 1.9), 128, 128)
    patches = packed.reshape(4, 2, 64, 2, 64).transpose(1, 3, 0, 2, 4).reshape(4, 4, 64, 64)
    assert off_degrees(estimate_light(np.ascontiguousarray(patches)), estimate_light(packed)) < 0.5


@pytest.mark.parametrize("value", [0.0, 1.0, 5.0, -1.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", [1, 3, 64])
def test_where_nothing_is_usable_the_prior_stands(value: float, side: int) -> None:
    packed = np.full((4, side, side), value, np.float32)
    assert infer_light(packed) is None
    assert estimate_light(packed) == COMMON_SENSOR
    assert estimate_light(packed, (1.5, 1.0, 2.0)) == (1.5, 1.0, 2.0)


def test_one_pixel_is_too_little() -> None:
    assert infer_light(np.full((4, 1, 1), 0.5, np.float32)) is None
    assert infer_light(np.full((4, 1, 3), 0.5, np.float32)) is None


def test_cells_that_are_not_finite_are_left_out() -> None:
    packed = scene((2.0, 1.0, 1.6), 128, 128)
    spoiled = packed.copy()
    spoiled[0, :8], spoiled[2, 8:16], spoiled[3, 16:24] = np.nan, np.inf, -np.inf
    assert off_degrees(estimate_light(spoiled), estimate_light(np.ascontiguousarray(packed[:, 24:]))) < 1.0


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.float32,
        st.tuples(st.just(4), st.integers(1, 9), st.integers(1, 9)),
        elements=st.floats(-2, 2, width=32) | st.sampled_from([np.nan, np.inf, -np.inf, 1e-30, 1e30]),
    )
)
def test_gains_are_finite_and_bounded_whatever_comes(packed: Floats) -> None:
    red, green, blue = estimate_light(packed)
    assert green == 1.0
    assert all(1 / GAIN_LIMIT <= gain <= GAIN_LIMIT for gain in (red, blue))


def test_a_light_far_off_the_scale_is_bounded() -> None:
    packed = scene((2.0, 1.0, 1.6)) * np.array([1e-3, 1, 1, 1e-3], np.float32)[:, None, None]
    assert max(estimate_light(packed, (7.9, 1.0, 7.9))) <= GAIN_LIMIT


def test_colors_shift_with_gains_and_shapes_do_not() -> None:
    packed, gains = scene((2.0, 1.0, 1.6)) * np.float32(0.4), (1.5, 1.0, 0.8)
    one, other = light_statistics(packed, 1.0, (1.0, 1.0, 1.0)), light_statistics(packed, 1.0, gains)
    assert one is not None
    assert other is not None
    assert np.allclose(other.colors - one.colors, np.log([1.5, 0.8]), atol=2e-3)
    assert np.allclose(np.delete(other.shapes - one.shapes, -2), 0, atol=2e-3)  # but the level


def test_the_shipped_weights_are_what_is_wanted_and_small() -> None:
    assert sum(array.size for array in read_weights(WEIGHTS_FILE).values()) < 5000
    assert WEIGHTS_FILE.stat().st_size < 32_000


@pytest.mark.parametrize("damage", ["missing", "text", "short", "shape", "nan"])
def test_damaged_weights_are_named(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    weights = read_weights(WEIGHTS_FILE)
    if damage == "text":
        path.write_text("no archive")
    elif damage == "short":
        path.write_bytes(WEIGHTS_FILE.read_bytes()[:2000])
    elif damage == "shape":
        np.savez(path, **(weights | {"bias1": np.zeros(3, np.float32)}))
    elif damage == "nan":
        np.savez(path, **(weights | {"bias1": np.full(32, np.nan, np.float32)}))
    with pytest.raises(InputError, match=r"w\.npz"):
        read_weights(path)
