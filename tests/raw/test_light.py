"""A choice of light is read from words or gains, and a capture's light comes from where the choice says."""

import numpy as np
import pytest

from nas_isp.errors import InputError
from nas_isp.raw.image import RawImage
from nas_isp.raw.light import Light, LightChoice, light_of, parse_light
from nas_isp.raw.light_estimator import COMMON_SENSOR, estimate_light
from nas_isp.raw.sensor import Gains

FILE: Gains = (2.2, 1.0, 1.4)
SET: Gains = (1.9, 1.0, 1.7)
GRAY = np.random.default_rng(0).uniform(0.1, 0.8, (1, 32, 32)).astype(np.float32)
PACKED = np.ascontiguousarray(GRAY / np.array([1.8, 1, 1, 1.6], np.float32)[:, None, None])
BLACK = np.zeros((4, 32, 32), np.float32)


def capture(gains: Gains | None) -> RawImage:
    mosaic = np.zeros((64, 64), np.uint16)
    levels = {"cfa": "RGGB", "black": (0.0,) * 4, "white": 1023.0}
    return RawImage(mosaic=mosaic, **levels, white_balance=gains, source="a.png")


@pytest.mark.parametrize("word", ["as-shot", "estimated", "fixed", " Fixed "])
def test_words_are_choices(word: str) -> None:
    assert parse_light(word) == LightChoice(word.strip().lower())  # type: ignore[arg-type]


def test_gains_are_a_choice_with_green_one() -> None:
    assert parse_light("4, 2,3").given == (2.0, 1.0, 1.5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "daylight",
        "2,1",
        "2,1,1,1",
        "2,0,1",
        "nan,1,1",
        "inf,1,1",
        "-2,1,1",
        "1e9,1,1",
        "1,1e-320,1",
        "2;1;1",
        "x" * 999,
    ],
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InputError, match="as-shot, estimated, fixed, or three gains R,G,B") as raised:
        parse_light(text)
    assert raised.value.parameters == ("light",)
    assert len(str(raised.value)) < 250


def test_as_shot_is_the_files_else_the_pictures_else_the_sets() -> None:
    choice = parse_light("as-shot")
    assert light_of(capture(FILE), PACKED, choice, SET) == Light(FILE, "as-shot")
    assert light_of(capture(None), PACKED, choice, SET) == Light(estimate_light(PACKED, SET), "estimated")
    assert light_of(capture(None), BLACK, choice, SET) == Light(SET, "fixed: the set's")
    assert light_of(capture(None), BLACK, choice, None) == Light(COMMON_SENSOR, "fixed: a common sensor's")


def test_estimated_looks_past_the_file() -> None:
    assert light_of(capture(FILE), PACKED, parse_light("estimated"), None) == Light(estimate_light(PACKED), "estimated")


def test_fixed_is_the_sets_and_needs_one() -> None:
    assert light_of(capture(FILE), PACKED, parse_light("fixed"), SET) == Light(SET, "fixed: the set's")
    with pytest.raises(InputError, match="no light of a set"):
        light_of(capture(FILE), PACKED, parse_light("fixed"), None)


def test_given_gains_count_more_than_all_else() -> None:
    assert light_of(capture(FILE), PACKED, parse_light("3,1,2"), SET) == Light((3.0, 1.0, 2.0), "given")
