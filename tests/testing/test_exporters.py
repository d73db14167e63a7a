"""Both built-in exporters conform, and a faulty one does not."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from torch import nn

from nas_isp.errors import InputError
from nas_isp.export.exporters import EXPORTERS, Form
from nas_isp.export.onnx.exporter import OnnxExporter
from nas_isp.formats.record import ExportRecord
from nas_isp.runtimes.base import Floats
from nas_isp.testing.exporters import ExporterConformance


@pytest.mark.slow
class TestBuiltInExporters(ExporterConformance):
    @pytest.fixture(params=list(EXPORTERS), autouse=True)
    def each(self, request: pytest.FixtureRequest) -> None:
        self.name = request.param


class _Forgetful(OnnxExporter):
    def write(self, net: nn.Module, form: Form, record: ExportRecord, calibration: Sequence[Floats]) -> bytes:
        return super().write(net, form, record.model_copy(update={"halo": 0}), calibration)


class _Darker(OnnxExporter):
    def write(self, net: nn.Module, form: Form, record: ExportRecord, calibration: Sequence[Floats]) -> bytes:
        net.tail.conv.bias.data -= 0.01  # type: ignore[union-attr, operator]
        content = super().write(net, form, record, calibration)
        net.tail.conv.bias.data += 0.01  # type: ignore[union-attr, operator]
        return content


@pytest.mark.parametrize(
    ("exporter", "test", "error"),
    [
        (_Forgetful(), "test_a_file_carries_its_record", AssertionError),
        (_Darker(), "test_every_form_of_it_equals_pytorch", InputError),
    ],
)
def test_a_faulty_one_is_found(
    exporter: OnnxExporter, test: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXPORTERS._registered, "faulty", exporter)
    conformance = ExporterConformance()
    conformance.name = "faulty"
    with pytest.raises(error):
        getattr(conformance, test)(tmp_path)
