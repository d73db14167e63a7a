"""Saved pictures hold the right pixels and the sRGB profile, and appear whole."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from nas_isp.errors import InputError
from nas_isp.export.picture import save_picture

SMOOTH = np.stack(np.broadcast_arrays(np.arange(64)[:, None] * 4, np.arange(48)[None] * 5, 128), -1).astype(np.uint8)


def test_png_is_lossless_and_carries_srgb(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", SMOOTH)
    with Image.open(tmp_path / "a.png") as image:
        assert np.array_equal(np.asarray(image), SMOOTH)
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


@pytest.mark.parametrize("name", ["a.jpg", "b.JPEG"])
def test_jpeg_is_close_and_keeps_full_chroma(tmp_path: Path, name: str) -> None:
    save_picture(tmp_path / name, SMOOTH)
    with Image.open(tmp_path / name) as image:
        assert image.format == "JPEG"
        assert {layer[1:3] for layer in image.layer} == {(1, 1)}
        assert np.abs(np.asarray(image).astype(int) - SMOOTH).max() <= 8


def test_an_older_picture_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    save_picture(tmp_path / "a.png", SMOOTH)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_another_suffix_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.png, \.jpg"):
        save_picture(tmp_path / "a.bmp", SMOOTH)
    with pytest.raises(InputError, match="no such folder"):
        save_picture(tmp_path / "missing" / "a.png", SMOOTH)
