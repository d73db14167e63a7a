"""Patches of pairs lie in files, show the same pixels on both sides, and keep to the limit."""

import json

import numpy as np
import pytest

import nas_isp.data.pair_patches as module
from nas_isp.data.pair_patches import cut_pair_patches
from nas_isp.data.pairs import load_pairs
from nas_isp.errors import InputError


def _write_pairs(folder, write_mosaic, write_photo, noise, count=3, shape=(48, 64), cfa="GRBG"):
    for number in range(count):
        mosaic = noise(*shape, seed=number)
        write_mosaic(folder / f"raw/s{number}.png", mosaic, cfa=cfa)
        # The photo carries each mosaic value, so that equal pixels can be recognized.
        write_photo(folder / f"rgb/s{number}.png", np.stack([mosaic // 256, mosaic % 256, mosaic * 0], axis=-1))
    return load_pairs(folder)


def test_both_patches_of_an_index_show_the_same_pixels(tmp_path, write_mosaic, write_photo, noise):
    pairs = _write_pairs(tmp_path, write_mosaic, write_photo, noise)
    raw, photos = cut_pair_patches(pairs, tmp_path / "cache", 16)
    assert len(raw) == len(photos) == 3 * 3 * 3  # aligning to RGGB leaves 48 x 62 of 48 x 64 pixels
    assert raw.stems == photos.stems
    values = photos.pixels[:, 0].astype(int) * 256 + photos.pixels[:, 1]
    for plane, (row, column) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1))):
        np.testing.assert_array_equal(raw.packed[:, plane], values[:, row::2, column::2])
    assert (raw.sensor.cfa, raw.sensor.white) == ("GRBG", 1023)


def test_patches_are_read_from_files_and_cut_once(tmp_path, write_mosaic, write_photo, noise, monkeypatch):
    pairs = _write_pairs(tmp_path, write_mosaic, write_photo, noise)
    raw, photos = cut_pair_patches(pairs, tmp_path / "cache", 16)
    assert isinstance(raw.packed, np.memmap)
    assert isinstance(photos.pixels, np.memmap)
    monkeypatch.setattr(module._PairCutter, "fill", lambda *given: pytest.fail("cut again"))
    again, _ = cut_pair_patches(pairs, tmp_path / "cache", 16)
    assert again.folder == raw.folder


def test_a_corrected_sensor_description_cuts_anew(tmp_path, write_mosaic, write_photo, noise):
    pairs = _write_pairs(tmp_path, write_mosaic, write_photo, noise)
    before, _ = cut_pair_patches(pairs, tmp_path / "cache", 16)
    described = tmp_path / "raw/sensor.json"
    described.write_text(json.dumps(json.loads(described.read_text()) | {"black": 16}))
    after, _ = cut_pair_patches(pairs, tmp_path / "cache", 16)
    assert (before.black != 16).all()
    assert (after.black == 16).all()


@pytest.mark.parametrize(("limit", "expected"), [(2, 2), (7, 6), (100, 27)])
def test_the_limit_is_spread_over_the_pairs(tmp_path, write_mosaic, write_photo, noise, limit, expected):
    pairs = _write_pairs(tmp_path, write_mosaic, write_photo, noise)
    raw, _ = cut_pair_patches(pairs, tmp_path / "cache", 16, limit=limit)
    assert len(raw) == expected
    assert len(set(raw.stems)) == min(limit, 3)


def test_small_pairs_are_listed_and_only_small_ones_refused(tmp_path, write_mosaic, write_photo, noise):
    _write_pairs(tmp_path, write_mosaic, write_photo, noise, count=1)
    small = noise(16, 16)
    write_mosaic(tmp_path / "raw/tiny.png", small, cfa="RGGB")
    write_photo(tmp_path / "rgb/tiny.png", np.stack([small] * 3, axis=-1) // 4)
    pairs = load_pairs(tmp_path)
    raw, _ = cut_pair_patches(pairs, tmp_path / "cache", 32)
    assert [line for line in raw.skipped if "tiny.png" in line] == raw.skipped != []
    with pytest.raises(InputError, match="no pair of 256x256 pixels or more"):
        cut_pair_patches(pairs, tmp_path / "cache", 256)
