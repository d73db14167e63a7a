"""A network is given a capture in neutral light, exposed by how bright it is; hand-computed."""

import math

import numpy as np
import pytest

from nas_isp.raw.image import RawImage
from nas_isp.raw.light import parse_light
from nas_isp.raw.network_input import (
    MOST_EXPOSURE,
    NetworkInput,
    balanced,
    factors_in_light,
    input_of,
    log_brightness,
)
from nas_isp.raw.packing import pack

GRAY = np.full((4, 24, 24), 0.25, np.float32)
BALANCED = NetworkInput(kind="balanced", white_balance=(2.0, 1.0, 1.5))


def _raw(white_balance: tuple[float, float, float] | None) -> RawImage:
    mosaic = np.full((64, 64), 320, np.uint16)
    return RawImage(
        mosaic=mosaic, cfa="RGGB", black=(64.0,) * 4, white=1088.0, white_balance=white_balance, source="a.png"
    )


def test_sensor_input_stays_as_it_is() -> None:
    packed = GRAY.copy()
    assert balanced(packed, factors_in_light(packed, NetworkInput(), (2.0, 1.0, 1.5))) is packed
    assert NetworkInput().factors(GRAY, (2.0, 1.0, 1.5)).tolist() == [1, 1, 1]


def test_balanced_planes_are_multiplied_by_the_gains_of_their_colors() -> None:
    planes = balanced(GRAY, factors_in_light(GRAY, BALANCED, (2.0, 1.0, 1.5)))
    assert planes[:, 0, 0].tolist() == [0.5, 0.25, 0.25, 0.375]


def test_brightness_is_that_of_the_balanced_encoded_picture_cut_at_white() -> None:
    dark = np.array([0.1, 0.2, 0.2, 0.4], np.float32).reshape(4, 1, 1)
    encoded = 1.055 * 0.2 ** (1 / 2.4) - 0.055
    assert log_brightness(dark, (2.0, 1.0, 0.5)) == pytest.approx(math.log(encoded), abs=1e-5)
    assert log_brightness(np.full((4, 2, 2), 3.0, np.float32), (2.0, 1.0, 2.0)) == pytest.approx(0, abs=1e-6)


def test_a_brighter_capture_is_exposed_down_by_a_negative_slope() -> None:
    usual = log_brightness(GRAY, (1.0, 1.0, 1.0))
    metered = BALANCED.model_copy(update={"slope": -0.5, "brightness": usual - 1.0})
    assert metered.factors(GRAY, (1.0, 1.0, 1.0)).tolist() == pytest.approx([math.exp(-0.5)] * 3)


def test_exposure_stays_within_its_limits_even_of_a_black_capture() -> None:
    metered = BALANCED.model_copy(update={"slope": -2.0, "brightness": 0.0})
    black = metered.factors(np.zeros_like(GRAY), (1.0, 1.0, 1.0))
    assert black.tolist() == pytest.approx([MOST_EXPOSURE] * 3)


def test_gains_are_the_files_or_those_asked_for() -> None:
    raw = _raw((3.0, 1.5, 1.5))
    assert input_of(raw, pack(raw), BALANCED)[:, 0, 0].tolist() == pytest.approx([0.5, 0.25, 0.25, 0.25])
    given = input_of(raw, pack(raw), BALANCED, parse_light("4,1,1"))
    assert given[:, 0, 0].tolist() == pytest.approx([1.0, 0.25, 0.25, 0.25])
    fixed = input_of(raw, pack(raw), BALANCED, parse_light("fixed"))
    assert fixed[:, 0, 0].tolist() == pytest.approx([0.5, 0.25, 0.25, 0.375])
