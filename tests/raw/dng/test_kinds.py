"""A DNG file without a readable Bayer mosaic is called what it is."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from nas_isp.errors import InputError
from nas_isp.raw.dng.kinds import refuse_other_kinds
from nas_isp.raw.dng.tags import DngTags
from nas_isp.raw.readers import read_raw
from tests.dng_files import write_dng

MOSAIC = np.full((32, 48), 500, np.uint16)
XTRANS = (1, 1, 0, 1, 1, 2, 1, 1, 2, 1, 1, 0, 2, 0, 1, 0, 2, 1, 1, 1, 2, 1, 1, 0, 1, 1, 0, 1, 1, 2, 0, 2, 1, 2, 0, 1)


def binned(block: int) -> tuple[int, ...]:
    return tuple(np.kron(((0, 1), (1, 2)), np.ones((block, block), int)).ravel().tolist())


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (binned(2), "quad-Bayer"),
        (binned(3), "nonacell"),
        (binned(4), "16-cell"),
        (XTRANS, "X-Trans"),
        ((0, 1, 6, 2), "red, green, blue, white"),
        ((3, 4, 1, 5), "green, cyan, magenta, yellow"),
    ],
)
def test_other_color_filters_are_named(tmp_path: Path, pattern: tuple[int, ...], words: str) -> None:
    path = write_dng(tmp_path / "a.dng", MOSAIC, pattern=pattern)
    with pytest.raises(InputError, match=words) as caught:
        read_raw(path)
    assert "Bayer mosaic" in str(caught.value)
    assert "RGBG" not in str(caught.value)


@pytest.mark.parametrize("pattern", [(0, 1, 1, 2), (1, 0, 2, 1, 1, 0, 2, 1), (2, 1, 1, 0) * 1])
def test_a_bayer_pattern_is_no_other_kind(pattern: tuple[int, ...]) -> None:
    refuse_other_kinds(
        DngTags(photometric=32803, compression=1, cfa_repeat=(len(pattern) // 2, 2), cfa_pattern=pattern), Path("a.dng")
    )


@pytest.mark.parametrize(("model", "words"), [("iPhone 15 Pro back camera", "Apple ProRAW"), ("Test", "linear DNG")])
def test_a_linear_dng_is_named(tmp_path: Path, model: str, words: str) -> None:
    path = tmp_path / "a.dng"
    tags = [(50706, "B", 4, (1, 4, 0, 0), True), (50708, "s", 0, model, True)]
    pixels = np.zeros((32, 48, 3), np.uint16)
    tifffile.imwrite(path, pixels, photometric=34892, planarconfig="contig", extratags=tags, metadata=None)
    with pytest.raises(InputError, match=words) as caught:
        read_raw(path)
    assert "demosaiced" in str(caught.value)


def test_a_monochrome_dng_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="monochrome"):
        read_raw(write_dng(tmp_path / "a.dng", MOSAIC, photometric=1))
    with pytest.raises(InputError, match="monochrome"):
        refuse_other_kinds(DngTags(photometric=34892, samples_per_pixel=1), Path("a.dng"))


def test_jpeg_xl_is_named_with_what_to_convert_by(shared_data: Path) -> None:
    with pytest.raises(InputError, match=r"JPEG XL.*Adobe DNG Converter"):
        read_raw(shared_data / "cases/18_dng_jpegxl/jxl.dng")
