"""Of a TIFF mosaic of several pages the full one is read."""

import json

import numpy as np
import pytest
import tifffile

from nas_isp.raw.readers import read_raw
from nas_isp.raw.tiff_pages import Page, full_page, further_captures

MOSAIC = np.random.default_rng(0).integers(64, 1024, (64, 96), np.uint16)


@pytest.fixture
def write_pages(tmp_path):
    def write(*pages):
        (tmp_path / "sensor.json").write_text(json.dumps({"cfa": "RGGB", "black": 64, "white": 1023}))
        with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
            for pixels, options in pages:
                tiff.write(pixels, metadata=None, **options)
        return tmp_path / "a.tif"

    return write


@pytest.mark.parametrize(
    "before",
    [
        (MOSAIC[:16, :24], {}),
        (np.zeros((64, 96, 3), np.uint8), {"photometric": "rgb"}),
        (np.zeros((128, 192), np.uint16), {"subfiletype": 1}),
        (np.zeros((128, 192), np.bool_), {"subfiletype": 4}),
    ],
)
def test_the_page_of_the_mosaic_is_found(write_pages, before):
    np.testing.assert_array_equal(read_raw(write_pages(before, (MOSAIC, {}))).mosaic, MOSAIC)


def test_the_mosaic_within_the_page_of_its_thumbnail(write_pages):
    path = write_pages((MOSAIC[:16, :24], {"subifds": 1, "subfiletype": 1}), (MOSAIC, {}))
    np.testing.assert_array_equal(read_raw(path).mosaic, MOSAIC)


def test_the_first_of_equal_pages_counts_and_the_others_are_counted():
    pages = [Page(24, 16), Page(96, 64), Page(64, 96), Page(96, 64, kind=1), Page(96, 64, suits=False)]
    assert full_page(pages) == 1
    assert further_captures(pages) == 1
    assert full_page([Page(24, 16, old_kind=2), Page(12, 8, old_kind=1)]) == 1
    assert full_page([Page(24, 16, kind=1), Page(48, 32, kind=1)]) == 1


def test_the_files_of_bug_reports(shared_data):
    raw = read_raw(shared_data / "cases/10_tiff_pages/thumb_first.tif")
    assert raw.mosaic.shape == (64, 96)
    assert (raw.mosaic == 900).all()
