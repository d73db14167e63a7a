import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas_isp.cli.app import main
from nas_isp.data.pairs import load_pairs
from nas_isp.raw.classical import render_image
from nas_isp.raw.readers import read_raw
from tests.dng_files import write_dng

SENSOR = '{"cfa": "GRBG", "bits": 10, "black": 25, "white": 1023}'


@pytest.fixture
def nas_isp(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs the program; returns exit code, stdout and the last line of stderr."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err.strip().split("\n")[-1]

    return run


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with a mosaic, a photo, a broken file and things that are neither, in two levels."""
    folder = tmp_path / "mixed"
    (folder / "deeper").mkdir(parents=True)
    mosaic = np.full((16, 24), 300, np.uint16)
    mosaic[0, :6] = 1023
    Image.fromarray(mosaic).save(folder / "deeper" / "mosaic.png")
    (folder / "deeper" / "sensor.json").write_text(SENSOR)
    Image.new("RGB", (40, 30), (10, 20, 255)).save(folder / "photo[b].png")
    (folder / "broken.dng").write_bytes(b"II*\0 nothing")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_inspect_reports_each_file_as_the_program_reads_it(nas_isp, mixed: Path) -> None:
    code, out, _ = nas_isp("data", "inspect", mixed, "--format", "json")
    rows = {Path(row["file"]).name: row for row in json.loads(out)}
    assert code == 0
    assert sorted(rows) == ["broken.dng", "mosaic.png", "photo[b].png"]
    raw = rows["mosaic.png"]
    assert (raw["kind"], raw["width"], raw["height"], raw["cfa"]) == ("raw", 24, 16, "GRBG")
    assert (raw["black"], raw["white"], raw["white_balance"], raw["flip"]) == ([25] * 4, 1023, None, 0)
    assert (raw["lowest"], raw["highest"]) == (300, 1023)
    assert raw["saturated"] == pytest.approx(6 / (16 * 24))
    photo = rows["photo[b].png"]
    assert (photo["kind"], photo["width"], photo["height"], photo["lowest"]) == ("photo", 40, 30, 10)
    assert rows["broken.dng"]["kind"] == "unreadable"
    assert "broken.dng" in rows["broken.dng"]["reason"]


def test_inspect_prints_a_row_a_file_and_the_broken_ones_below(nas_isp, mixed: Path) -> None:
    code, out, _ = nas_isp("data", "inspect", mixed)
    assert code == 0
    row = next(line for line in out.splitlines() if "mosaic.png" in line)
    assert all(
        part in row for part in ("deeper/mosaic.png", "raw", "24x16", "GRBG", "25", "1023", "300..1023", "1.56%")
    )
    assert "photo[b].png" in out
    *_, unreadable, sensors, balance, matrix, enough, following = out.splitlines()
    assert unreadable.startswith("unreadable: ")
    assert sensors.startswith("1 capture of one sensor")
    assert (balance[:16], matrix[:15]) == ("no white balance", "no color matrix")
    assert enough.startswith("few captures: light and noise")
    assert following.startswith(f"next: nas-isp search --raw {mixed}")


def test_inspect_takes_the_sensor_from_the_command_line(nas_isp, mixed: Path) -> None:
    file = mixed / "deeper" / "mosaic.png"
    code, out, _ = nas_isp("data", "inspect", file, "--sensor", "zrr", "--format", "json")
    assert code == 0
    assert json.loads(out)[0]["cfa"] == "RGGB"


@pytest.mark.parametrize("case", ["missing", "empty", "text", "broken", "sensor"])
def test_inspect_of_nothing_readable_ends_with_one_line_and_code_2(nas_isp, mixed: Path, case: str) -> None:
    (mixed / "empty").mkdir()
    target = {"missing": "nowhere", "empty": "empty", "text": "notes.txt", "broken": "broken.dng", "sensor": ""}[case]
    sensor = ["--sensor", "unheard-of"] if case == "sensor" else []
    code, out, error = nas_isp("data", "inspect", mixed / target, *sensor)
    assert (code, out) == (2, "")
    assert error.startswith("nas-isp: ")


def photos(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        small.resize((81, 61), Image.Resampling.BICUBIC).save(folder / f"p{number}.png")
    return folder


@pytest.mark.parametrize(
    ("side", "reason"), [(11_000, "11000x11000 pixels; at most 110000000 are read"), (20_000, "more than 110000000")]
)
def test_inspect_calls_a_color_picture_too_large_and_no_mosaic(nas_isp, mixed: Path, side: int, reason: str) -> None:
    content = bytearray((mixed / "photo[b].png").read_bytes())
    struct.pack_into(">II", content, 16, side, side)
    struct.pack_into(">I", content, 29, zlib.crc32(content[12:29]))
    for folder in (mixed, mixed / "deeper"):  # without and with a description of a sensor
        (folder / "large.png").write_bytes(content)
    _, out, _ = nas_isp("data", "inspect", mixed, "--format", "json")
    rows = [row for row in json.loads(out) if row["file"].endswith("large.png")]
    assert len(rows) == 2
    for row in rows:
        assert row["kind"] == "unreadable"
        assert reason in row["reason"]


def test_synthesize_makes_pairs_that_the_program_reads_back(nas_isp, tmp_path: Path) -> None:
    rgb = photos(tmp_path / "photos")
    code, out, _ = nas_isp("data", "synthesize", "--rgb", rgb, "-o", tmp_path / "made")
    assert code == 0
    assert out.startswith("3 pairs")
    pairs = load_pairs(tmp_path / "made")
    assert [pair.stem for pair in pairs] == ["p0", "p1", "p2"]
    for pair in pairs:
        original = np.asarray(Image.open(rgb / f"{pair.stem}.png"))
        assert np.array_equal(pair.photo, original[:60, :80])
        shown = render_image(pair.raw).astype(float).mean(axis=-1)
        assert np.corrcoef(shown.ravel(), pair.photo.mean(axis=-1).ravel())[0, 1] > 0.8
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_synthesize_repeats_itself_for_a_seed_and_cuts_patches(nas_isp, tmp_path: Path) -> None:
    rgb = photos(tmp_path / "photos")
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        settings = ("--seed", seed, "--limit", 2, "--patch", 32, "--format", "json")
        code, out, _ = nas_isp("data", "synthesize", "--rgb", rgb, "-o", tmp_path / name, *settings)
        assert code == 0
        assert json.loads(out)["pairs"] == 2
    mosaics = [read_raw(tmp_path / name / "raw" / "p0.png").mosaic for name in "abc"]
    assert mosaics[0].shape == (32, 32)
    assert np.array_equal(mosaics[0], mosaics[1])
    assert not np.array_equal(mosaics[0], mosaics[2])


@pytest.mark.parametrize("case", ["occupied", "no_photos", "odd_patch", "large_patch", "file_in_the_way"])
def test_synthesize_refuses_what_it_cannot_do_and_leaves_nothing_behind(nas_isp, tmp_path: Path, case: str) -> None:
    rgb, out = photos(tmp_path / "photos"), tmp_path / "made"
    more: tuple[object, ...] = ()
    if case == "occupied":
        out.mkdir()
        (out / "mine.txt").touch()
    elif case == "no_photos":
        rgb = tmp_path
    elif case == "file_in_the_way":
        (tmp_path / "file").touch()
        out = tmp_path / "file" / "made"
    else:
        more = ("--patch", 33 if case == "odd_patch" else 64)
    before = sorted(tmp_path.rglob("*"))
    code, _, error = nas_isp("data", "synthesize", "--rgb", rgb, "-o", out, *more)
    assert code == 2
    assert error.startswith("nas-isp: ")
    assert sorted(tmp_path.rglob("*")) == before


def test_synthesize_names_the_real_size_of_a_photo_that_is_too_small(nas_isp, tmp_path: Path) -> None:
    for name, size in (("one.png", (1, 1)), ("tiny.png", (7, 5))):
        rgb = tmp_path / name[0]
        rgb.mkdir()
        Image.new("RGB", size).save(rgb / name)
        _, _, error = nas_isp("data", "synthesize", "--rgb", rgb, "-o", tmp_path / "out", "--patch", 64)
        assert f"{name}: {size[0]}x{size[1]} pixels is smaller than 64x64" in error


def test_inspect_reads_the_real_files(nas_isp, shared_data: Path) -> None:
    code, out, _ = nas_isp("data", "inspect", shared_data / "raw_phone", "--format", "json")
    assert code == 0
    assert {row["cfa"] for row in json.loads(out)} == {"RGGB", "GRBG", "GBRG", "BGGR"}


def test_inspect_shows_the_noise_that_a_file_says_beside_the_one_it_shows(nas_isp, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    light = np.tile(np.linspace(0.05, 0.8, 256), (256, 1))
    noisy = light + np.sqrt(1e-3 * light + 1e-5) * rng.standard_normal(light.shape)
    mosaic = np.clip(np.rint(64 + noisy * (16383 - 64)), 0, 16383).astype(np.uint16)
    profile = [(51041, "d", 2, (1e-3, 1e-5), True)]
    write_dng(tmp_path / "a.dng", mosaic, black=(64, 64, 64, 64), white=16383, extra_tags=profile)
    code, out, _ = nas_isp("data", "inspect", tmp_path / "a.dng", "--format", "json")
    assert code == 0
    fact = json.loads(out)[0]
    assert fact["noise"] == pytest.approx([1e-3, 1e-5])
    assert fact["estimated_noise"][0] == pytest.approx(1e-3, rel=0.2)
    _, out, _ = nas_isp("data", "inspect", tmp_path / "a.dng")
    assert "noise profile of the file: variance 0.001 x + 1e-05; estimated from the picture: variance" in out
