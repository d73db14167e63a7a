"""An inspection shows the light that is taken for each capture, and who says it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_isp.data.inspection import FileFacts, inspect_files
from tests.dng_files import write_dng

SENSOR = '{"cfa": "RGGB", "bits": 10, "black": 0, "white": 1023%s}'


def mosaic_in(folder: Path, more: str = "", table: str | None = None) -> FileFacts:
    """A gray scene in gains 2, 1, 1.6, with what stands beside it."""
    folder.mkdir()
    mosaic = np.random.default_rng(0).uniform(50, 900, (64, 64)).round()
    mosaic[0::2, 0::2] = mosaic[0::2, 1::2] / 2
    mosaic[1::2, 1::2] = mosaic[0::2, 1::2] / 1.6
    mosaic[1::2, 0::2] = mosaic[0::2, 1::2]
    Image.fromarray(mosaic.astype(np.uint16)).save(folder / "a.png")
    (folder / "sensor.json").write_text(SENSOR % more)
    if table is not None:
        (folder / "captures.tsv").write_text(table)
    (facts,) = inspect_files(folder / "a.png")
    return facts


def test_what_nobody_says_is_estimated(tmp_path: Path) -> None:
    facts = mosaic_in(tmp_path / "bare")
    assert (facts.white_balance, facts.light_source) == (None, "estimated")
    assert facts.light == pytest.approx((2.0, 1.0, 1.6), rel=0.05)


def test_the_table_counts_more_than_the_sensors_description(tmp_path: Path) -> None:
    said = ', "white_balance": [1.5, 1, 1.8]'
    facts = mosaic_in(tmp_path / "described", said)
    assert (facts.light, facts.light_source) == ((1.5, 1.0, 1.8), "sensor")
    facts = mosaic_in(tmp_path / "listed", said, "file\tred\tgreen\tblue\na.png\t3\t1\t1.25\n")
    assert (facts.light, facts.light_source) == ((3.0, 1.0, 1.25), "captures.tsv")
    facts = mosaic_in(tmp_path / "elsewhere", said, "file\tiso\na.png\t100\n")
    assert facts.light_source == "sensor"


def test_a_camera_file_speaks_for_itself(tmp_path: Path) -> None:
    write_dng(tmp_path / "a.dng", np.full((64, 64), 300, np.uint16))
    (facts,) = inspect_files(tmp_path / "a.dng")
    assert facts.light == facts.white_balance
    assert facts.light_source == "file"
