"""`captures.tsv` brings the facts of each capture, and a fault in it is one clear line."""

import json

import numpy as np
import pytest

from nas_isp.data.left_out import without_a_row
from nas_isp.data.raw_patches import cut_raw_patches
from nas_isp.errors import InputError
from nas_isp.raw.orientation import upright
from nas_isp.raw.readers import read_raw
from tests.dng_files import write_dng

MOSAIC = np.random.default_rng(0).integers(64, 1024, (32, 48), np.uint16)
SENSOR = {"cfa": "GBRG", "black": 64, "white": 1023, "white_balance": [3, 1, 3]}


@pytest.fixture
def place(tmp_path):
    """Writes mosaics and a table of lines."""

    def write(*lines: str, files: tuple[str, ...] = ("a.npy",), folder: str = "") -> str:
        (tmp_path / "set/raw").mkdir(parents=True, exist_ok=True)
        (tmp_path / "set/raw/sensor.json").write_text(json.dumps(SENSOR))
        for name in files:
            np.save(tmp_path / "set/raw" / name, MOSAIC)
        (tmp_path / folder / "captures.tsv").write_text("\n".join(lines) + "\n")
        return tmp_path / "set/raw"

    return write


def test_every_column_is_read(place):
    raw = read_raw(
        place(
            "file\tred\tgreen\tblue\texposure\tiso\tblack\tnoise\torientation\tgroup",
            "a.npy\t4\t2\t3\t1/250\t400\t60, 61 62,63\t0.001 0.00002\t6\tultra wide",
            folder="set/raw",
        )
        / "a.npy"
    )
    assert raw.white_balance == (2, 1, 1.5)
    assert raw.black == (60, 61, 62, 63)
    assert raw.noise == (0.001, 0.00002)
    assert raw.flip == 6
    assert (raw.capture.exposure_s, raw.capture.iso, raw.capture.group) == (0.004, 400, "ultra wide")


def test_what_a_row_does_not_say_stays_as_the_description_says_it(place):
    folder = place("\ufefffile\tblack\tred\tgreen\tblue\r", "a.npy\t70\t\t\t\r", "b.npy\t\t2\t1\t2", folder="set")
    raw = read_raw(folder / "a.npy")
    assert raw.black == (70, 70, 70, 70)
    assert raw.white_balance == (3, 1, 3)
    assert (raw.noise, raw.flip, raw.capture.iso) == (None, 0, None)


def test_the_nearest_table_counts_and_a_path_is_from_where_it_lies(place, tmp_path):
    folder = place("file\torientation", "set/raw/a.npy\t3", "b.npy\t8", files=("a.npy", "b.npy"))
    assert read_raw(folder / "a.npy").flip == 3
    assert read_raw(folder / "b.npy").flip == 5
    (tmp_path / "set/captures.tsv").write_text("file\torientation\nb.npy\t6\n")
    assert read_raw(folder / "a.npy").flip == 0
    assert read_raw(folder / "b.npy").flip == 6


def test_a_link_to_a_mosaic_elsewhere_is_named_as_it_lies_beside_the_table(place, tmp_path):
    folder = place("file\tred\tgreen\tblue", "b.npy\t4\t2\t3", folder="set/raw")
    (tmp_path / "far").mkdir()
    np.save(tmp_path / "far/a.npy", MOSAIC)
    (folder / "b.npy").symlink_to(tmp_path / "far/a.npy")
    assert read_raw(folder / "b.npy").white_balance == (2.0, 1.0, 1.5)


