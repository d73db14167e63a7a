"""Headers of all files are looked at, pixels only of a sample of large folders."""

import numpy as np
import pytest

from nas_isp.data import inspection, pixel_sample
from nas_isp.data.inspection import inspect_files, of_a_sample
from nas_isp.data.pixel_sample import of_each_camera, sampled, spread
from tests.dng_files import write_dng

PROFILE = [(51041, "d", 2, (1e-3, 1e-6), True)]


@pytest.fixture
def large(monkeypatch):
    """Every folder counts as large."""
    monkeypatch.setattr(pixel_sample, "WHOLE_BYTES", 0)


@pytest.fixture
def reads(monkeypatch):
    """Files whose pixels are read."""
    found = []
    for name in ("read_raw", "read_photo"):
        real = getattr(inspection, name)
        monkeypatch.setattr(
            inspection, name, lambda path, *given, real=real: (found.append(path.name), real(path, *given))[1]
        )
    return found


def test_pixels_of_a_large_folder_are_read_of_a_sample_of_each_kind(tmp_path, large, reads, write_mosaic, noise):
    for number in range(40):
        write_dng(tmp_path / f"{number:02}.dng", noise(64, 64).astype(np.uint16), extra_tags=PROFILE)
        write_mosaic(tmp_path / f"{number:02}.png", noise(16, 16))
    facts = inspect_files(tmp_path)
    assert len(reads) == 32
    assert sum(name.endswith(".dng") for name in reads) == 16
    assert {fact.kind for fact in facts} == {"raw"}
    assert all(fact.black and fact.sensor and fact.width for fact in facts)
    assert sum(fact.saturated is not None for fact in facts) == 32
    assert [fact.noise for fact in facts if fact.file.endswith(".dng")] == [(1e-3, 1e-6)] * 40
    assert of_a_sample(facts) == ["values, saturation and noise measured in 32 of 80 files, headers read in all"]


def test_small_folders_are_read_whole(tmp_path, reads, noise):
    for number in range(20):
        write_dng(tmp_path / f"{number:02}.dng", noise(32, 32).astype(np.uint16))
    facts = inspect_files(tmp_path)
    assert len(reads) == 20
    assert of_a_sample(facts) == []


def test_photos_show_their_upright_size_by_their_header(tmp_path, large, reads, noise):
    from PIL import Image

    for number in range(20):
        exif = Image.Exif()
        exif[274] = 6
        Image.fromarray(noise(8, 24, 3, low=0, high=256).astype(np.uint8)).save(
            tmp_path / f"{number:02}.jpg", exif=exif
        )
    facts = inspect_files(tmp_path)
    assert len(reads) == 16
    assert {(fact.width, fact.height) for fact in facts} == {(8, 24)}


def test_a_damaged_header_is_still_a_row_with_its_reason(tmp_path, large, noise):
    for number in range(20):
        write_dng(tmp_path / f"{number:02}.dng", noise(32, 32).astype(np.uint16))
    (tmp_path / "19.dng").write_bytes((tmp_path / "19.dng").read_bytes()[:-50])
    (tmp_path / "18.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    facts = {fact.file[-6:]: fact for fact in inspect_files(tmp_path)}
    assert facts["19.dng"].kind == "unreadable"
    assert facts["18.png"].kind == "unreadable"


def test_camera_files_that_only_decoding_tells_about_are_decoded_in_part_and_said(tmp_path, large, monkeypatch, noise):
    for number in range(40):
        write_dng(tmp_path / f"{number:02}.dng", noise(32, 32).astype(np.uint16))
    monkeypatch.setattr(inspection, "told_header", lambda *given: None)
    facts = inspect_files(tmp_path)
    known = [fact for fact in facts if fact.sensor is not None]
    assert 16 <= len(known) < 40
    assert all(fact.kind == "raw" for fact in facts)
    assert of_a_sample(facts)[1].startswith(f"size, levels, light and matrix not known of {40 - len(known)} camera")


def test_a_sample_is_spread_and_has_some_of_each_camera(tmp_path, noise):
    for number in range(40):
        names = [(271, "s", 0, "Maker", True), (272, "s", 0, "Rare" if number == 33 else "Common", True)]
        write_dng(tmp_path / f"{number:02}.dng", noise(32, 32).astype(np.uint16), extra_tags=names)
    files = sorted(tmp_path.iterdir())
    assert spread(files, 4) == [files[0], files[10], files[20], files[30]]
    assert files[33] in of_each_camera(files)
    assert sampled(files) == set(files)
