"""Camera, exposure and crop are read as the file says them; LibRaw's rendering shows the same pixels."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL.ExifTags import GPS

from nas_isp.develop.picture import save_picture
from nas_isp.errors import InputError
from nas_isp.raw.capture import LONGEST_TEXT, Capture, capture_of, numbered_gps
from nas_isp.raw.classical import render_image
from nas_isp.raw.libraw_rendering import libraw_name, render_by_libraw
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription
from tests.dng_files import write_dng


def values(height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(0).integers(100, 1000, (height, width), dtype=np.uint16)


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "PowerShot S40", "Canon PowerShot S40"),
        ("Canon", "Canon EOS 550D", "Canon EOS 550D"),
        ("", "", ""),
        ("", "X", "X"),
    ],
)
def test_a_camera_is_named_once(make: str, model: str, camera: str) -> None:
    assert Capture(make, model).camera == camera


def test_a_dng_says_camera_and_exposure(tmp_path: Path) -> None:
    capture = read_raw(write_dng(tmp_path / "a.dng", values(), exposure_s=(1, 250))).capture
    assert (capture.make, capture.model, capture.camera) == ("Test", "Test T1", "Test T1")
    assert capture.exposure_s == pytest.approx(1 / 250)
    assert (capture.f_number, capture.iso, capture.taken) == (None, None, None)


def test_a_dng_without_make_is_known_by_its_unique_name(tmp_path: Path) -> None:
    assert read_raw(write_dng(tmp_path / "a.dng", values())).capture.camera == "Test camera"


def test_a_mosaic_is_known_by_its_sensor(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values())
    sensor = SensorDescription(name="my sensor", cfa="RGGB", white=1023)
    assert read_raw(tmp_path / "a.npy", sensor).capture.camera == "my sensor"
    assert read_raw(tmp_path / "a.npy", sensor.model_copy(update={"name": "unnamed"})).capture.camera == ""


def test_a_place_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    class Nothing:
        """LibRaw's numbers of a file that has none."""

        iso_speed = shutter_speed = aperture = focal_length = 0.0
        timestamp, model = datetime(1970, 1, 1), ""

    class Opened:
        other = lens = Nothing

    gps = {1: "N", 2: (48.0, 30.0, 12.5), 6: 311.5}
    save_picture(tmp_path / "a.tif", np.zeros((4, 4, 3), np.uint16), Capture("A", "B", gps=gps))
    found = capture_of(Opened, tmp_path / "a.tif")  # type: ignore[arg-type]
    assert found == Capture("A", "B", gps=gps)


WRONG_GPS = [
    {2: (48, 1)},
    {2: (48, 0, 30, 1, 12, 1)},
    {2: (-48, 1, 30, 1, 12, 1)},
    {2: (float("nan"), 1, 30, 1, 12, 1)},
    {6: float("nan")},
    {1: 7},
    {5: 300},
    {5: b"x" * 1000},
    {27: b"x" * 1000},
    {30: "x"},
]


@pytest.mark.parametrize("gps", WRONG_GPS)
def test_a_place_of_another_kind_than_exif_wants_is_left_out(gps: dict[int, object]) -> None:
    named = {GPS(code).name: value for code, value in gps.items()}
    assert numbered_gps(named | {"GPSDateStamp": "2021:04:08"}) == {29: "2021:04:08"}


def test_fractions_of_a_place_become_numbers() -> None:
    named = {"GPSLatitude": (48, 1, 30, 1, 25, 2), "GPSAltitude": (623, 2), "GPSAltitudeRef": 0, "unknown": 1}
    assert numbered_gps(named) == {2: (48.0, 30.0, 12.5), 5: 0, 6: 311.5}
    assert numbered_gps(7) == {}


def test_names_that_no_camera_has_are_cut_short_so_that_a_picture_can_hold_them(tmp_path: Path) -> None:
    named = [(271, "s", 0, "M" * 100_000, True), (272, "s", 0, "T" * 100_000, True)]
    raw = read_raw(write_dng(tmp_path / "a.dng", values(), extra_tags=named))
    assert (len(raw.capture.make), len(raw.capture.model)) == (LONGEST_TEXT, LONGEST_TEXT)
    for name in ("a.jpg", "a.png", "a.tif"):
        save_picture(tmp_path / name, np.zeros((4, 4, 3), np.uint8), raw.capture)


@pytest.mark.parametrize(
    "tag",
    [(306, "s", 0, "99999:99:99 99:99:99", True), (33437, "2I", 1, (2**32 - 1, 1), True), (33434, "d", 1, 1e-9, True)],
)
def test_facts_that_cannot_be_are_unknown_and_no_fault_of_the_picture(tmp_path: Path, tag: tuple[object, ...]) -> None:
    capture = read_raw(write_dng(tmp_path / "a.dng", values(), extra_tags=[tag])).capture
    assert (capture.taken, capture.f_number, capture.exposure_s) == (None, None, None)
    assert capture.camera == "Test camera"


def test_the_crop_of_a_dng_is_counted_from_its_visible_area(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "a.dng", values(), active_area=(2, 4, 38, 58), default_crop=(6, 4, 40, 30))
    raw = read_raw(path)
    assert raw.mosaic.shape == (36, 54)
    assert raw.crop == (4, 6, 30, 40)
    assert render_image(raw).shape == (30, 40, 3)
    assert read_raw(write_dng(tmp_path / "b.dng", values())).crop is None


@pytest.mark.parametrize("cfa", ["RGGB", "GBRG"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_libraw_shows_the_same_pixels(tmp_path: Path, cfa: str, orientation: int) -> None:
    coarse = np.random.default_rng(1).uniform(200, 900, (32, 42))
    blocks = coarse.repeat(4, 0).repeat(4, 1)
    smooth = sum(blocks[dy : 120 + dy, dx : 160 + dx] for dy in range(4) for dx in range(4)) / 16
    path = write_dng(
        tmp_path / "a.dng",
        smooth.astype(np.uint16),
        cfa=cfa,
        black=(0,) * 4,
        orientation=orientation,
        default_crop=(20, 10, 100, 80),
    )
    raw = read_raw(path)
    theirs, ours = render_by_libraw(np.uint8, raw).astype(float), render_image(raw).astype(float)
    assert theirs.shape == ours.shape == ((80, 100, 3) if orientation == 1 else (100, 80, 3))
    inner = ours[6:-6, 6:-6, 1]
    likeness = {
        (down, right): np.corrcoef(np.roll(theirs[..., 1], (down, right), (0, 1))[6:-6, 6:-6].ravel(), inner.ravel())[
            0, 1
        ]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }
    assert max(likeness, key=lambda shift: likeness[shift]) == (0, 0)
    assert render_by_libraw(np.uint16, raw).dtype == np.uint16
    assert libraw_name().startswith("LibRaw 0.")


def test_a_file_that_vanished_is_one_line(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "a.dng", values())
    raw = read_raw(path)
    path.unlink()
    with pytest.raises(InputError, match="without the comparison"):
        render_by_libraw(np.uint8, raw)


def test_a_real_crw_says_what_took_it(shared_data: Path) -> None:
    raw = read_raw(shared_data / "raw_camera/canon_s40/CRW_0101.CRW")
    assert raw.capture.camera == "Canon PowerShot S40"
    assert raw.capture.iso == 50
    assert raw.capture.taken == datetime(2021, 4, 8, 14, 51, 12)
    assert raw.crop == (8, 20, 1704, 2272)
