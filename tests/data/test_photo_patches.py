"""Photo patches: which are cut, and how they are handed out."""

import numpy as np
import pytest

from nas_isp.data.patches import PhotoPatches, cut_photo_patches
from nas_isp.errors import InputError


def test_patch_holds_the_pixels_channel_first(tmp_path, write_photo, noise):
    pixels = noise(16, 16, 3, low=0, high=256)
    write_photo(tmp_path / "rgb/a.png", pixels)
    patches = cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 16)
    np.testing.assert_array_equal(patches.pixels, pixels.transpose(2, 0, 1)[None])
    tensor = patches.tensor([0])
    assert tensor.shape == (1, 3, 16, 16)
    np.testing.assert_allclose(tensor[0, :, 3, 5].numpy() * 255, pixels[3, 5], atol=1e-4)


def test_flips_mirror_only_the_chosen_photos_and_not_the_cache(tmp_path, write_photo, noise):
    for name in "ab":
        write_photo(tmp_path / f"rgb/{name}.png", noise(16, 16, 3, low=0, high=256, seed=ord(name)))
    patches = cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 16)
    plain, mirrored = patches.tensor([0, 1]), patches.tensor([0, 1], flip=np.array([False, True]))
    assert (mirrored[0] == plain[0]).all()
    assert (mirrored[1] == plain[1].flip(-1)).all()
    assert (patches.tensor([0, 1]) == plain).all()


def test_flat_places_are_left_out(tmp_path, write_photo, noise):
    pixels = np.full((32, 64, 3), 128)
    pixels[:, 32:] = np.kron(noise(8, 8, 3, low=0, high=256), np.ones((4, 4, 1)))
    write_photo(tmp_path / "rgb/a.png", pixels)
    patches = cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 32, limit=2)
    np.testing.assert_array_equal(patches.pixels, pixels[:, 32:].transpose(2, 0, 1)[None])


def test_wholly_flat_photo_still_gives_one_patch(tmp_path, write_photo):
    write_photo(tmp_path / "rgb/a.png", np.full((64, 64, 3), 90))
    assert len(cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 16)) == 1


def test_small_photos_are_skipped_and_all_small_is_an_error(tmp_path, write_photo, noise):
    write_photo(tmp_path / "rgb/small.png", noise(8, 40, 3, low=0, high=256))
    with pytest.raises(InputError, match="40x8 pixels is smaller than a patch of 16x16"):
        cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 16)
    write_photo(tmp_path / "rgb/good.png", noise(16, 16, 3, low=0, high=256))
    patches = cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 16)
    assert patches.stems == ["good"]
    assert len(patches.skipped) == 1


def test_max_side_reduces_before_cutting(tmp_path, write_photo, noise):
    write_photo(tmp_path / "rgb/a.png", noise(64, 64, 3, low=0, high=256))
    assert len(cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 16, max_side=16)) == 1


def test_cache_folder_can_be_opened_elsewhere(tmp_path, write_photo, noise):
    write_photo(tmp_path / "rgb/a.png", noise(40, 40, 3, low=0, high=256))
    patches = cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 16)
    opened = PhotoPatches.open(patches.folder)
    np.testing.assert_array_equal(opened.pixels, patches.pixels)
    assert opened.stems == patches.stems
