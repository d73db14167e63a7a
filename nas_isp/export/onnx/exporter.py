"""The exporter of ONNX files."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from nas_isp.export.exporters import Facts, Form
from nas_isp.export.onnx.convert import OPSET, export_onnx
from nas_isp.export.onnx.integer_io import give_pixels, take_gains, take_sensor_values
from nas_isp.formats import onnx_file
from nas_isp.formats.record import ExportRecord, InputForm, OutputForm, TensorLayout
from nas_isp.precision import Precision
from nas_isp.runtimes.base import Floats, Runner
from nas_isp.runtimes.load import open_runner


class OnnxExporter:
    """See `exporters.Exporter`."""

    suffix = ".onnx"
    layout: TensorLayout = "NCHW"
    precisions: Sequence[Precision] = ("fp32", "fp16")
    inputs: Sequence[InputForm] = ("normalised", "raw")
    outputs: Sequence[OutputForm] = ("float", "uint8")
    free_size = True
    gains_input = True

    def write(self, net: nn.Module, form: Form, record: ExportRecord, calibration: Sequence[Floats]) -> bytes:
        """See `exporters.Exporter.write`."""
        assert form.precision != "int8"
        model = onnx_file.parse(export_onnx(net, *form.sides, form.precision))
        if record.gains_input:
            take_gains(model)
        if form.input == "raw":
            take_sensor_values(model, *record.levels)
        if form.output == "uint8":
            give_pixels(model)
        onnx_file.drop_notes(model)
        onnx_file.add_record(model, record.model_dump_json())
        content: bytes = model.SerializeToString()
        return content

    def facts(self, content: bytes) -> Facts:
        """See `exporters.Exporter.facts`."""
        return Facts(onnx_file.operators(onnx_file.parse(content)), opset=OPSET)

    def open(self, path: Path, threads: int) -> Runner:
        """See `exporters.Exporter.open`: in ONNX Runtime."""
        return open_runner(path, threads)


ONNX = OnnxExporter()
