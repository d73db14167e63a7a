"""Files of networks that take balanced RAW: with the gains as an input of their own, or in the weights."""

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from PIL import Image

from nas_isp.develop.pipeline import develop, develop_packed, whole_picture_means
from nas_isp.errors import InputError
from nas_isp.export import verify
from nas_isp.export.calibration_set import DEMO, calibration_pictures
from nas_isp.export.export import describe, export_bundle
from nas_isp.export.exporters import EXPORTERS, Form
from nas_isp.export.fixed_light import gains_to_fold, light_to_fold
from nas_isp.export.report import ExportReport
from nas_isp.formats import tflite_file
from nas_isp.formats.record import InputForm, OutputForm
from nas_isp.generators.bundle import Bundle
from nas_isp.generators.folded_gains import fold_gains
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.kernels.from_tflite import kernels_of_tflite
from nas_isp.precision import Precision
from nas_isp.raw.image import RawImage
from nas_isp.raw.levels import from_sensor_values, to_sensor_values
from nas_isp.raw.network_input import NetworkInput, factors_in_light
from nas_isp.raw.packing import pack
from nas_isp.raw.sensor import Gains
from nas_isp.runtimes.load import open_runner
from nas_isp.runtimes.torch_runner import TorchRunner
from tests.export.export_cases import PLAIN_CASES, bundle_of
from tests.export.other_runtimes import BOARD_PROGRAM, run_programs

FOLDER = TemporaryDirectory()
SIZE = (64, 96)
TAKES = NetworkInput(kind="balanced", white_balance=(1.9, 1.0, 1.5), brightness=-1.0, slope=-0.4)
LIGHTS: tuple[Gains, ...] = ((2.0, 1.0, 1.6), (1.3, 1.0, 2.6), (2.7, 1.0, 1.1))
FIXED: Gains = (1.7, 1.0, 2.1)
CASES = ("plain", "residual", "separable", "quarter-color-head")
"""What reads the planes: a convolution, a sum, a depthwise convolution, a color head."""

FILE_FORMS: tuple[tuple[str, Precision, InputForm, OutputForm], ...] = (
    ("onnx", "fp32", "normalised", "float"),
    ("onnx", "fp16", "raw", "uint8"),
    ("tflite", "fp32", "normalised", "float"),
    ("tflite", "fp16", "normalised", "float"),
    ("tflite", "fp32", "raw", "float"),
    ("tflite", "int8", "normalised", "float"),
    ("tflite", "int8", "raw", "uint8"),
)


def balanced_bundle(name: str, takes: NetworkInput = TAKES) -> Bundle:
    bundle = bundle_of(PLAIN_CASES[name])
    return replace(bundle, record=bundle.record.model_copy(update={"network_input": takes}))


@cache
def exported(
    name: str,
    runtime: str,
    precision: Precision = "fp32",
    input: InputForm = "normalised",
    output: OutputForm = "float",
    folded: Gains | None = None,
    size: tuple[int, int] | None = SIZE,
) -> ExportReport:
    """The report about one exported file; each is made once."""
    path = Path(FOLDER.name) / f"{name} {precision} {input} {output} {folded} {size}.{runtime}"
    return export_bundle(balanced_bundle(name), path, Form(runtime, precision, size, input, output, folded))


def capture(light: Gains, seed: int = 0) -> RawImage:
    """A smooth scene with noise in a light of known gains; its file says the light."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 2 * SIZE[0], 0 : 2 * SIZE[1]]
    scene = 0.3 + 0.2 * np.sin(x / 17) + 0.1 * np.cos(y / 11) + rng.normal(0, 0.005, x.shape)
    seen = np.tile([[1 / light[0], 1.0], [1.0, 1 / light[2]]], SIZE)
    mosaic = np.clip(np.rint(64 + 959 * scene * seen), 0, 1023).astype(np.uint16)
    return RawImage(mosaic=mosaic, cfa="RGGB", black=(64.0,) * 4, white=1023.0, white_balance=light)


def planes_and_factors(light: Gains) -> tuple[np.ndarray, np.ndarray]:
    """The exact planes of a capture's sensor values, and their factors."""
    packed = pack(capture(light))
    levels = (64.0,) * 4, 1023.0
    packed = from_sensor_values(to_sensor_values(packed, *levels), *levels)
    factors = factors_in_light(packed, TAKES, light)
    assert factors is not None
    return packed, factors


