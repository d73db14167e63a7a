"""Pairs lie pixel on pixel whatever the phase of the mosaic."""

from dataclasses import replace

import numpy as np
import pytest

import nas_isp.data.pairs as pairs_module
from nas_isp.data.pair_patches import cut_pair_patches
from nas_isp.data.pairs import load_pairs
from nas_isp.data.photos import read_photo
from nas_isp.errors import InputError
from nas_isp.raw.orientation import upright
from nas_isp.raw.readers import read_raw
from tests.dng_files import gain_map, opcode_list, write_dng


def _write_pair(folder, write_mosaic, write_photo, noise, cfa="RGGB", stem="a"):
    mosaic = noise(12, 16)
    write_mosaic(folder / f"raw/{stem}.png", mosaic, cfa=cfa)
    # The photo carries each mosaic value, so that equal pixels can be recognized.
    photo = np.stack([mosaic // 256, mosaic % 256, mosaic * 0], axis=-1)
    write_photo(folder / f"rgb/{stem}.png", photo)


def _value(photo):
    return photo[..., 0].astype(int) * 256 + photo[..., 1]


@pytest.mark.parametrize("cfa", ["RGGB", "BGGR", "GRBG", "GBRG"])
def test_photo_and_aligned_mosaic_show_the_same_pixels(tmp_path, write_mosaic, write_photo, noise, cfa):
    _write_pair(tmp_path, write_mosaic, write_photo, noise, cfa)
    (pair,) = load_pairs(tmp_path)
    assert pair.raw.cfa == "RGGB"
    np.testing.assert_array_equal(_value(pair.photo), pair.raw.mosaic)


def test_size_cuts_the_middle_at_even_coordinates(tmp_path, write_mosaic, write_photo, noise):
    _write_pair(tmp_path, write_mosaic, write_photo, noise)
    whole, cut = load_pairs(tmp_path)[0], load_pairs(tmp_path, size=8)[0]
    np.testing.assert_array_equal(cut.raw.mosaic, whole.raw.mosaic[2:10, 4:12])
    np.testing.assert_array_equal(_value(cut.photo), cut.raw.mosaic)


@pytest.mark.parametrize("flip", [3, 5, 6])
def test_upright_photo_is_turned_to_the_sensor_of_a_turned_camera(
    tmp_path, write_mosaic, write_photo, noise, monkeypatch, flip
):
    _write_pair(tmp_path, write_mosaic, write_photo, noise)
    photo = tmp_path / "rgb/a.png"
    write_photo(photo, upright(read_photo(photo), flip))
    # Only camera files say that the camera was turned; a bare mosaic is read and then said to.
    monkeypatch.setattr(pairs_module, "read_raw", lambda *given: replace(read_raw(*given), flip=flip))
    (pair,) = load_pairs(tmp_path)
    np.testing.assert_array_equal(_value(pair.photo), pair.raw.mosaic)


def test_limit_spreads_over_the_stems(tmp_path, write_mosaic, write_photo, noise):
    for number in range(5):
        _write_pair(tmp_path, write_mosaic, write_photo, noise, stem=f"s{number}")
    assert [pair.stem for pair in load_pairs(tmp_path, limit=3)] == ["s0", "s2", "s4"]


def test_files_without_partner_are_listed(tmp_path, write_mosaic, write_photo, noise):
    _write_pair(tmp_path, write_mosaic, write_photo, noise)
    write_photo(tmp_path / "rgb/alone.png", noise(4, 4, 3, high=256))
    pairs = load_pairs(tmp_path)
    assert len(pairs) == 1
    assert [line for line in pairs.skipped if "alone.png" in line] == pairs.skipped != []


def test_photo_of_another_size_names_both(tmp_path, write_mosaic, write_photo, noise):
    write_mosaic(tmp_path / "raw/a.png", noise(12, 16))
    write_photo(tmp_path / "rgb/a.png", noise(24, 32, 3, high=256))
    with pytest.raises(InputError, match=r"32x24 .* 16x12"):
        load_pairs(tmp_path)


def test_folders_that_are_no_pairs_are_refused(tmp_path, write_mosaic, write_photo, noise):
    with pytest.raises(InputError, match="no folder raw/"):
        load_pairs(tmp_path)
    write_mosaic(tmp_path / "raw/a.png", noise(12, 16))
    with pytest.raises(InputError, match="no folder rgb/"):
        load_pairs(tmp_path)
    write_photo(tmp_path / "rgb/b.png", noise(12, 16, 3, high=256))
    with pytest.raises(InputError, match="equal stems"):
        load_pairs(tmp_path)


def test_two_files_of_one_stem_are_refused(tmp_path, write_mosaic, write_photo, noise):
    _write_pair(tmp_path, write_mosaic, write_photo, noise)
    write_photo(tmp_path / "rgb/a.jpg", noise(12, 16, 3, high=256))
    with pytest.raises(InputError, match="same stem"):
        load_pairs(tmp_path)


def test_lens_shading_of_pairs_is_corrected_unless_it_is_switched_off_and_said(tmp_path, write_photo, noise):
    (tmp_path / "raw").mkdir()
    content = opcode_list(gain_map(np.full((1, 1), 2, np.float32), (0, 0, 32, 48)))
    mosaic = np.full((32, 48), 200, np.uint16)
    shading = [(51009, 7, len(content), content, True)]
    write_dng(tmp_path / "raw/a.dng", mosaic, black=(60, 60, 60, 60), extra_tags=shading)
    write_photo(tmp_path / "rgb/a.png", np.zeros((32, 48, 3), np.uint8))
    for switched, value, words in ((True, 60 + 2 * 140, "corrected"), (False, 200, "not applied")):
        pairs = load_pairs(tmp_path, shading=switched)
        assert (pairs[0].raw.mosaic == value).all()
        assert words in pairs.notes[-1]
        raw, _ = cut_pair_patches(pairs, tmp_path / "cache", 32, limit=1)
        np.testing.assert_allclose(raw.tensor([0]), (value - 60) / (1023 - 60), rtol=1e-4)
