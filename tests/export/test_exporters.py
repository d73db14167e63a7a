"""Forms are checked against the exporters, and another package's exporter is used by name."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import nn

from nas_isp.errors import InputError
from nas_isp.export.export import export_bundle
from nas_isp.export.exporters import EXPORTERS, Facts, Form
from nas_isp.formats.record import ExportRecord
from nas_isp.generators.bundle import Bundle
from nas_isp.runtimes.base import Floats, Runner
from nas_isp.runtimes.torch_runner import TorchRunner
from tests.export.export_cases import PLAIN_CASES, bundle_of


class StateExporter:
    """Writes the weights and the record; whether they can be run here is a setting."""

    suffix, layout = ".state", "NCHW"
    precisions, inputs, outputs, free_size = ("fp32",), ("normalised",), ("float",), False
    gains_input = False

    def __init__(self, bundle: Bundle | None = None) -> None:
        self.bundle = bundle

    def write(self, net: nn.Module, form: Form, record: ExportRecord, calibration: Sequence[Floats]) -> bytes:
        assert not calibration
        return pickle.dumps((record.model_dump_json(), {name: weight.numpy() for name, weight in net.named_buffers()}))

    def facts(self, content: bytes) -> Facts:
        return Facts({"state": len(pickle.loads(content))})

    def open(self, path: Path, threads: int) -> Runner | None:
        ExportRecord.model_validate_json(pickle.loads(path.read_bytes())[0])
        return None if self.bundle is None else TorchRunner(self.bundle, str(path))


def test_an_unknown_exporter_is_refused_with_the_known_ones_and_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown exporter 'coreml': known are tflite, onnx"):
        export_bundle(bundle_of(PLAIN_CASES["plain"]), tmp_path / "m.mlpackage", Form("coreml"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"precision": "int8"}, "exporter 'onnx' has no precision 'int8': it writes fp32, fp16; give one of these"),
        ({"input": "jpeg"}, "exporter 'onnx' has no input 'jpeg': it writes normalised, raw; give"),
        ({"output": "uint16"}, "exporter 'onnx' has no output 'uint16': it writes float, uint8; give"),
    ],
)
def test_a_form_that_an_exporter_does_not_write_is_refused_by_name(form: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        Form("onnx", **form)  # type: ignore[arg-type]
    assert caught.value.parameters == ("to",)


def test_only_tflite_computes_in_integers() -> None:
    assert {name for name in EXPORTERS if "int8" in EXPORTERS[name].precisions} == {"tflite"}


def test_a_registered_exporter_is_used_and_what_cannot_be_run_is_reported_unchecked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXPORTERS._registered, "state", StateExporter())
    with pytest.raises(InputError, match="'state' leaves no sides to run time"):
        Form("state", packed_size=None)

    report = export_bundle(bundle_of(PLAIN_CASES["plain"]), tmp_path / "m.state", Form("state", packed_size=(16, 24)))

    assert (report.runtime, report.ops, report.opset) == ("state", {"state": 2}, None)
    assert report.bytes == (tmp_path / "m.state").stat().st_size
    assert (report.checked_on, report.max_abs_error, report.host_ms) == (None, None, None)


def test_what_a_registered_exporter_can_run_is_checked_against_pytorch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, form_of = bundle_of(PLAIN_CASES["plain"]), {"packed_size": (16, 24)}
    monkeypatch.setitem(EXPORTERS._registered, "state", StateExporter(bundle))
    report = export_bundle(bundle, tmp_path / "m.state", Form("state", **form_of))  # type: ignore[arg-type]
    assert (report.max_abs_error, report.checked_on) == (0.0, "3 synthetic RAW pictures")

    torch.manual_seed(1)
    monkeypatch.setitem(EXPORTERS._registered, "other", StateExporter(bundle_of(PLAIN_CASES["plain"], seed=1)))
    with pytest.raises(InputError, match="differs from PyTorch"):
        export_bundle(bundle, tmp_path / "other.state", Form("other", **form_of))  # type: ignore[arg-type]
    assert not (tmp_path / "other.state").exists()