def closeness(given: np.ndarray, expected: np.ndarray) -> float:
    """PSNR in dB of pictures cut to 0..1."""
    return float(-10 * np.log10(max(np.square(given.clip(0, 1) - expected.clip(0, 1)).mean(), 1e-12)))


def check_file_equals_bundle(name: str, form: tuple[str, Precision, InputForm, OutputForm]) -> None:
    runtime, precision, input, output = form
    runner = open_runner(Path(exported(name, runtime, precision, input, output).file))
    bundle = TorchRunner(balanced_bundle(name), "bundle")
    for light in LIGHTS:
        packed, factors = planes_and_factors(light)
        given, expected = runner.run(packed, factors=factors), bundle.run(packed, factors=factors)
        assert closeness(given, expected) > (verify.LEAST_INT8_PSNR_DB + 3 if precision == "int8" else 50)
        if precision == "fp32" and output == "float":
            assert np.abs(given - expected).max() < 5 * verify.TOLERANCE
        # Gains that are not the capture's give another picture.
        assert closeness(runner.run(packed), expected) < closeness(given, expected) - 5
        picture, wanted = (develop(one, capture(light)).astype(int) for one in (runner, bundle))
        assert np.abs(picture - wanted).mean() <= (3 if precision == "int8" else 0.5)


@pytest.mark.parametrize("name", CASES)
def test_an_onnx_file_makes_of_captures_in_several_lights_what_the_bundle_makes(name: str) -> None:
    check_file_equals_bundle(name, FILE_FORMS[0])


@pytest.mark.slow
@pytest.mark.parametrize("form", FILE_FORMS[1:], ids=" ".join)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(f"export of {name}")) for name in CASES]
)
def test_a_file_makes_of_captures_in_several_lights_what_the_bundle_makes(
    name: str, form: tuple[str, Precision, InputForm, OutputForm]
) -> None:
    check_file_equals_bundle(name, form)


def test_the_record_says_what_the_second_input_is() -> None:
    for runtime, shape in (("tflite", (1, 1, 1, 4)), ("onnx", (1, 4, 1, 1))):
        record = describe(balanced_bundle("plain"), Form(runtime, "fp32", SIZE))
        assert (record.gains_input, record.network_input, record.gains_shape) == (True, TAKES, shape)
        assert "exposure" in (record.gains_values or "")
        assert type(record).model_validate_json(record.model_dump_json()) == record
    assert "codes" not in describe(balanced_bundle("plain"), Form("tflite", "int8", SIZE)).input_values


def test_the_record_of_a_file_with_folded_gains_says_which() -> None:
    record = describe(balanced_bundle("plain"), Form("onnx", packed_size=SIZE, folded_gains=FIXED))
    assert (record.gains_input, record.folded_gains, record.network_input) == (False, FIXED, NetworkInput())
    assert record.sensor.white_balance == FIXED
    assert type(record).model_validate_json(record.model_dump_json()) == record


def test_the_record_of_a_network_that_takes_raw_as_it_is_says_nothing_of_light() -> None:
    text = describe(bundle_of(PLAIN_CASES["plain"]), Form("onnx")).model_dump_json()
    assert not any(word in text for word in ("gains_input", "gains_values", "folded_gains", "network_input"))


@pytest.mark.parametrize("name", PLAIN_CASES)
def test_folded_gains_are_the_gains_given(name: str) -> None:
    bundle = TorchRunner(balanced_bundle(name), "bundle")
    packed = np.random.default_rng(0).uniform(-0.1, 1, (4, 24, 32)).astype(np.float32)
    net, before = fold_gains(bundle.net, FIXED), bundle.run(packed)
    bundle_at_these_gains = bundle.run(packed, factors=np.array(FIXED, np.float32))
    assert np.array_equal(bundle.run(packed), before)
    bundle.net = net
    assert np.abs(bundle.run(packed) - bundle_at_these_gains).max() < 1e-5
    assert np.abs(before - bundle_at_these_gains).max() > 1e-3


@pytest.mark.parametrize("name", ["plain", "residual", "quarter-color-head"])
def test_an_onnx_file_with_folded_gains_is_the_other_at_these_gains(name: str) -> None:
    check_folded(name, "onnx", "fp32")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
@pytest.mark.parametrize("name", ["plain", "residual", "quarter-color-head"])
def test_a_tflite_file_with_folded_gains_is_the_other_at_these_gains(name: str, precision: Precision) -> None:
    check_folded(name, "tflite", precision)


