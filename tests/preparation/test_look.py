"""A look runs both ways, keeps neutral neutral, and makes what is saturated white in any light."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nas_isp.preparation.look import GRID, KNOTS, Look, luma, rising, usual_tone

IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
CAMERA = ((1.6, -0.5, -0.1), (-0.2, 1.5, -0.3), (0.0, -0.4, 1.4))
PLAIN = Look(color_matrix=IDENTITY, exposure=1.0, tone=tuple(GRID.tolist()))
USUAL = Look(color_matrix=CAMERA, exposure=1.25, tone=usual_tone(), saturation=1.1)


def _column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def test_without_any_change_it_is_the_srgb_curve() -> None:
    # IEC 61966-2-1: 0.214041 is mid gray, 0.0031308 the end of the straight part.
    assert PLAIN.picture(_column(0.214041, 0.0031308, 1.0))[:, 0].tolist() == pytest.approx(
        [0.5, 0.04045, 1.0], abs=1e-4
    )


def test_exposure_is_a_factor_on_linear_light() -> None:
    twice = PLAIN.model_copy(update={"exposure": 2.0})
    np.testing.assert_allclose(twice.picture(_column(0.1, 0.2, 0.3)), PLAIN.picture(_column(0.2, 0.4, 0.6)), atol=1e-6)


@given(st.lists(st.floats(0.05, 0.95), min_size=3, max_size=3))
def test_a_scene_gives_the_picture_that_it_was_made_of(colors: list[float]) -> None:
    soft = USUAL.model_copy(update={"color_matrix": IDENTITY, "saturation": 1.0})
    picture = _column(*colors)
    assert np.abs(soft.picture(soft.scene(picture)) - picture).max() < 2e-3


@given(st.floats(0, 3))
def test_neutral_stays_neutral(level: float) -> None:
    picture = USUAL.picture(_column(level, level, level))[:, 0]
    assert np.ptp(picture) < 1e-3


def test_what_saturates_is_white() -> None:
    assert USUAL.picture(_column(2.1, 1.0, 1.7))[:, 0].tolist() == pytest.approx([1, 1, 1], abs=1e-3)


def test_saturation_moves_colors_away_from_their_luma() -> None:
    vivid = PLAIN.model_copy(update={"saturation": 1.5})
    plain, more = PLAIN.picture(_column(0.2, 0.25, 0.3)), vivid.picture(_column(0.2, 0.25, 0.3))
    assert luma(more) == pytest.approx(luma(plain), abs=1e-5)
    assert np.ptp(more) == pytest.approx(1.5 * np.ptp(plain), rel=1e-3)


def test_the_usual_curve_is_an_s_around_the_middle() -> None:
    tone = np.array(usual_tone())
    assert len(tone) == KNOTS
    assert tone[KNOTS // 2] == pytest.approx(0.5, abs=5e-3)
    assert tone[8] < GRID[8]
    assert tone[-9] > GRID[-9]
    assert usual_tone(0.0) == pytest.approx(GRID.tolist(), abs=1e-5)


def test_a_curve_is_made_to_rise_from_0_to_1() -> None:
    tone = np.array(rising(np.linspace(0.4, 0.3, KNOTS)))
    assert (tone[0], tone[-1]) == (0, 1)
    assert (np.diff(tone) > 0).all()
    with pytest.raises(ValidationError, match="rise from 0 to 1"):
        Look(color_matrix=IDENTITY, tone=(0.0,) * KNOTS)
