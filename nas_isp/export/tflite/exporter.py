"""The exporter of TFLite files."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from nas_isp.export.exporters import Facts, Form
from nas_isp.export.int8.quantize import quantize_tflite
from nas_isp.export.tflite.convert import export_tflite
from nas_isp.export.tflite.delegate_support import left_to_cpu
from nas_isp.export.tflite.integer_io import give_pixels, take_gains, take_sensor_values
from nas_isp.formats import tflite_file
from nas_isp.formats.record import ExportRecord, InputForm, OutputForm, TensorLayout
from nas_isp.formats.tflite_versions import complete_operator_codes
from nas_isp.precision import Precision
from nas_isp.runtimes.base import Floats, Runner
from nas_isp.runtimes.load import open_runner


class TfliteExporter:
    """See `exporters.Exporter`."""

    suffix = ".tflite"
    layout: TensorLayout = "NHWC"
    precisions: Sequence[Precision] = ("fp32", "fp16", "int8")
    inputs: Sequence[InputForm] = ("normalised", "raw")
    outputs: Sequence[OutputForm] = ("float", "uint8")
    free_size = True
    gains_input = True

    def write(self, net: nn.Module, form: Form, record: ExportRecord, calibration: Sequence[Floats]) -> bytes:
        """See `exporters.Exporter.write`."""
        if form.precision == "int8":
            # A network that looks at the whole picture is written for one size and cannot be resized to the pictures'.
            observed = export_tflite(net, *calibration[0].shape[1:]) if record.whole_picture else None
            content = quantize_tflite(export_tflite(net, *form.sides), calibration, observed)
        else:
            content = export_tflite(net, *form.sides, form.precision)
        graph = tflite_file.parse(content)
        if form.input == "raw":
            take_sensor_values(graph, *record.levels, gains_input=record.gains_input)
        elif record.gains_input:
            take_gains(graph)
        if form.output == "uint8":
            give_pixels(graph)
        complete_operator_codes(graph)
        tflite_file.name_plainly(graph)
        tflite_file.add_record(graph, record.model_dump_json())
        return tflite_file.serialize(graph)

    def facts(self, content: bytes) -> Facts:
        """See `exporters.Exporter.facts`."""
        graph = tflite_file.parse(content)
        return Facts(tflite_file.operators(graph), left_to_cpu(graph))

    def open(self, path: Path, threads: int) -> Runner:
        """See `exporters.Exporter.open`: in LiteRT."""
        return open_runner(path, threads)


TFLITE = TfliteExporter()