def check_folded(name: str, runtime: str, precision: Precision) -> None:
    report = exported(name, runtime, precision, folded=FIXED)
    assert (report.folded_gains, report.gains_input) == (FIXED, False)
    folded, other = open_runner(Path(report.file)), open_runner(Path(exported(name, runtime, precision).file))
    packed, _ = planes_and_factors(FIXED)
    given, expected = folded.run(packed), other.run(packed, factors=np.array(FIXED, np.float32))
    assert closeness(given, expected) > {"fp32": 100, "fp16": 45, "int8": 33}[precision]
    with pytest.raises(InputError, match="takes no gains, they are in its weights"):
        folded.run(packed, factors=np.ones(3, np.float32))
    # A capture in this light comes out the same, up to the exposure that is not fixed.
    plain = TorchRunner(balanced_bundle(name, TAKES.model_copy(update={"slope": 0.0})), "bundle")
    apart = np.abs(develop(folded, capture(FIXED)).astype(int) - develop(plain, capture(FIXED)))
    assert apart.mean() <= (3 if precision == "int8" else 0.5)


@pytest.mark.parametrize("runtime", ["onnx", pytest.param("tflite", marks=pytest.mark.slow)])
def test_tiles_share_the_mean_of_the_balanced_picture(runtime: str) -> None:
    runner = open_runner(Path(exported("quarter-color-head", runtime).file))
    bundle = TorchRunner(balanced_bundle("quarter-color-head"), "bundle")
    packed, factors = planes_and_factors(LIGHTS[1])
    means = [whole_picture_means(one, packed, factors) for one in (runner, bundle)]
    assert np.allclose(*means, atol=1e-5)
    assert not np.allclose(whole_picture_means(runner, packed), means[0], atol=1e-3)
    whole = develop_packed(bundle, packed, 4096, factors=factors).astype(int)
    assert np.abs(develop_packed(runner, packed, 50, factors=factors) - whole).max() <= 1


@pytest.mark.parametrize("runtime", ["onnx", pytest.param("tflite", marks=pytest.mark.slow)])
def test_any_size_takes_gains_too(runtime: str) -> None:
    runner = open_runner(Path(exported("quarter-color-head", runtime, input="raw", output="uint8", size=None).file))
    assert runner.tile is None
    packed, factors = planes_and_factors(LIGHTS[2])
    bundle = TorchRunner(balanced_bundle("quarter-color-head"), "bundle")
    assert closeness(runner.run(packed, factors=factors), bundle.run(packed, factors=factors)) > 50


