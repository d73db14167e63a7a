"""A picture of another sensor gets the colors of the model's, and the user is told what was done."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas_isp.develop.pipeline import develop
from nas_isp.develop.sensor_match import is_same_sensor, match_sensor
from nas_isp.export.check_set import synthetic_scene
from nas_isp.generators.bundle import load_bundle
from nas_isp.raw.capture import Capture
from nas_isp.raw.classical import render
from nas_isp.raw.image import RawImage
from nas_isp.raw.light import parse_light
from nas_isp.raw.network_input import NetworkInput, of_planes
from nas_isp.raw.packing import pack
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription
from nas_isp.raw.synthesis import Matrix, SyntheticCamera, synthesize_raw
from nas_isp.runtimes.base import Floats, Runner, Sums

FIRST_CROSSTALK = ((0.66, 0.30, 0.04), (0.16, 0.68, 0.16), (0.03, 0.39, 0.58))
SECOND_CROSSTALK = ((0.85, 0.10, 0.05), (0.05, 0.80, 0.15), (0.00, 0.12, 0.88))


def camera(name: str, crosstalk: Matrix, red: float, blue: float) -> SyntheticCamera:
    """A camera that leaves nothing to chance and adds next to no noise."""
    return SyntheticCamera(
        name=name,
        bits=14,
        black=512,
        white=16383,
        warm_crosstalk=crosstalk,
        cool_crosstalk=crosstalk,
        red_gain=(red, red),
        blue_gain=(blue, blue),
        tone_strength=(0.5, 0.5),
        exposure=(0.8, 0.8),
        vignetting=(0, 0),
        blur_px=(0.7, 0.7),
        shot_noise=(1e-6, 1e-6),
        read_noise=(1e-8, 1e-8),
    )


FIRST, SECOND = camera("first", FIRST_CROSSTALK, 2.3, 1.4), camera("second", SECOND_CROSSTALK, 1.5, 2.1)


def taken_by(device: SyntheticCamera, scene: Floats) -> RawImage:
    return replace(synthesize_raw(scene, np.random.default_rng(0), device), capture=Capture(model=device.name))


def sensor_of(raw: RawImage, **changes: object) -> SensorDescription:
    matrix = None if raw.color_matrix is None else raw.color_matrix.tolist()
    facts = {"white_balance": raw.white_balance, "color_matrix": matrix, "name": raw.capture.camera}
    return SensorDescription.model_validate(
        {"cfa": raw.cfa, "bits": 14, "black": raw.black, "white": raw.white, **facts, **changes}
    )


class MadeFor(Runner):
    """The best network for one sensor in one light: it does what a classical rendering does with fixed numbers."""

    def __init__(self, sensor: SensorDescription) -> None:
        super().__init__(f"made for {sensor.name}", None, halo=4, step=1)
        self.sensor = sensor

    def run(self, packed: Floats, pooled: Floats | None = None, factors: Floats | None = None) -> Floats:
        assert self.sensor is not None
        gains, matrix = torch.tensor(self.sensor.white_balance), torch.tensor(self.sensor.color_matrix)
        seen = packed if factors is None else packed * of_planes(factors)
        rgb: Floats = render(torch.from_numpy(seen)[None], gains, matrix)[0].numpy()
        return rgb

    def feature_sums(self, packed: Floats, factors: Floats | None = None) -> Sums:
        raise AssertionError("has no head")

    def prepared(self, packed: Floats) -> object:
        raise AssertionError("is not timed")


@pytest.fixture(scope="module")
def scene() -> Floats:
    return synthetic_scene(240, 320, np.random.default_rng(5))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))


def test_one_scene_through_two_cameras_looks_the_same_once_adapted(scene: Floats) -> None:
    own, foreign = taken_by(FIRST, scene), taken_by(SECOND, scene)
    runner = MadeFor(sensor_of(own))
    wanted = develop(runner, own)
    assert psnr(develop(runner, foreign, adapt=False), wanted) < 20
    gains_only = develop(runner, replace(foreign, color_matrix=None))
    assert psnr(gains_only, wanted) < 28
    assert psnr(develop(runner, foreign), wanted) > 35


def test_the_models_own_sensor_is_left_alone_in_any_light(scene: Floats) -> None:
    own = taken_by(FIRST, scene)
    runner, notes = MadeFor(sensor_of(own)), []
    in_other_light = replace(own, white_balance=(1.2, 1.0, 2.8))
    assert np.array_equal(
        develop(runner, in_other_light, note=notes.append), develop(runner, in_other_light, adapt=False)
    )
    assert notes == []


@pytest.mark.parametrize(
    ("file", "model", "same"),
    [
        ({"model": "PowerShot S40", "make": "Canon"}, {"name": "canon powershot-s40"}, True),
        ({"model": "Canon S40", "make": "Canon"}, {"name": "Canon S45"}, False),
        ({}, {"name": "unnamed"}, True),
        ({}, {"name": "unnamed", "color_matrix": SECOND_CROSSTALK}, False),
        ({"model": "X"}, {"name": "unnamed", "color_matrix": None}, True),
        ({}, {"name": "X", "color_matrix": None, "white": 1023, "black": 64}, False),
    ],
)
def test_sensors_are_told_apart_by_name_then_matrix_then_levels(
    scene: Floats, file: dict[str, str], model: dict[str, object], same: bool
) -> None:
    raw = replace(taken_by(FIRST, scene), capture=Capture(**file))
    assert is_same_sensor(raw, sensor_of(raw, **model)) is same


@pytest.mark.parametrize(
    ("change", "capture", "same"),
    [
        ({}, {}, True),
        ({}, {"unique_model": "Phone back 2"}, False),
        ({}, {"calibration": (0.7,) * 9}, False),
        ({"color_matrix": np.eye(3, dtype=np.float32)}, {}, True),
        ({"color_matrix": np.eye(3, dtype=np.float32)}, {"calibration": ()}, False),
        ({"white": 4095.0}, {}, False),
        ({"black": (1024.0,) * 4}, {}, False),
        ({"black": (520.0,) * 4}, {}, True),
        ({}, {"make": "Other", "model": "name"}, True),
    ],
)
def test_another_unique_model_matrix_or_level_is_another_sensor_whatever_the_name(
    scene: Floats, change: dict[str, Any], capture: dict[str, Any], same: bool
) -> None:
    """Of DNG files the written matrices count: that of a capture depends on its light."""
    facts: dict[str, Any] = {"make": "Maker", "model": "Phone", "unique_model": "Phone", "calibration": (1.0,) * 9}
    raw = replace(taken_by(FIRST, scene), capture=Capture(**facts))
    sensor = sensor_of(raw, unique_model="Phone", calibration=(1.0,) * 9)
    other = replace(raw, **change, capture=replace(raw.capture, **capture))
    assert is_same_sensor(other, sensor) is same


def test_two_files_that_differ_in_nothing_but_names_are_developed_alike(shared_data: Path) -> None:
    folder = shared_data / "cases/04_one_phone_several_sensors"
    sensor = load_bundle(folder / "mixed_m.safetensors").record.sensor
    same_name, other_name = (read_raw(folder / f"ultrawide_{name}_name.dng") for name in ("same", "other"))
    for raw in (same_name, other_name):
        assert match_sensor(raw, pack(raw), sensor).exchange is not None


def test_the_note_says_what_was_known(scene: Floats) -> None:
    raw = replace(taken_by(SECOND, scene), source="b.dng")
    sensor = sensor_of(taken_by(FIRST, scene))

    def note_of(**changes: object) -> str:
        given = {name: changes.pop(name) for name in ("white_balance", "color_matrix") if name in changes}
        changed = replace(raw, **given)  # type: ignore[arg-type]
        return match_sensor(changed, pack(raw), sensor.model_copy(update=changes)).note

    full = note_of()
    assert full.startswith("b.dng: from second, the model is for first; brought there by its white balance and the")
    assert full.endswith("turn adapt off to leave it")
    assert "alone (the file without a color matrix)" in note_of(color_matrix=None)
    assert "an estimated white balance" in note_of(white_balance=None)
    old = match_sensor(raw, pack(raw), sensor.model_copy(update={"white_balance": None}))
    assert old.exchange is None
    assert "does not say its colors" in old.note


def test_a_light_that_no_file_tells_is_estimated_from_the_picture(scene: Floats) -> None:
    own, foreign = taken_by(FIRST, scene), replace(taken_by(SECOND, scene), white_balance=None)
    runner = MadeFor(sensor_of(own))
    wanted = develop(runner, own)
    assert psnr(develop(runner, foreign), wanted) > psnr(develop(runner, foreign, adapt=False), wanted) + 3


class Balanced(MadeFor):
    """The same of RAW in neutral light."""

    network_input = NetworkInput(kind="balanced", white_balance=(2.0, 1.0, 1.5))

    def __init__(self, own: RawImage) -> None:
        super().__init__(sensor_of(own, white_balance=(1.0, 1.0, 1.0)))


def test_a_model_of_balanced_raw_gives_one_picture_in_every_light(scene: Floats) -> None:
    own, bluish = taken_by(FIRST, scene), taken_by(camera("first", FIRST_CROSSTALK, 1.9, 1.8), scene)
    runner = Balanced(own)
    assert psnr(develop(runner, bluish), develop(runner, own)) > 35


def test_a_model_of_balanced_raw_gives_one_picture_of_every_sensor(scene: Floats) -> None:
    own, foreign = taken_by(FIRST, scene), taken_by(SECOND, scene)
    runner = Balanced(own)
    wanted = develop(runner, own)
    assert psnr(develop(runner, foreign), wanted) > psnr(develop(runner, foreign, adapt=False), wanted) + 3


def test_the_light_of_another_sensor_is_estimated_without_the_models_captures(scene: Floats) -> None:
    foreign = replace(taken_by(SECOND, scene), white_balance=None)
    packed, sensor = pack(foreign), sensor_of(taken_by(FIRST, scene))
    one, other = (
        match_sensor(foreign, packed, sensor, NetworkInput(kind="balanced", white_balance=gains)).white_balance
        for gains in ((1.0, 1.0, 4.0), (4.0, 1.0, 1.0))
    )
    assert one == other


def test_the_light_that_is_asked_for_is_taken(scene: Floats) -> None:
    own = taken_by(FIRST, scene)
    red, _, blue = own.white_balance or (1.0, 1.0, 1.0)
    warm = develop(Balanced(own), own, light=parse_light(f"{2 * red},1,{blue}"))
    assert warm[..., 0].mean() > develop(Balanced(own), own)[..., 0].mean() + 10


def test_a_model_that_does_not_say_its_neutral_light_is_asked(scene: Floats) -> None:
    own, foreign = taken_by(FIRST, scene), taken_by(SECOND, scene)
    saying = MadeFor(sensor_of(own))
    silent = MadeFor(sensor_of(own))
    silent.sensor = saying.sensor.model_copy(update={"white_balance": None})
    silent.run = saying.run  # type: ignore[method-assign]
    assert np.abs(develop(silent, foreign).astype(int) - develop(saying, foreign)).max() <= 2


@pytest.mark.parametrize("light", [(1.0, 1.0, 1.0), (6.0, 1.0, 6.0), (1.8, 1.0, 1.7)])
def test_the_neutral_light_of_a_model_is_the_same_for_every_picture(
    scene: Floats, light: tuple[float, float, float]
) -> None:
    own, foreign = taken_by(FIRST, scene), replace(taken_by(SECOND, scene), white_balance=light)
    runner = MadeFor(sensor_of(own))
    match = match_sensor(foreign, pack(foreign), sensor_of(own, white_balance=None), render=runner.run)
    assert match.exchange is not None
    assert np.allclose(match.exchange.to_gains, own.white_balance, rtol=0.01)


def test_a_model_that_names_a_format_in_place_of_a_camera_is_known_by_its_matrix(scene: Floats) -> None:
    raw = replace(taken_by(FIRST, scene), capture=Capture(make="Canon", model="S40"))
    assert is_same_sensor(raw, sensor_of(raw, name="CRW"))
    assert not is_same_sensor(raw, sensor_of(raw, name="CRW", color_matrix=SECOND_CROSSTALK))


def test_a_model_that_says_nothing_about_its_sensor_changes_nothing(scene: Floats) -> None:
    raw = taken_by(FIRST, scene)
    match = match_sensor(raw, pack(raw), None)
    assert (match.exchange, match.note, match.white_balance) == (None, "", raw.white_balance)
