"""`nas-isp develop`: pictures where they were asked for, and broken photos that stop nobody else."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from nas_isp.cli.app import main
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build
from nas_isp.generators.bundle import Bundle, BundleRecord, load_bundle, save_bundle
from nas_isp.raw.sensor import SensorDescription
from tests.dng_files import gain_map, opcode_list, write_dng

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=6),))
SENSOR = SensorDescription(cfa="BGGR", bits=10, black=64, white=1023)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A folder with a model and a folder `raw` of two photos."""
    torch.manual_seed(0)
    save_bundle(
        tmp_path / "m.safetensors", Bundle(BundleRecord(architecture=SMALL, sensor=SENSOR), build(SMALL).state_dict())
    )
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "sensor.json").write_text(SENSOR.model_dump_json())
    for seed, name in enumerate(("a", "b")):
        mosaic = np.random.default_rng(seed).integers(64, 1024, (24, 36)).astype(np.uint16)
        np.save(tmp_path / "raw" / f"{name}.npy", mosaic)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["nas-isp", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


def test_one_photo_goes_to_the_named_file_with_the_classical_one_beside(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = scene / "a.jpg"
    assert run(monkeypatch, "develop", scene / "m.safetensors", scene / "raw/a.npy", "-o", target, "--compare") == 0
    captured = capsys.readouterr()
    assert captured.out.split() == [str(target), str(scene / "a_classical.jpg")]
    assert "rendered by nas-isp" in captured.err
    sizes = {Image.open(scene / name).size for name in ("a.jpg", "a_classical.jpg")}
    assert sizes == {(34, 22)}  # BGGR: one row and column cut on both sides


def test_a_folder_of_photos_goes_to_a_folder(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "develop", scene / "m.safetensors", scene / "raw", "-o", scene / "out", "--tile", "16") == 0
    assert sorted(path.name for path in (scene / "out").iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize(("format", "suffix"), [("jpg", ".jpg"), ("tiff", ".tiff")])
def test_a_batch_is_written_in_the_asked_format(
    scene: Path, monkeypatch: pytest.MonkeyPatch, format: str, suffix: str
) -> None:
    options = ("--format", format)
    assert run(monkeypatch, "develop", scene / "m.safetensors", scene / "raw", "-o", scene / "out", *options) == 0
    assert sorted(path.name for path in (scene / "out").iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_a_camera_file_is_compared_with_libraw_and_adapted_with_a_warning(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = load_bundle(scene / "m.safetensors")
    sensor = SENSOR.model_copy(update={"name": "own", "white_balance": (1.5, 1.0, 2.0)})
    save_bundle(scene / "m.safetensors", replace(bundle, record=bundle.record.model_copy(update={"sensor": sensor})))
    mosaic = np.random.default_rng(0).integers(100, 800, (24, 36)).astype(np.uint16)
    photo = write_dng(scene / "c.dng", mosaic, exposure_s=(1, 60))
    pictures = {}
    for options in ((), ("--no-adapt",), ("--compare",)):
        target = scene / f"c{''.join(options)}.tif"
        assert run(monkeypatch, "develop", scene / "m.safetensors", photo, "-o", target, *options) == 0
        pictures[options] = tifffile.imread(target)
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == {(): 1, ("--no-adapt",): 0, ("--compare",): 2}[options]
        if options != ("--no-adapt",):
            assert "from Test T1, the model is for own; brought there by its white balance" in lines[0]
    assert "rendered by LibRaw" in lines[1]
    assert not np.array_equal(pictures[()], pictures["--no-adapt",])
    with tifffile.TiffFile(scene / "c--compare_classical.tif") as tiff:
        assert tiff.asarray().shape == pictures[()].shape
        assert "LibRaw" in tiff.pages.first.tags["Software"].value


def test_a_broken_photo_does_not_stop_the_others(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (scene / "raw" / "a.npy").write_bytes(b"broken")
    assert run(monkeypatch, "develop", scene / "m.safetensors", scene / "raw", "-o", scene / "out") == 2
    captured = capsys.readouterr()
    assert captured.out.split() == [str(scene / "out" / "b.png")]
    assert "a.npy" in captured.err
    assert "1 of 2 photos" in captured.err.splitlines()[-1]
    assert [path.name for path in (scene / "out").iterdir()] == ["b.png"]


@pytest.mark.parametrize(
    ("photos", "out", "options"),
    [
        (["raw/a.png"], "raw/a.png", []),
        (["raw/a.png"], "raw", []),
        (["raw"], "link", []),
        (["a_classical.png"], "a.png", ["--compare"]),
    ],
)
def test_a_raw_photo_is_never_overwritten(
    scene: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    photos: list[str],
    out: str,
    options: list[str],
) -> None:
    monkeypatch.chdir(scene)
    Path("link").symlink_to("raw")
    mosaic = Image.fromarray(np.full((24, 36), 100, np.uint16))
    for name in ("raw/a.png", "a_classical.png"):
        mosaic.save(name)
    for name in ("raw/a.npy", "raw/b.npy"):
        Path(name).unlink()
    before = Path("raw/a.png").read_bytes()
    assert run(monkeypatch, "develop", "m.safetensors", *photos, "-o", out, *options) == 2
    captured = capsys.readouterr()
    assert "would be overwritten" in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    assert Path("raw/a.png").read_bytes() == before


def test_photos_of_one_name_are_refused_before_any_work(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "develop", scene / "m.safetensors", *[scene / "raw/a.npy"] * 2, "-o", scene / "out") == 2
    assert "two pictures would be named 'a.png'" in capsys.readouterr().err
    assert not (scene / "out").exists()


def test_both_photos_of_one_name_are_named(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (scene / "more").mkdir()
    (scene / "raw/b.npy").rename(scene / "more/a.npy")
    assert run(monkeypatch, "develop", scene / "m.safetensors", scene / "raw", scene / "more", "-o", scene / "out") == 2
    assert f"of {scene}/raw/a.npy and of {scene}/more/a.npy" in capsys.readouterr().err


def test_what_a_shell_gives_beside_photos_is_left_out_or_refused_on_its_own(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two descriptions of sensors would else be two pictures of one name."""
    (scene / "more").mkdir()
    (scene / "raw/b.npy").rename(scene / "more/b.npy")
    (scene / "more/sensor.json").write_bytes((scene / "raw/sensor.json").read_bytes())
    arguments = ("develop", scene / "m.safetensors", *sorted(scene.glob("[rm]*/*")), "-o", scene / "out")
    assert run(monkeypatch, *arguments) == 0
    captured = capsys.readouterr()
    assert captured.err.count("sensor.json: describes a sensor and is no photo; left out") == 2
    assert sorted(path.name for path in (scene / "out").iterdir()) == ["a.png", "b.png"]
    for name in ("raw/a.mat", "more/a.mat"):
        (scene / name).touch()
    assert run(monkeypatch, *arguments, *scene.glob("*/a.mat"), scene / "absent") == 2
    captured = capsys.readouterr()
    assert len(captured.out.split()) == 2
    assert "3 of 5 photos could not be developed" in captured.err.splitlines()[-1]


def test_a_folder_without_raw_stops_no_other(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "develop", scene / "m.safetensors", scene, scene / "raw", "-o", scene / "out") == 2
    captured = capsys.readouterr()
    assert "no RAW file in it itself, but in its folders raw; give one of those" in captured.err.splitlines()[0]
    assert sorted(path.name for path in (scene / "out").iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("photos", [["."], ["raw/sensor.json"], ["raw/sensor.json", "raw/sensor.json"], [".", "none"]])
def test_no_photo_at_all_is_one_line(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], photos: list[str]
) -> None:
    monkeypatch.chdir(scene)
    assert run(monkeypatch, "develop", "m.safetensors", *photos, "-o", "out") == 2
    captured = capsys.readouterr()
    assert sum(line.startswith("nas-isp: ") for line in captured.err.splitlines()) == 1
    assert not Path("out").exists()


def test_a_classical_picture_never_takes_the_place_of_another_photos(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (scene / "raw/b.npy").rename(scene / "raw/a_classical.npy")
    arguments = ("develop", scene / "m.safetensors", scene / "raw", "-o", scene / "out")
    assert run(monkeypatch, *arguments, "--compare") == 2
    assert "two pictures would be named 'a_classical.png'" in capsys.readouterr().err
    assert not (scene / "out").exists()
    assert run(monkeypatch, *arguments) == 0


def test_a_light_that_is_none_is_refused(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("develop", scene / "m.safetensors", scene / "raw", "-o", scene / "out", "--light", "sunny")
    assert run(monkeypatch, *arguments) == 2
    assert "light 'sunny': give as-shot, estimated, fixed, or three gains" in capsys.readouterr().err


def test_a_format_that_contradicts_the_name_of_the_picture_is_refused(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("develop", scene / "m.safetensors", scene / "raw/a.npy", "-o")
    assert run(monkeypatch, *arguments, scene / "a.png", "--format", "jpg") == 2
    assert "a.png and format jpg contradict each other" in capsys.readouterr().err
    assert not (scene / "a.png").exists()
    assert run(monkeypatch, *arguments, scene / "a.jpeg", "--format", "jpg") == 0
    assert run(monkeypatch, *arguments, scene / "a.jpg") == 0


def test_a_place_that_cannot_be_written_is_named_before_any_photo_is_developed(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (scene / "out" / "b.png").mkdir(parents=True)
    assert run(monkeypatch, "develop", scene / "m.safetensors", scene / "raw", "-o", scene / "out") == 2
    captured = capsys.readouterr()
    assert "b.png: is a folder" in captured.err
    assert captured.out == ""
    assert not (scene / "out" / "a.png").exists()


@pytest.mark.parametrize(
    ("model", "photo", "out", "reason"),
    [
        ("none.safetensors", "raw/a.npy", "a.png", "none.safetensors"),
        ("none.tflite", "raw/a.npy", "a.png", "none.tflite"),
        ("none.safetensors", "raw", "out", "none.safetensors"),
        ("m.safetensors", "raw/none.npy", "a.png", "no such file"),
        ("m.safetensors", "raw/a.npy", "a.webp", ".png, .jpg"),
        ("m.safetensors", "raw", "a.png", "give a folder"),
        ("m.safetensors", "raw/a.npy", "none/a.png", "no such folder"),
        ("m.safetensors", "m.safetensors", "a.png", "RAW"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    scene: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: str,
    photo: str,
    out: str,
    reason: str,
) -> None:
    monkeypatch.chdir(scene)
    assert run(monkeypatch, "develop", model, photo, "-o", out) == 2
    captured = capsys.readouterr()
    assert len(captured.err.strip().splitlines()) == 1
    assert reason in captured.err
    assert captured.out == ""
    assert sorted(path.name for path in scene.iterdir()) == ["m.safetensors", "raw"]


def test_an_exported_file_develops_the_same_picture(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nas_isp.export.export import export_bundle
    from nas_isp.export.exporters import Form
    from nas_isp.generators.bundle import load_bundle

    export_bundle(load_bundle(scene / "m.safetensors"), scene / "m.onnx", Form("onnx", packed_size=(8, 12)))
    for model in ("m.safetensors", "m.onnx"):
        assert run(monkeypatch, "develop", scene / model, scene / "raw/b.npy", "-o", scene / f"{model}.png") == 0
    pictures = [np.asarray(Image.open(scene / f"m.{kind}.png")).astype(int) for kind in ("safetensors", "onnx")]
    assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_lens_shading_is_undone_for_the_model_and_for_libraw_unless_it_is_switched_off(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flat scene behind a lens: flat in both pictures, or darker in the corners in both."""
    y, x = np.linspace(-1, 1, 33)[:, None], np.linspace(-1, 1, 33)
    gains = (1 + (y**2 + x**2)).astype(np.float32)
    size = 128
    at = (np.arange(size) + 0.5) / size * 2 - 1
    stored = np.rint(64 + 400 / (1 + at[:, None] ** 2 + at**2)).astype(np.uint16)
    content = opcode_list(gain_map(gains, (0, 0, size, size)), (1, b""))
    write_dng(scene / "a.dng", stored, black=(64, 64, 64, 64), extra_tags=[(51009, "B", len(content), content, True)])
    spread = {}
    for switch in ("--shading", "--no-shading"):
        target = scene / f"{switch}.png"
        model = scene / "m.safetensors"
        assert run(monkeypatch, "develop", model, scene / "a.dng", "-o", target, "--compare", "--no-adapt", switch) == 0
        said = capsys.readouterr().err
        assert ("lens shading corrected by the file's gain map" in said) == (switch == "--shading")
        assert ("the file's lens shading gain map is not applied" in said) == (switch == "--no-shading")
        assert "WarpRectilinear of the file's OpcodeList2 is not applied" in said
        classical = np.asarray(Image.open(scene / f"{switch}_classical.png"))[8:-8, 8:-8].astype(int)
        spread[switch] = np.ptp(classical.reshape(-1, 3), axis=0)
        developed = np.asarray(Image.open(target))[8:-8, 8:-8].astype(int)
        spread[f"{switch} model"] = np.ptp(developed.reshape(-1, 3), axis=0)
    assert spread["--shading"].max() <= 6
    assert spread["--no-shading"].max() >= 60
    assert spread["--shading model"].max() < spread["--no-shading model"].max()


def test_lens_shading_is_left_in_for_a_model_that_was_trained_so(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(scene / "raw/map.npy", np.array([[2.0, 1.0], [1.0, 2.0]]))
    (scene / "raw/captures.tsv").write_text("file\tshading\na.npy\tmap.npy\n")
    model = scene / "left.safetensors"
    sensor = SENSOR.model_copy(update={"shading_left": True})
    save_bundle(model, Bundle(BundleRecord(architecture=SMALL, sensor=sensor), build(SMALL).state_dict()))
    applied, left = "lens shading corrected by the gain map beside it", "the lens shading gain map beside it is not"
    for name, switch, line, trained in (
        ("left", [], left, None),
        ("left", ["--shading"], applied, "trained without gain maps against lens shading, and is shown this file with"),
        ("m", [], applied, None),
        ("m", ["--no-shading"], left, "trained with gain maps against lens shading, and is shown this file without"),
    ):
        photo, target = scene / "raw/a.npy", scene / "a.png"
        assert run(monkeypatch, "develop", scene / f"{name}.safetensors", photo, "-o", target, *switch) == 0
        said = capsys.readouterr().err
        assert line in said
        assert (trained in said) if trained else ("the model was trained" not in said)
    assert run(monkeypatch, "develop", model, scene / "raw/b.npy", "-o", scene / "b.png", "--shading") == 0
    assert "the model was trained" not in capsys.readouterr().err  # the file brings no map
