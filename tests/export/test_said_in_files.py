"""The bytes of exported files say nothing about the program that wrote them and where it lies."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nas_isp
from nas_isp.export.export import describe
from nas_isp.export.exporters import EXPORTERS, Form
from nas_isp.formats import onnx_file, tflite_file
from nas_isp.formats.record import InputForm, OutputForm
from nas_isp.generators.architecture import Architecture, RmfaArchitecture
from nas_isp.precision import Precision
from nas_isp.runtimes.torch_runner import fused_network
from tests.export.export_cases import PLAIN_CASES, bundle_of

SIZE = (64, 96)
NETWORKS: dict[str, Architecture] = {
    **{name: PLAIN_CASES[name] for name in ("color-head", "quarter")},
    "rmfa": RmfaArchitecture(width=4, depth=1),
}
TELLTALES = (b"nas_isp.", b".py", b"site-packages", b"torch.")
PRECISIONS = [(runtime, precision) for runtime in EXPORTERS for precision in EXPORTERS[runtime].precisions]

FROM_ELSEWHERE = """
import hashlib, sys
import nas_isp
from nas_isp.export.exporters import Form
from tests.export.test_said_in_files import content_of

assert nas_isp.__file__.startswith(sys.path[0]), nas_isp.__file__
print(hashlib.sha256(content_of("color-head", Form(sys.argv[1], "fp32", (64, 96)))).hexdigest())
"""


def content_of(network: str, form: Form) -> bytes:
    """A file with a blank record: that holds what the user said about the network."""
    bundle = bundle_of(NETWORKS[network])
    noise = [np.random.default_rng(0).random((4, *SIZE), np.float32)]
    content = EXPORTERS[form.runtime].write(fused_network(bundle, network), form, describe(bundle, form), noise)
    record = describe(bundle, form).model_dump_json().encode()
    assert record in content
    return content.replace(record, b" " * len(record))


def check_says_nothing(content: bytes) -> None:
    assert not [telltale for telltale in TELLTALES if telltale in content]


@pytest.mark.parametrize("network", NETWORKS)
def test_an_onnx_file_says_nothing_about_the_program(network: str) -> None:
    content = content_of(network, Form("onnx", "fp16", SIZE, "raw", "uint8"))
    check_says_nothing(content)
    assert b"/" not in b"".join(_texts_of_onnx(content))


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("runtime", "precision"), PRECISIONS)
@pytest.mark.parametrize(("input", "output"), [("normalised", "float"), ("raw", "uint8")])
def test_no_form_says_anything_about_the_program(
    network: str, runtime: str, precision: Precision, input: InputForm, output: OutputForm
) -> None:
    content = content_of(network, Form(runtime, precision, SIZE, input, output))
    check_says_nothing(content)
    assert b"/" not in b"".join((_texts_of_onnx if runtime == "onnx" else _texts_of_tflite)(content))


@pytest.mark.slow
def test_tensors_of_a_tflite_file_are_called_by_their_places_but_for_its_ends() -> None:
    graph = tflite_file.parse(content_of("quarter", Form("tflite", "int8", SIZE, "raw"))).subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    ends = [int(graph.inputs[0]), int(graph.outputs[0])]
    assert [names[end] for end in ends] == ["sensor_values", "serving_default_output_0_output_quantized"]
    assert [name for index, name in enumerate(names) if index not in ends] == [
        f"t{index}" for index in range(len(names)) if index not in ends
    ]


@pytest.mark.slow
@pytest.mark.parametrize("runtime", list(EXPORTERS))
def test_the_bytes_do_not_depend_on_where_the_program_lies(runtime: str, tmp_path: Path) -> None:
    here = Path(nas_isp.__file__).parents[1]
    for part in ("nas_isp", "tests", "latency_tables", "search_spaces", "distill"):
        shutil.copytree(here / part, tmp_path / "elsewhere" / part, ignore=shutil.ignore_patterns("__pycache__"))
    digests = {_digest_from(folder, runtime) for folder in (here, tmp_path / "elsewhere")}
    assert len(digests) == 1


def _digest_from(folder: Path, runtime: str) -> str:
    program = f"import sys; sys.path.insert(0, {str(folder)!r})\n{FROM_ELSEWHERE}"
    done = subprocess.run([sys.executable, "-c", program, runtime], capture_output=True, text=True, check=True, cwd="/")
    return done.stdout


def _texts_of_onnx(content: bytes) -> list[bytes]:
    """The names in a file; its weights may hold any byte."""
    graph = onnx_file.parse(content).graph
    for tensor in graph.initializer:
        tensor.ClearField("raw_data")
    return [str(graph).encode()]


def _texts_of_tflite(content: bytes) -> list[bytes]:
    model = tflite_file.parse(content)
    signatures = [entry for one in model.signatureDefs or [] for entry in (*one.inputs, *one.outputs)]
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    return [model.description or b"", *(entry.name for entry in (*signatures, *tensors, *(model.metadata or [])))]
