"""RAW patches keep every value, its place in the cell and its levels."""

import json

import numpy as np
import pytest

from nas_isp.data.patches import RawPatches, cut_raw_patches
from nas_isp.errors import InputError
from nas_isp.raw.packing import pack
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription
from tests.dng_files import gain_map, opcode_list, write_dng


def test_patch_holds_the_mosaic_values_plane_by_plane(tmp_path, write_mosaic, noise):
    mosaic = noise(32, 32)
    write_mosaic(tmp_path / "raw/a.png", mosaic)
    patches = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 32)
    expected = [mosaic[0::2, 0::2], mosaic[0::2, 1::2], mosaic[1::2, 0::2], mosaic[1::2, 1::2]]
    np.testing.assert_array_equal(patches.packed, [expected])
    assert patches.stems == ["a"]
    assert isinstance(patches.packed, np.memmap)
    assert np.isnan(patches.white_balance).all()


def test_other_cfa_orders_start_at_their_red_site(tmp_path, write_mosaic, noise):
    mosaic = noise(20, 20)
    write_mosaic(tmp_path / "raw/a.png", mosaic, cfa="GRBG", black=[10, 20, 30, 40])
    patches = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16, limit=1)
    # R of GRBG is at (0, 1): the first and the last column are lost, and what is left starts with R.
    inner = mosaic[:, 1:-1]
    place = next(
        (top, left)
        for top in range(0, 5, 2)
        for left in range(0, 3, 2)
        if (inner[top : top + 16 : 2, left : left + 16 : 2] == patches.packed[0, 0]).all()
    )
    window = inner[place[0] : place[0] + 16, place[1] : place[1] + 16]
    np.testing.assert_array_equal(patches.packed[0, 3], window[1::2, 1::2])
    np.testing.assert_array_equal(patches.black, [[20, 10, 40, 30]])
    assert patches.sensor.cfa == "GRBG"


def test_tensor_is_scaled_by_the_levels_and_not_clipped(tmp_path, write_mosaic):
    mosaic = np.full((16, 16), 64)
    mosaic[0, 0], mosaic[0, 2] = 1023, 0
    write_mosaic(tmp_path / "raw/a.png", mosaic)
    tensor = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16).tensor([0])
    assert tensor.shape == (1, 4, 8, 8)
    assert tensor[0, 0, 0, 0] == 1.0
    assert tensor[0, 0, 0, 1] == pytest.approx(-64 / 959)
    assert tensor[0, 1:].abs().max() == 0.0


def test_small_folder_gives_many_patches_and_the_limit_bounds_them(tmp_path, write_mosaic, noise):
    for name in "ab":
        write_mosaic(tmp_path / f"raw/{name}.png", noise(64, 64, seed=ord(name)))
    assert len(cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16)) == 2 * 7 * 7
    few = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16, limit=10)
    assert few.stems == ["a"] * 5 + ["b"] * 5


def test_more_files_than_the_limit_are_drawn_by_the_seed(tmp_path, write_mosaic, noise):
    for number in range(12):
        write_mosaic(tmp_path / f"raw/{number:02}.png", noise(16, 16, seed=number))
    first = cut_raw_patches(tmp_path / "raw", tmp_path / "c1", 16, limit=4, seed=1)
    again = cut_raw_patches(tmp_path / "raw", tmp_path / "c2", 16, limit=4, seed=1)
    assert len(set(first.stems)) == 4
    assert first.stems == again.stems
    np.testing.assert_array_equal(first.packed, again.packed)


def test_second_run_reads_the_cache_and_a_changed_folder_is_cut_again(tmp_path, write_mosaic, noise):
    write_mosaic(tmp_path / "raw/a.png", noise(16, 16))
    calls = []
    args = (tmp_path / "raw", tmp_path / "cache", 16)
    cut_raw_patches(*args, progress=lambda *report: calls.append(report))
    cut_raw_patches(*args, progress=lambda *report: calls.append(report))
    assert calls == [(1, 1, "RAW patches")]
    write_mosaic(tmp_path / "raw/b.png", noise(16, 16, seed=1))
    assert cut_raw_patches(*args).stems == ["a", "b"]


def test_changed_sensor_description_is_cut_again(tmp_path, write_mosaic, noise):
    write_mosaic(tmp_path / "raw/a.png", noise(16, 16), black=0)
    assert cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16).black[0, 0] == 0
    (tmp_path / "raw/sensor.json").write_text(json.dumps({"cfa": "RGGB", "black": 32, "white": 1023}))
    assert cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16).black[0, 0] == 32


