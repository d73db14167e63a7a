import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_isp.errors import InputError
from nas_isp.raw.classical import render_image
from nas_isp.raw.image import RawImage
from nas_isp.raw.packing import (
    CANONICAL_SITES,
    align_to_rggb,
    canonical_black,
    pack,
    pack_values,
    unpack,
    unpack_values,
)
from nas_isp.raw.sensor import CFA_ORDERS, Cfa

COLOUR_VALUE = {"R": 100, "G": 200, "B": 300}


def colored(cfa: Cfa, height: int = 8, width: int = 12) -> np.ndarray:
    """A mosaic whose value says the color of the site; green sites of the red row hold 1 more."""
    cell = np.array([COLOUR_VALUE[letter] for letter in cfa], np.uint16).reshape(2, 2)
    red_row = cfa.index("R") // 2
    cell[red_row][cell[red_row] == 200] += 1
    return np.tile(cell, (height // 2, width // 2))


def raw_of(mosaic: np.ndarray, cfa: Cfa, black: tuple[float, float, float, float] = (0, 0, 0, 0)) -> RawImage:
    return RawImage(mosaic=mosaic.astype(np.uint16), cfa=cfa, black=black, white=1023)


@pytest.mark.parametrize("cfa", CFA_ORDERS)
def test_every_order_packs_to_red_green_of_red_row_green_of_blue_row_blue(cfa: Cfa) -> None:
    planes = pack_values(colored(cfa), cfa)
    assert planes.shape == (4, 4, 6)
    assert [set(plane.ravel()) for plane in planes] == [{100}, {201}, {200}, {300}]


@given(st.sampled_from(CFA_ORDERS), st.integers(0, 2**32 - 1))
def test_unpacking_undoes_packing_for_any_16_bit_value(cfa: Cfa, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mosaic = rng.integers(0, 65536, (4, 6), dtype=np.uint16)
    black = (3.0, 64.5, 250.0, 0.0)
    raw = RawImage(mosaic=mosaic, cfa=cfa, black=black, white=65535)
    assert np.array_equal(unpack_values(pack_values(mosaic, cfa), cfa), mosaic)
    assert np.array_equal(unpack(pack(raw), cfa, black, 65535), mosaic)


def test_packing_scales_each_site_by_its_own_black_level_and_clips_nothing() -> None:
    mosaic = np.array([[10, 20], [30, 40]], np.uint16)
    raw = RawImage(mosaic=np.tile(mosaic, (2, 2)), cfa="GBRG", black=(20, 20, 20, 20), white=30)
    assert pack(raw)[:, 0, 0].tolist() == [1.0, 2.0, -1.0, 0.0]


@pytest.mark.parametrize("cfa", CFA_ORDERS)
def test_aligning_makes_every_order_rggb_without_moving_colors_or_black_levels(cfa: Cfa) -> None:
    black = tuple(float(ord(letter)) + site for site, letter in enumerate(cfa))
    raw = raw_of(colored(cfa), cfa, black)  # type: ignore[arg-type]
    aligned = align_to_rggb(raw)
    assert aligned.cfa == "RGGB"
    assert aligned.mosaic[:2, :2].tolist() == [[100, 201], [200, 300]]
    assert canonical_black(aligned) == canonical_black(raw)


def test_aligning_crops_both_sides_equally() -> None:
    mosaic = np.arange(8 * 10).reshape(8, 10)
    assert np.array_equal(align_to_rggb(raw_of(mosaic, "BGGR")).mosaic, mosaic[1:-1, 1:-1])
    assert np.array_equal(align_to_rggb(raw_of(mosaic, "GRBG")).mosaic, mosaic[:, 1:-1])
    assert np.array_equal(align_to_rggb(raw_of(mosaic, "GBRG")).mosaic, mosaic[1:-1])
    untouched = raw_of(mosaic, "RGGB")
    assert align_to_rggb(untouched) is untouched


@pytest.mark.parametrize(
    ("shape", "cfa", "least"), [((4, 8), "BGGR", "6x6"), ((4, 8), "GBRG", "4x6"), ((8, 4), "GRBG", "6x4")]
)
def test_aligning_refuses_a_picture_of_which_too_little_to_demosaic_would_be_left(
    shape: tuple[int, int], cfa: Cfa, least: str
) -> None:
    with pytest.raises(InputError, match=f"too small for a {cfa} mosaic.*at least {least}"):
        align_to_rggb(raw_of(np.zeros(shape), cfa))


@pytest.mark.parametrize("cfa", CFA_ORDERS)
def test_the_smallest_picture_that_aligns_can_be_rendered(cfa: Cfa) -> None:
    top, left = CANONICAL_SITES[cfa][0]
    smallest = raw_of(np.full((4 + 2 * top, 4 + 2 * left), 500), cfa)
    assert render_image(smallest).shape == (4, 4, 3)
