"""What every exporter must do with every network; conversion takes seconds, so most of this is marked slow."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from nas_isp.develop.pipeline import develop_packed
from nas_isp.errors import InputError
from nas_isp.export import verify
from nas_isp.export.calibration_set import RawSource
from nas_isp.export.export import ExportData, describe, export_bundle
from nas_isp.export.exporters import EXPORTERS, Form
from nas_isp.export.report import ExportReport
from nas_isp.formats.record import InputForm, OutputForm
from nas_isp.generators.architecture import RmfaArchitecture
from nas_isp.precision import Precision
from nas_isp.raw.levels import from_sensor_values, to_sensor_values
from nas_isp.runtimes.load import open_runner
from nas_isp.runtimes.torch_runner import TorchRunner
from tests.export.export_cases import PLAIN_CASES, bundle_of

FOLDER = TemporaryDirectory()
SIZE = (64, 96)
RMFA = RmfaArchitecture(width=4, depth=1)
MOBILE_OPERATORS = {
    "tflite": {"CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MUL", "MEAN", "TANH", "RELU", "RELU6", "DEPTH_TO_SPACE"},
    "onnx": {"Conv", "Add", "Mul", "ReduceMean", "Tanh", "Relu", "Clip", "DepthToSpace"},
}
WEIGHTS_FROM_HALF = {"tflite": "DEQUANTIZE", "onnx": "Cast"}

ENDS_CASES = ("plain", "residual", "quarter-separable", "color-head")
"""The gain goes into weights of every kind, or cannot because the picture itself is added."""

every_case = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(f"export of {name}")) for name in PLAIN_CASES]
)
every_runtime = pytest.mark.parametrize("runtime", list(EXPORTERS))


@cache
def exported(
    name: str,
    runtime: str,
    precision: Precision = "fp32",
    size: tuple[int, int] | None = SIZE,
    input: InputForm = "normalised",
    output: OutputForm = "float",
) -> ExportReport:
    """The report about one exported file; each is made once."""
    path = Path(FOLDER.name) / f"{name} {precision} {size} {input} {output}.{runtime}"
    return export_bundle(bundle_of(PLAIN_CASES[name]), path, Form(runtime, precision, size, input, output))


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.1, 1.2, (4, height, width)).astype(np.float32)


def test_onnx_without_slow_converters_equals_pytorch() -> None:
    report = exported("plain", "onnx")
    assert report.max_abs_error <= verify.TOLERANCE
    assert report.opset == 18
    assert report.bytes == Path(report.file).stat().st_size


@pytest.mark.slow
@every_runtime
@every_case
class TestEveryNetwork:
    """Conformance: each network in each format."""

    def test_it_equals_pytorch(self, name: str, runtime: str) -> None:
        report = exported(name, runtime)
        assert report.max_abs_error <= verify.TOLERANCE
        assert report.psnr_vs_torch_db is None or report.psnr_vs_torch_db > 100
        assert report.host_ms > 0

    def test_it_holds_only_operators_that_phones_take(self, name: str, runtime: str) -> None:
        report = exported(name, runtime)
        assert set(report.ops) <= MOBILE_OPERATORS[runtime]
        shuffle = {"tflite": "DEPTH_TO_SPACE", "onnx": "DepthToSpace"}[runtime]
        assert report.ops[shuffle] == 1

    def test_its_record_round_trips(self, name: str, runtime: str) -> None:
        runner = open_runner(Path(exported(name, runtime).file))
        assert runner.record == describe(bundle_of(PLAIN_CASES[name]), Form(runtime, "fp32", SIZE))
        assert runner.tile == SIZE

    def test_it_runs_as_the_bundle_does_at_any_size(self, name: str, runtime: str) -> None:
        runner, bundle = open_runner(Path(exported(name, runtime).file)), TorchRunner(bundle_of(PLAIN_CASES[name]), "b")
        for size in (SIZE, (20, 30), (70, 100)):
            assert np.abs(runner.run(noise(*size)) - bundle.run(noise(*size))).max() < verify.TOLERANCE

    def test_it_develops_the_same_picture_with_any_tile(self, name: str, runtime: str) -> None:
        runner, bundle = open_runner(Path(exported(name, runtime).file)), TorchRunner(bundle_of(PLAIN_CASES[name]), "b")
        packed = noise(70, 130)
        whole = develop_packed(bundle, packed, 4096).astype(int)
        for tile in (None, 50, 96, 4096):
            assert np.abs(develop_packed(runner, packed, tile) - whole).max() <= 1

    def test_half_weights_shrink_the_file_and_nothing_else(self, name: str, runtime: str) -> None:
        full, half = exported(name, runtime), exported(name, runtime, "fp16")
        assert half.bytes < full.bytes
        assert half.max_error_in_precision <= verify.TOLERANCE
        assert half.max_abs_error < 1e-2
        convolutions = sum(full.ops.get(op, 0) for op in ("CONV_2D", "DEPTHWISE_CONV_2D", "Conv"))
        assert half.ops == {**full.ops, WEIGHTS_FROM_HALF[runtime]: convolutions}

    def test_sides_left_to_run_time_give_the_same_graph(self, name: str, runtime: str) -> None:
        free = exported(name, runtime, size=None)
        assert free.ops == exported(name, runtime).ops
        assert open_runner(Path(free.file)).tile is None
        bundle = TorchRunner(bundle_of(PLAIN_CASES[name]), "b")
        assert np.abs(open_runner(Path(free.file)).run(noise(26, 38)) - bundle.run(noise(26, 38))).max() < 1e-5


@pytest.mark.slow
@every_case
class TestEveryNetworkInIntegers:
    """Conformance: each network in 8 bits."""

    def test_it_is_made_of_integers_throughout(self, name: str) -> None:
        report, full = exported(name, "tflite", "int8"), exported(name, "tflite")
        assert report.ops == full.ops
        assert report.bytes < full.bytes
        assert report.psnr_vs_torch_db is not None
        assert report.psnr_vs_torch_db > 33
        assert "demo set" in (report.calibrated_on or "")

    def test_nothing_falls_back_on_a_phone_but_the_shuffle_on_one_npu(self, name: str) -> None:
        for precision, kind in (("fp32", "FLOAT32"), ("int8", "INT8")):
            left = exported(name, "tflite", precision).left_to_cpu
            assert left == {
                "xnnpack": [],
                "android-gpu": [],
                "qualcomm-npu": [],
                "mediatek-npu": [f"DEPTH_TO_SPACE of {kind}"],
            }

    def test_it_develops_the_same_picture_with_any_tile(self, name: str) -> None:
        runner, packed = open_runner(Path(exported(name, "tflite", "int8").file)), noise(70, 130)
        whole = develop_packed(runner, packed, 4096)
        for tile in (50, 96):
            assert np.array_equal(develop_packed(runner, packed, tile), whole)

    def test_the_mean_of_a_picture_does_not_depend_on_how_it_is_cut(self, name: str) -> None:
        runner, packed = open_runner(Path(exported(name, "tflite", "int8").file)), noise(70, 130)
        if runner.has_global_head:
            parts = [runner.feature_sums(np.ascontiguousarray(part)) for part in (packed[:, :22], packed[:, 22:])]
            assert np.array_equal(sum(parts), runner.feature_sums(packed))


@pytest.mark.slow
@every_runtime
@pytest.mark.parametrize("name", ENDS_CASES)
class TestEveryNetworkWithIntegerEnds:
    """Sensor values in, pixels out: the app needs no code around the file."""

    def test_sensor_values_give_what_scaled_floats_give_also_at_the_borders(self, name: str, runtime: str) -> None:
        report = exported(name, runtime, input="raw")
        assert report.max_abs_error <= verify.TOLERANCE * 5
        runner, bundle = open_runner(Path(report.file)), TorchRunner(bundle_of(PLAIN_CASES[name]), "b")
        packed = from_sensor_values(to_sensor_values(noise(30, 44), *runner.record.levels), *runner.record.levels)
        assert np.abs(runner.run(packed) - bundle.run(packed)).max() < 1e-5

    def test_pixels_are_the_picture_that_develop_saves(self, name: str, runtime: str) -> None:
        runner = open_runner(Path(exported(name, runtime, input="raw", output="uint8").file))
        bundle = TorchRunner(bundle_of(PLAIN_CASES[name]), "b")
        packed = from_sensor_values(to_sensor_values(noise(70, 130), *runner.record.levels), *runner.record.levels)
        expected = develop_packed(bundle, packed, 4096).astype(int)
        for tile in (None, 96):
            assert np.abs(develop_packed(runner, packed, tile) - expected).max() <= 1

    def test_sides_left_to_run_time(self, name: str, runtime: str) -> None:
        report = exported(name, runtime, size=None, input="raw", output="uint8")
        assert open_runner(Path(report.file)).tile is None


@pytest.mark.slow
def test_integer_ends_of_an_int8_network_change_no_pixel() -> None:
    for name in ("plain", "color-head"):
        codes = open_runner(Path(exported(name, "tflite", "int8").file))
        whole = open_runner(Path(exported(name, "tflite", "int8", input="raw", output="uint8").file))
        levels = whole.record.levels
        packed = from_sensor_values(to_sensor_values(noise(40, 60), *levels), *levels)
        assert np.array_equal(np.rint(codes.run(packed) * 255), np.rint(whole.run(packed) * 255))


@pytest.mark.slow
@every_runtime
def test_a_file_that_fails_the_check_is_not_kept(runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "TOLERANCE", -1.0)
    target = tmp_path / f"m.{runtime}"
    target.write_bytes(b"an older file")
    with pytest.raises(InputError, match="differs from PyTorch"):
        export_bundle(bundle_of(PLAIN_CASES["plain"]), target, Form(runtime, "fp32", SIZE))
    assert target.read_bytes() == b"an older file"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.slow
def test_a_tflite_file_says_which_sides_are_free() -> None:
    from nas_isp.formats import tflite_file

    for size, signature in ((None, [1, -1, -1, 4]), (SIZE, None)):
        path = Path(exported("plain", "tflite", size=size).file)
        graph = tflite_file.parse(path.read_bytes(), path).subgraphs[0]
        [shape] = [graph.tensors[index].shapeSignature for index in graph.inputs]
        assert (None if shape is None else shape.tolist()) == signature


@pytest.mark.slow
def test_the_mean_of_a_large_picture_is_exact_enough() -> None:
    assert exported("color-head", "tflite", size=(544, 960)).max_abs_error <= verify.TOLERANCE


@pytest.mark.slow
def test_real_raw_is_used_where_it_is_given(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "raw_phone" / "nokia_n900"
    report = export_bundle(
        bundle_of(PLAIN_CASES["plain"]),
        tmp_path / "m.onnx",
        Form("onnx", packed_size=(64, 96)),
        ExportData(check=RawSource(folder, "Nokia N900")),
    )
    assert report.checked_on == "3 pictures of Nokia N900"


@every_runtime
def test_an_odd_size_is_refused_for_a_trunk_at_half_resolution(runtime: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="multiples of 2"):
        export_bundle(bundle_of(PLAIN_CASES["quarter"]), tmp_path / f"m.{runtime}", Form(runtime, packed_size=(33, 48)))
    assert list(tmp_path.iterdir()) == []


@every_runtime
def test_the_levels_of_one_sensor_are_not_held_for_a_model_of_several(runtime: str, tmp_path: Path) -> None:
    bundle = bundle_of(PLAIN_CASES["plain"])
    sensor = bundle.record.sensor.model_copy(update={"other_levels": True})
    mixed = replace(bundle, record=bundle.record.model_copy(update={"sensor": sensor}))
    with pytest.raises(InputError, match="several black and white levels") as caught:
        export_bundle(mixed, tmp_path / f"m.{runtime}", Form(runtime, input="raw"))
    assert caught.value.parameters == ("input_type",)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        export_bundle(bundle_of(PLAIN_CASES["plain"]), tmp_path / "none" / "m.onnx", Form("onnx"))


@pytest.mark.slow
class TestRmfa:
    """The published network that looks at the whole picture."""

    FORBIDDEN = frozenset({"TRANSPOSE", "RESHAPE", "GATHER", "GATHER_ND", "PACK", "STRIDED_SLICE"})

    def test_tflite_equals_pytorch_without_reshapes(self, tmp_path: Path) -> None:
        report = export_bundle(bundle_of(RMFA), tmp_path / "m.tflite", Form("tflite", packed_size=SIZE))
        assert report.max_abs_error <= verify.TOLERANCE
        assert not set(report.ops) & self.FORBIDDEN
        runner = open_runner(tmp_path / "m.tflite")
        whole = develop_packed(TorchRunner(bundle_of(RMFA), "b"), noise(*SIZE)).astype(int)
        assert np.abs(develop_packed(runner, noise(*SIZE), tile=16) - whole).max() <= 1
        with pytest.raises(InputError, match="export it for an input of 40x48"):
            develop_packed(runner, noise(40, 48))

    def test_eight_bits_stay_near_pytorch(self, tmp_path: Path) -> None:
        report = export_bundle(bundle_of(RMFA), tmp_path / "m.tflite", Form("tflite", "int8", SIZE))
        assert report.psnr_vs_torch_db is not None
        assert report.psnr_vs_torch_db > verify.LEAST_INT8_PSNR_DB

    def test_tflite_of_any_size_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="one size only"):
            export_bundle(bundle_of(RMFA), tmp_path / "m.tflite", Form("tflite", packed_size=None))

    def test_onnx_takes_any_size(self, tmp_path: Path) -> None:
        export_bundle(bundle_of(RMFA), tmp_path / "m.onnx", Form("onnx", packed_size=None))
        runner, bundle = open_runner(tmp_path / "m.onnx"), TorchRunner(bundle_of(RMFA), "b")
        assert np.abs(runner.run(noise(40, 48)) - bundle.run(noise(40, 48))).max() <= verify.TOLERANCE