@pytest.mark.parametrize(
    ("orientation", "shown"),
    [
        (1, [[1, 2], [3, 4], [5, 6]]),
        (2, [[2, 1], [4, 3], [6, 5]]),
        (3, [[6, 5], [4, 3], [2, 1]]),
        (4, [[5, 6], [3, 4], [1, 2]]),
        (5, [[1, 3, 5], [2, 4, 6]]),
        (6, [[5, 3, 1], [6, 4, 2]]),
        (7, [[6, 4, 2], [5, 3, 1]]),
        (8, [[2, 4, 6], [1, 3, 5]]),
    ],
)
def test_orientations_are_those_of_exif(place, orientation, shown):
    """EXIF 3.0, 4.6.5.1.6: which side of the picture the first row and the first column are."""
    raw = read_raw(place("file\torientation", f"a.npy\t{orientation}", folder="set") / "a.npy")
    np.testing.assert_array_equal(upright(np.array([[1, 2], [3, 4], [5, 6]]), raw.flip), shown)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("red\tgreen\tblue", "1\t1\t1"), "line 1: no column `file`"),
        (("file\tgain", "a.npy\t2"), "line 1: column 'gain' is not known; columns are separated by tabs: file, red,"),
        (("file red green blue",), "line 1: column 'file red green blue'"),
        (("file\tred\tred", "a.npy\t2\t2"), "or one twice"),
        (("file\tred\tgreen\tblue", "a.npy\t2\t1\t0"), "line 2: blue '0'; give a white-balance gain"),
        (("file\tred\tgreen\tblue", "a.npy\t2\t1\tnan"), "blue 'nan'"),
        (("file\tred\tgreen\tblue", "a.npy\t2\t1"), "not all of red, green and blue"),
        (("file\tred\tgreen\tblue", "a.npy\t2,1\t1\t1"), "red '2,1'"),
        (("file\torientation", "a.npy\t9"), "orientation '9'; give EXIF's number, 1 to 8"),
        (("file\tblack", "a.npy\t1 2 3"), "black '1 2 3'; give one level of true values, or four"),
        (("file\tnoise", "a.npy\t0.1"), "noise '0.1'; give two numbers"),
        (("file\texposure", "a.npy\t1/0"), "exposure '1/0'; give seconds"),
        (("file\tiso", "a.npy\t-100"), "iso '-100'"),
        (("file\tiso", "a.npy\t100", "a.npy\t200"), "line 3: named twice"),
        (("file\tiso", "\t100"), "line 2: no file named"),
        (("file\tiso", "a.npy\t100\t\t"), "line 2: 4 values, but 2 columns"),
        (("file\tblack", "a.npy\t1023"), "black 1023 of the table beside it is not below white 1023"),
    ],
)
def test_a_fault_is_one_line_with_its_place(place, lines, reason):
    with pytest.raises(InputError) as error:
        read_raw(place(*lines, folder="set") / "a.npy")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_camera_files_speak_for_themselves(tmp_path):
    write_dng(tmp_path / "a.dng", MOSAIC, neutral=(50, 100, 60))
    (tmp_path / "captures.tsv").write_text("file\tred\tgreen\tblue\na.dng\t9\t1\t9\n")
    assert read_raw(tmp_path / "a.dng").white_balance[0] == pytest.approx(2, abs=0.01)


def test_a_changed_table_is_cut_anew(place, tmp_path):
    folder = place("file\tred\tgreen\tblue", "a.npy\t2\t1\t2", folder="set")
    assert cut_raw_patches(folder, tmp_path / "cache", 16).white_balance[0, 0] == 2
    (tmp_path / "set/captures.tsv").write_text("file\tred\tgreen\tblue\na.npy\t2.25\t1\t2\n")
    assert cut_raw_patches(folder, tmp_path / "cache", 16).white_balance[0, 0] == 2.25


def test_captures_without_a_line_are_counted(place):
    folder = place("file\tiso", "a.npy\t100", files=("a.npy", "b.npy", "c.npy"), folder="set")
    (line,) = without_a_row(folder)
    assert line.endswith(f"captures.tsv: no line for 2 of 3 mosaics in {folder}, e.g. b.npy")


def test_the_tables_of_the_benches_are_read(shared_data):
    for bench in ("phonelike", "synthphone"):
        folder = shared_data / "bench" / bench / "train"
        first = (folder / "captures.tsv").read_text().splitlines()[1].split("\t")
        gains = read_raw(folder / "raw" / first[0]).white_balance
        assert gains == pytest.approx(tuple(map(float, first[1:])))