def test_unusable_files_are_skipped_with_a_line_each(tmp_path, write_mosaic, noise):
    write_mosaic(tmp_path / "raw/good.png", noise(16, 16))
    write_mosaic(tmp_path / "raw/small.png", noise(16, 14))
    (tmp_path / "raw/broken.png").write_bytes(b"\x89PNG")
    patches = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16)
    assert patches.stems == ["good"]
    assert [name in line for name, line in zip(("broken", "small"), patches.skipped, strict=True)] == [True, True]


def test_nothing_usable_is_one_clear_line_and_leaves_no_cache(tmp_path, write_mosaic, noise):
    write_mosaic(tmp_path / "raw/small.png", noise(8, 10))
    with pytest.raises(InputError, match="10x8 pixels is smaller than a patch of 16x16") as error:
        cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16)
    assert "\n" not in str(error.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_folders_without_raw_are_refused(tmp_path, write_photo, noise):
    with pytest.raises(InputError, match="no such folder"):
        cut_raw_patches(tmp_path / "missing", tmp_path / "cache", 16)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no RAW"):
        cut_raw_patches(tmp_path / "empty", tmp_path / "cache", 16)
    write_photo(tmp_path / "jpegs/a.jpg", noise(16, 16, 3, low=0, high=256))
    with pytest.raises(InputError, match="no RAW"):
        cut_raw_patches(tmp_path / "jpegs", tmp_path / "cache", 16)
    assert not (tmp_path / "cache").exists()


def test_damaged_cache_is_named(tmp_path):
    with pytest.raises(InputError, match="damaged patch cache"):
        RawPatches.open(tmp_path)


def test_a_camera_file_keeps_its_own_sensor_beside_a_description(tmp_path, write_mosaic, noise):
    write_mosaic(tmp_path / "raw/z.png", noise(32, 32), cfa="GRBG")
    write_dng(tmp_path / "raw/a.dng", noise(32, 32).astype(np.uint16), "BGGR", black=(60, 60, 60, 60), white=900)
    given = SensorDescription(cfa="GBRG", black=1, white=800)
    for sensor in (None, given):
        patches = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16, sensor)
        assert (patches.sensor.cfa, patches.sensor.white) == ("BGGR", 900)
        assert set(patches.stems) == {"a", "z"}
    (tmp_path / "raw/a.dng").unlink()
    assert cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16, given).sensor == given
    assert cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16).sensor.cfa == "GRBG"


def test_real_camera_files_are_cut(tmp_path, shared_data):
    folder = shared_data / "raw_phone" / "nokia_n900"
    patches = cut_raw_patches(folder, tmp_path, 256, limit=12)
    assert 6 <= len(patches) <= 12
    assert patches.sensor.cfa == "GRBG"
    assert -0.05 < float(patches.tensor([0]).min()) <= float(patches.tensor([0]).max()) <= 1.2


def test_lens_shading_is_corrected_unless_it_is_switched_off_and_said(tmp_path):
    """Values are kept to a small part of a level, and the black level that the sensor has stays the set's."""
    (tmp_path / "raw").mkdir()
    mosaic = np.random.default_rng(0).integers(64, 300, (48, 64)).astype(np.uint16)
    gains = np.linspace(1, 3, 35, dtype=np.float32).reshape(5, 7)
    content = opcode_list(gain_map(gains, (0, 0, 48, 64)))
    shading = [(51009, "B", len(content), content, True)]
    path = write_dng(tmp_path / "raw/a.dng", mosaic, black=(60, 60, 60, 60), extra_tags=shading)
    patches = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 48, limit=1)
    whole = pack(read_raw(path))
    tensor = patches.tensor([0])[0].numpy()
    found = [left for left in range(9) if np.abs(whole[:, :, left : left + 24] - tensor).max() < 0.02 / (1023 - 60)]
    assert len(found) == 1
    assert patches.notes == ["1 RAW file: lens shading corrected by the file's gain map"]
    assert (patches.sensor.black, patches.sensor.white) == ((60, 60, 60, 60), 1023)
    plain = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 48, limit=1, shading=False)
    assert plain.packed.max() < 300
    assert plain.notes == ["1 RAW file: the file's lens shading gain map is not applied"]


def test_patches_know_the_noise_that_their_files_say(tmp_path):
    (tmp_path / "raw").mkdir()
    mosaic = np.random.default_rng(0).integers(64, 300, (32, 32)).astype(np.uint16)
    profile = [(51041, "d", 6, (1e-3, 2e-6, 2e-3, 3e-6, 3e-3, 8e-6), True)]
    write_dng(tmp_path / "raw/a.dng", mosaic, extra_tags=profile)
    write_dng(tmp_path / "raw/b.dng", mosaic)
    patches = cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 32)
    np.testing.assert_allclose(patches.noise[0], (2e-3, 4e-6), rtol=1e-6)  # green counts twice
    assert np.isnan(patches.noise[1]).all()