@pytest.mark.parametrize("runtime", ["onnx", pytest.param("tflite", marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", [(4,), (1, 1, 1, 4), (2,), ()])
def test_gains_that_are_not_three_are_named(runtime: str, shape: tuple[int, ...]) -> None:
    runner = open_runner(Path(exported("plain", runtime).file))
    packed, _ = planes_and_factors(FIXED)
    with pytest.raises(InputError, match="give three, of R, G and B"):
        runner.run(packed, factors=np.ones(shape, np.float32))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (1, 4), (1, 64, 96, 4)])
def test_a_tflite_file_whose_gains_have_another_shape_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    graph = tflite_file.parse(Path(exported("plain", "tflite").file).read_bytes())
    gains = graph.subgraphs[0].tensors[graph.subgraphs[0].inputs[1]]
    gains.shape = np.array(shape, np.int32)
    (tmp_path / "m.tflite").write_bytes(tflite_file.serialize(graph))
    with pytest.raises(InputError, match=r"m\.tflite"):
        open_runner(tmp_path / "m.tflite")


def test_an_onnx_file_without_the_gains_that_its_record_tells_of_is_refused(tmp_path: Path) -> None:
    from nas_isp.formats import onnx_file

    bare = export_bundle(bundle_of(PLAIN_CASES["plain"]), tmp_path / "bare.onnx", Form("onnx", packed_size=SIZE))
    model = onnx_file.parse(Path(bare.file).read_bytes())
    record = describe(balanced_bundle("plain"), Form("onnx", packed_size=SIZE))
    onnx_file.add_record(model, record.model_dump_json())
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"says that it takes gains, float32 of shape \(1, 4, 1, 1\), but it has one"):
        open_runner(tmp_path / "m.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_multiplication_comes_first_and_every_target_takes_it(precision: Precision) -> None:
    report, bare = exported("plain", "tflite", precision), exported("plain", "tflite", precision, folded=FIXED)
    assert report.gains_input
    added = {name: count - bare.ops.get(name, 0) for name, count in report.ops.items() if count != bare.ops.get(name)}
    assert added == ({"MUL": 1} if precision == "fp32" else {"MUL": 1, "QUANTIZE": 1})
    graph = tflite_file.parse(Path(report.file).read_bytes())
    first = graph.subgraphs[0].operators[0]
    assert tflite_file.operator_name(graph, first) == "MUL"
    assert [int(index) for index in first.inputs] == [int(index) for index in graph.subgraphs[0].inputs]
    kinds = [(tuple(map(int, graph.subgraphs[0].tensors[index].shape))) for index in graph.subgraphs[0].inputs]
    assert kinds == [(1, *SIZE, 4), (1, 1, 1, 4)]
    assert {name: left for name, left in report.left_to_cpu.items() if name != "mediatek-npu"} == {
        "xnnpack": [],
        "android-gpu": [],
        "qualcomm-npu": [],
    }


@pytest.mark.slow
def test_the_multiplication_is_priced_as_the_architecture_says() -> None:
    path = Path(exported("plain", "tflite").file)
    found, expected = kernels_of_tflite(path.read_bytes(), path), kernels_of(PLAIN_CASES["plain"], *SIZE, balanced=True)
    assert [kernel.label() for kernel in found] == [kernel.label() for kernel in expected]
    assert expected[1:] == kernels_of(PLAIN_CASES["plain"], *SIZE)
    assert (expected[0].op, expected[0].in_channels, expected[0].broadcast) == ("mul", 4, True)


@pytest.mark.slow
def test_the_boards_program_gives_the_gains(tmp_path: Path) -> None:
    path, light = Path(exported("plain", "tflite", input="raw", output="uint8").file), LIGHTS[1]
    mosaic, target = tmp_path / "mosaic.npy", tmp_path / "picture.ppm"
    np.save(mosaic, capture(light).mosaic)
    run_programs(sys.executable, [BOARD_PROGRAM, path, mosaic, target, "RGGB", f"{light[0]},{light[2]}"])
    expected = develop_packed(open_runner(path), pack(capture(light)), 4096, factors=np.array(light, np.float32))
    assert np.array_equal(np.asarray(Image.open(target)), expected)


def test_calibration_sees_balanced_captures_in_their_own_light() -> None:
    bare, found = DEMO.to_calibrate_on(), DEMO.to_calibrate_on(TAKES)
    assert bare.factors == [None] * len(bare.pictures)
    for picture, factors, given in zip(found.pictures, found.factors, found.given, strict=True):
        assert factors is not None
        assert np.allclose(given, picture * factors[[0, 1, 1, 2], None, None])
    assert len({tuple(factors.tolist()) for factors in found.factors if factors is not None}) > 1
    assert np.array_equal(calibration_pictures(found)[0], found.given[0])


def test_light_is_refused_where_it_means_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="takes RAW as the sensor gives it, without gains"):
        export_bundle(bundle_of(PLAIN_CASES["plain"]), tmp_path / "m.onnx", Form("onnx", folded_gains=FIXED))
    for text in ("as-shot", "estimated"):
        with pytest.raises(InputError, match="each capture's own"):
            light_to_fold(text)
    assert gains_to_fold(light_to_fold("4,2,3"), TAKES) == (2.0, 1.0, 1.5)
    assert gains_to_fold(light_to_fold("fixed"), TAKES) == (1.9, 1.0, 1.5)


def test_an_exporter_without_such_an_input_asks_for_fixed_light(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EXPORTERS["onnx"], "gains_input", False)
    with pytest.raises(InputError, match="give fixed light") as caught:
        export_bundle(balanced_bundle("plain"), tmp_path / "m.onnx", Form("onnx", packed_size=SIZE))
    assert caught.value.parameters == ("light", "to")


def test_a_metering_that_is_left_out_is_said(tmp_path: Path) -> None:
    notes: list[str] = []
    form = Form("onnx", packed_size=SIZE, folded_gains=FIXED)
    export_bundle(balanced_bundle("plain"), tmp_path / "m.onnx", form, note=notes.append)
    assert ["metering" in note for note in notes] == [True]
