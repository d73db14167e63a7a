"""Exported TFLite files in a reader that shares no code with the runtime that made and checked them: OpenVINO."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from nas_isp.export.export import export_bundle
from nas_isp.export.exporters import Form
from nas_isp.formats import tflite_file
from nas_isp.formats.record import InputForm, OutputForm
from nas_isp.generators.architecture import Architecture, RmfaArchitecture
from nas_isp.precision import Precision
from tests.export.export_cases import PLAIN_CASES, bundle_of

openvino = pytest.importorskip("openvino", reason="OpenVINO is not installed; install the extra 'dev'")

pytestmark = pytest.mark.slow

SIZE = (64, 96)
CASES: dict[str, Architecture] = {**PLAIN_CASES, "rmfa": RmfaArchitecture()}
ENDS: tuple[tuple[InputForm, OutputForm], ...] = (("normalised", "float"), ("raw", "uint8"))
RANGES = {"float32": (0, 1), "int8": (-128, 127), "int32": (64, 1023)}
"""Of inputs, by type."""

MOST_APART = {"fp32": 1, "fp16": 1, "int8": 8}
"""Levels, where pixels or codes are given; runtimes may round differently, after each layer for int8."""

APART_ON_AVERAGE = {"fp32": 0.001, "fp16": 0.001, "int8": 0.5}
"""A reader that takes one operator for another is much further away."""


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("precision", get_args(Precision))
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(f"export of {name}")) for name in CASES]
)
def test_openvino_reads_every_form_and_gives_what_litert_gives(
    name: str, precision: Precision, ends: tuple[InputForm, OutputForm], tmp_path: Path
) -> None:
    path = tmp_path / "m.tflite"
    export_bundle(bundle_of(CASES[name]), path, Form("tflite", precision, SIZE, *ends))
    for code in tflite_file.parse(path.read_bytes()).operatorCodes:
        assert code.deprecatedBuiltinCode == code.builtinCode
    given, expected = run_in_litert(path)
    result = run_in_openvino(path, given)
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    error = np.abs(result.astype(np.float64) - expected)
    if result.dtype == np.float32:
        assert error.max() < 1e-5
    else:
        assert error.max() <= MOST_APART[precision]
        assert error.mean() <= APART_ON_AVERAGE[precision]


def run_in_litert(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """A random input and what the file gives for it."""
    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    [wanted], [made] = interpreter.get_input_details(), interpreter.get_output_details()
    low, high = RANGES[np.dtype(wanted["dtype"]).name]
    given = np.random.default_rng(0).uniform(low, high, wanted["shape"]).astype(wanted["dtype"])
    interpreter.set_tensor(wanted["index"], given)
    interpreter.invoke()
    return given, interpreter.get_tensor(made["index"])


def run_in_openvino(path: Path, given: NDArray[Any]) -> NDArray[Any]:
    core = openvino.Core()
    # Left to itself it computes in half precision on processors that have that.
    compiled = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.asarray(compiled(given)[0])
