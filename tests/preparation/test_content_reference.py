"""Content references are rendered in the light of their own capture, as far as it can be told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from nas_isp.data.patches import RawPatches, cut_raw_patches
from nas_isp.preparation.content_reference import (
    classical_pictures,
    common_white_balance,
    rendering_of,
    white_balance_of_patches,
)
from nas_isp.raw.light_estimator import COMMON_SENSOR
from nas_isp.raw.sensor import SensorDescription

Floats = NDArray[np.float32]

SIDE = 32
GAINS = {"balanced": (1.0, 1.0, 1.0), "raw": (4.0, 1.0, 2.0)}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> RawPatches:
    """Two captures of one gray ramp; one of them was balanced before it was saved."""
    root = tmp_path_factory.mktemp("lights")
    sensor = SensorDescription(name="test", cfa="RGGB", bits=10, black=0, white=1000)
    (root / "sensor.json").write_text(sensor.model_dump_json())
    for name, (red, _, blue) in GAINS.items():
        mosaic = np.tile(np.linspace(200, 800, 4 * SIDE), (4 * SIDE, 1))
        mosaic[0::2, 0::2] /= red
        mosaic[1::2, 1::2] /= blue
        Image.fromarray(np.rint(mosaic).astype(np.uint16)).save(root / f"{name}.png")
    return cut_raw_patches(root, root / "cache", SIDE)


def _of(raw: RawPatches, name: str, gains: Floats) -> list[float]:
    return np.unique(gains[[stem == name for stem in raw.stems]], axis=0).tolist()[0]


def test_a_capture_without_gains_has_its_estimated_light(raw: RawPatches) -> None:
    common = common_white_balance(raw)
    assert common == pytest.approx((2.0, 1.0, 2**0.5), rel=0.2)
    gains = white_balance_of_patches(raw, common)
    balanced, unbalanced = (_of(raw, name, gains) for name in GAINS)
    assert balanced == pytest.approx(GAINS["balanced"], rel=0.35)
    assert unbalanced[0] > 1.7 * balanced[0]


def test_the_common_light_of_an_unusual_sensor_is_found(raw: RawPatches) -> None:
    """All captures are of gains 4, 1, 2, far from a common sensor's."""
    of_raw = np.array([stem == "raw" for stem in raw.stems])
    unusual = replace(raw, packed=raw.packed[of_raw], stems=["raw"] * int(of_raw.sum()))
    for name in ("black", "white", "white_balance", "color_matrix", "noise"):
        unusual = replace(unusual, **{name: getattr(raw, name)[of_raw]})
    assert common_white_balance(unusual) == pytest.approx((4.0, 1.0, 2.0), rel=0.15)


def test_where_captures_tell_nothing_the_common_light_is_taken(raw: RawPatches) -> None:
    dark = replace(raw, packed=np.zeros_like(raw.packed))
    assert common_white_balance(dark) == COMMON_SENSOR
    gains = white_balance_of_patches(dark, (1.7, 1.0, 1.4))
    assert np.unique(gains, axis=0).tolist() == [pytest.approx([1.7, 1.0, 1.4])]


def test_captures_that_say_their_light_speak_for_those_that_do_not(raw: RawPatches) -> None:
    said = np.where([[stem == "raw"] for stem in raw.stems], np.array([[4.0, 1.0, 2.0]], np.float32), np.nan)
    assert common_white_balance(replace(raw, white_balance=said.astype(np.float32))) == pytest.approx((4.0, 1.0, 2.0))


def test_as_shot_gains_are_taken_as_they_are(raw: RawPatches) -> None:
    as_shot = np.tile(np.array([1.7, 1.0, 1.4], np.float32), (len(raw), 1))
    gains = white_balance_of_patches(replace(raw, white_balance=as_shot), (1.0, 1.0, 1.0))
    np.testing.assert_allclose(gains, as_shot)


def test_every_patch_is_rendered_with_its_own_gains(raw: RawPatches) -> None:
    gains = np.array([GAINS[Path(stem).name] for stem in raw.stems], np.float32)
    pictures = np.zeros((len(raw), 3, *(2 * side for side in raw.packed.shape[2:])), np.uint8)
    classical_pictures(raw, rendering_of((1.0, 1.0, 1.0), None), gains, 1.0, pictures)
    assert np.ptp(pictures.astype(int), axis=1).max() <= 6
