"""A patch cache that was damaged or made by somebody else is opened whole or refused."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from nas_isp.data.patch_files import new_array, read_array, store_array
from nas_isp.data.patches import PhotoPatches, RawPatches, cut_photo_patches, cut_raw_patches
from nas_isp.errors import InputError


@pytest.fixture
def caches(tmp_path: Path, write_mosaic, write_photo, noise) -> Path:
    write_mosaic(tmp_path / "raw/a.png", noise(32, 32))
    write_photo(tmp_path / "rgb/a.png", noise(32, 32, 3, low=0, high=256))
    shutil.copytree(cut_raw_patches(tmp_path / "raw", tmp_path / "cache", 16).folder, tmp_path / "cut/raw")
    shutil.copytree(cut_photo_patches(tmp_path / "rgb", tmp_path / "cache", 16).folder, tmp_path / "cut/rgb")
    return tmp_path / "cut"


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("raw/packed.npy", np.zeros((9, 4, 8, 8)), "holds float64"),
        ("raw/packed.npy", np.zeros((3, 4, 8, 8), np.uint16), "of shape 3x4x8x8, not uint16 of 9x4xanyxany"),
        ("raw/black.npy", np.zeros((4,), np.float32), "not float32 of 9x4"),
        ("raw/white.npy", np.full(9, np.nan, np.float32), "not below white"),
        ("rgb/pixels.npy", np.zeros((9, 16, 16), np.uint8), "not uint8 of"),
    ],
)
def test_arrays_of_another_type_shape_or_range_are_refused(
    caches: Path, name: str, array: np.ndarray, reason: str
) -> None:
    np.save(caches / name, array)
    opened = RawPatches if name.startswith("raw/") else PhotoPatches
    with pytest.raises(InputError, match=f"damaged patch cache .*{reason}"):
        opened.open((caches / name).parent)


def test_a_new_array_is_zero_has_its_room_and_is_read_again(tmp_path: Path) -> None:
    array = new_array(tmp_path / "folder/a.npy", "<u2", (3, 4))
    assert not array.any()
    assert (tmp_path / "folder/a.npy").stat().st_blocks * 512 >= 3 * 4 * 2
    array[1] = 7
    store_array(tmp_path / "folder/a.npy", array)
    np.testing.assert_array_equal(read_array(tmp_path / "folder/a.npy", "<u2", (3, 4)), array)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a small file system such as /dev/shm")
def test_an_array_without_room_is_one_clear_line_and_not_the_end_of_the_process() -> None:
    whole = shutil.disk_usage("/dev/shm").total
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, pytest.raises(InputError, match="folder with room"):
        new_array(Path(folder) / "a.npy", "|u1", (2 * whole,))


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<u2', 'fortran_order': False, 'shape': (1000000000, 1000000000), }",
        "{'descr': '<u2', 'fortran_order': False, 'shape': (-1, 4), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }",
        "((((",
    ],
    ids=["giant", "negative", "objects", "malformed"],
)
def test_an_array_whose_header_lies_is_refused_in_one_line(tmp_path: Path, header: str) -> None:
    text = header.encode() + b"\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(64))
    with pytest.raises(InputError, match=r"a\.npy: not a readable \.npy file") as caught:
        read_array(tmp_path / "a.npy", "<u2", (None, None))
    assert "\n" not in str(caught.value)
