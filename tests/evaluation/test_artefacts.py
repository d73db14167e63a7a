"""The artefact check measures what was put in, finds it in pictures, and lets colors and tones be."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from nas_isp.data.demo import demo_folders
from nas_isp.data.pairs import load_pairs
from nas_isp.errors import InputError
from nas_isp.evaluation.artefact_measures import (
    blotch_lab,
    displacement,
    flat_channels,
    lattice_levels,
    needlessly_clipped,
)
from nas_isp.evaluation.artefacts import ArtefactLimits, artefact_line, artefact_report, artefacts_of
from nas_isp.raw.classical import render_image

SIDE = 128
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
CHECKERBOARD = np.where((ROWS + COLUMNS) % 2, -1, 1)
STRIPES = np.where(COLUMNS % 2, -1, 1)
SQUARES = np.where((ROWS // 2 + COLUMNS // 2) % 2, -1, 1)
GREY = np.full((SIDE, SIDE, 3), 120, np.uint8)

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Picture, Picture]]:
    """The demo set's RAW by Malvar's filters, and its bilinear rendering."""
    *_, pairs = demo_folders(tmp_path_factory.mktemp("demo"))
    return [(render_image(pair.raw, "malvar"), render_image(pair.raw, "bilinear")) for pair in load_pairs(pairs)]


def scene(seed: int = 0) -> Picture:
    """A smooth colored picture with structure at many scales."""
    rng = np.random.default_rng(seed)
    levels = sum(
        np.kron(rng.normal(0, 28, (SIDE // size, SIDE // size, 3)), np.ones((size, size, 1))) for size in (64, 16, 4)
    )
    return np.clip(120 + levels, 10, 245).astype(np.uint8)


def plus(
    picture: Picture, pattern: NDArray[np.int_], levels: int, channels: tuple[int, int, int] = (1, 1, 1)
) -> Picture:
    return np.clip(picture + levels * pattern[:, :, None] * np.array(channels), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("pattern", "period", "other"), [(CHECKERBOARD, 2, 4), (STRIPES, 2, 4), (STRIPES.T, 2, 4), (SQUARES, 4, 2)]
)
@pytest.mark.parametrize("channels", [(1, 1, 1), (0, 0, 1)])
def test_a_lattice_has_its_own_amplitude_and_no_other(
    pattern: NDArray[np.int_], period: int, other: int, channels: tuple[int, int, int]
) -> None:
    assert lattice_levels(plus(GREY, pattern, 3, channels), GREY, period) == pytest.approx(3, abs=1e-3)
    assert lattice_levels(plus(GREY, pattern, 3, channels), GREY, other) == pytest.approx(0, abs=1e-6)


def test_a_lattice_that_is_in_the_scene_is_no_artefact() -> None:
    fence = plus(GREY, STRIPES, 40)
    assert lattice_levels(fence, fence, 2) == 0
    textured = plus(scene(), STRIPES, 10)
    assert lattice_levels((textured * 0.8).astype(np.uint8), textured, 2) < 0.5


def test_noise_is_no_lattice() -> None:
    noisy = np.clip(GREY + np.random.default_rng(0).normal(0, 8, GREY.shape), 0, 255).astype(np.uint8)
    limits = ArtefactLimits()
    assert lattice_levels(noisy, GREY, 2) < limits.checkerboard / 2
    assert lattice_levels(noisy, GREY, 4) < limits.lattice / 2


def test_a_tint_that_follows_the_place_is_a_blotch_and_one_that_follows_the_color_is_none() -> None:
    picture = scene()
    half = np.where(COLUMNS < SIDE // 2, 8, -8)[:, :, None] * np.array((1, 0, -1))
    everywhere = np.array((8, 0, -8))
    limit = ArtefactLimits().blotches
    assert blotch_lab(np.clip(picture + half, 0, 255).astype(np.uint8), picture) > limit
    assert blotch_lab(np.clip(picture + everywhere, 0, 255).astype(np.uint8), picture) < limit / 4
    assert blotch_lab((255 * (picture / 255) ** 1.5).astype(np.uint8), picture) < limit / 4


def test_chroma_noise_is_no_blotch() -> None:
    picture = scene()
    noisy = np.clip(picture + np.random.default_rng(1).normal(0, 10, picture.shape), 0, 255).astype(np.uint8)
    assert blotch_lab(noisy, picture) < ArtefactLimits().blotches / 4


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1, 0), (0, -1), (2, 3), (-6, 0)])
def test_a_shift_is_measured_in_pixels(down: int, right: int) -> None:
    picture = scene()
    shift, distortion = displacement(np.roll(picture, (down, right), (0, 1)), picture)
    assert shift == pytest.approx(np.hypot(down, right), abs=0.08)
    assert distortion == pytest.approx(0, abs=0.08)


def test_parts_that_move_apart_are_a_distortion() -> None:
    picture = np.concatenate((scene(0), scene(1)), axis=1)
    moved = np.concatenate((scene(0), np.roll(scene(1), 2, 0)), axis=1)
    shift, distortion = displacement(moved, picture)
    assert max(shift, distortion) > 1.5


def test_nothing_coherent_has_no_shift() -> None:
    assert displacement(GREY, scene()) is None
    assert displacement(scene(5), scene(6)) is None


def test_a_dead_channel_is_counted_where_the_reference_has_one_that_lives() -> None:
    picture, dead = scene(), scene()
    dead[:, :, 1] = 77
    assert flat_channels(dead, picture) == 1
    assert flat_channels(dead, dead) == 0
    assert flat_channels(picture, picture) == 0


def test_clipping_counts_where_the_reference_is_in_its_middle_range() -> None:
    picture = GREY.copy()
    picture[: SIDE // 4, :, 0] = 255
    picture[-SIDE // 4 :, :, 2] = 0
    assert needlessly_clipped(picture, GREY) == 0.5
    assert needlessly_clipped(picture, np.full_like(GREY, 250)) == 0


@settings(max_examples=15, deadline=None)
@given(
    gain=st.floats(0.6, 1.0),
    tint=st.tuples(*[st.integers(-8, 8)] * 3),
    axes=st.sampled_from([(), (0,), (1,), (0, 1)]),
    seed=st.integers(0, 50),
)
def test_gain_tint_and_flips_change_no_verdict(
    gain: float, tint: tuple[int, int, int], axes: tuple[int, ...], seed: int
) -> None:
    reference = scene(seed)
    picture = np.clip(np.round(reference * gain + tint), 0, 255).astype(np.uint8)
    spoilt = plus(picture, CHECKERBOARD, 4)
    for shown, expected in ((picture, "clean"), (spoilt, "checkerboard")):
        numbers = artefacts_of(np.flip(shown, axes), np.flip(reference, axes))
        assert artefact_report([numbers])["verdict"] == expected
        unflipped = artefacts_of(shown, reference)
        assert numbers["checkerboard"] == pytest.approx(unflipped["checkerboard"], abs=1e-6)
        assert numbers["blotches"] == pytest.approx(unflipped["blotches"], abs=1e-6)


def test_renderings_of_the_demo_set_are_clean_and_spoilt_ones_are_not(scenes: list[tuple[Picture, Picture]]) -> None:
    def verdict(change: Callable[[Picture], Picture]) -> str:
        return artefact_report(artefacts_of(change(picture), reference) for picture, reference in scenes)["verdict"]

    def checkered(picture: Picture) -> Picture:
        rows, columns = np.indices(picture.shape[:2])
        return np.clip(picture + np.where((rows + columns) % 2, -2, 2)[:, :, None], 0, 255).astype(np.uint8)

    assert verdict(lambda picture: picture) == "clean"
    assert verdict(checkered) == "checkerboard"
    assert verdict(lambda picture: np.roll(picture, 1, 1)) == "shift"


def test_one_picture_in_twenty_may_exceed_a_limit() -> None:
    good = dict.fromkeys(ArtefactLimits().model_dump(), 0.0)
    bad = {**good, "blotches": 9.0}
    report = artefact_report([good] * 19 + [bad])
    assert report["verdict"] == "clean"
    assert report["checks"]["blotches"] == {"median": 0.0, "worst": 9.0, "limit": 2.0, "measured": 20, "over": 1}
    found = artefact_report([good] * 18 + [bad])
    assert found["verdict"] == "blotches"
    assert artefact_line(found) == "artefacts: blotches in 1 of 19 pictures (median 0, worst 9, limit 2)"


def test_what_cannot_be_measured_is_none_and_no_fault() -> None:
    small = scene()[:24, :24]
    numbers = artefacts_of(small, small)
    assert numbers["checkerboard"] is numbers["lattice"] is numbers["blotches"] is None
    report = artefact_report([numbers])
    assert report["verdict"] == "clean"
    assert report["checks"]["blotches"]["measured"] == 0


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InputError, match="give one size"):
        artefacts_of(GREY, GREY[:64])
    with pytest.raises(InputError, match="no picture"):
        artefact_report([])
