"""A network as the bytes of a TFLite or ONNX file, in the form that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from nas_isp.errors import InputError
from nas_isp.export.int8.quantize import quantize_tflite
from nas_isp.export.onnx import integer_io as onnx_io
from nas_isp.export.onnx.convert import export_onnx
from nas_isp.export.tflite import integer_io as tflite_io
from nas_isp.export.tflite.convert import export_tflite
from nas_isp.export.tflite.delegate_support import left_to_cpu
from nas_isp.formats import onnx_file, tflite_file
from nas_isp.formats.record import ExportRecord, InputForm, OutputForm
from nas_isp.generators.cost import FULL_HD_PACKED
from nas_isp.precision import Precision
from nas_isp.runtimes.base import Floats

Runtime = Literal["tflite", "onnx"]


@dataclass(frozen=True)
class Form:
    """What a file is to be.

    Attributes:
        runtime: "tflite" or "onnx".
        precision: of the weights; "int8" (TFLite only) computes in 8-bit integers throughout.
        packed_size: rows and columns of the packed input; None leaves them to run time.
        input: "normalised" floats (codes for int8), or "raw": int32 sensor values.
        output: "float" (codes for int8), or "uint8": the levels of an 8-bit picture.
    """

    runtime: Runtime
    precision: Precision = "fp32"
    packed_size: tuple[int, int] | None = FULL_HD_PACKED
    input: InputForm = "normalised"
    output: OutputForm = "float"

    def __post_init__(self) -> None:
        if self.precision == "int8" and self.runtime != "tflite":
            raise InputError("int8 is written for TFLite only; give --to tflite, or --precision fp16")


@dataclass(frozen=True)
class Facts:
    """What a file holds.

    Attributes:
        operators: how often each occurs.
        left_to_cpu: for each target, the operators of a TFLite file that it does not take.
    """

    operators: dict[str, int]
    left_to_cpu: dict[str, list[str]]


def write_content(net: nn.Module, form: Form, record: ExportRecord, calibration: Sequence[Floats]) -> bytes:
    """The bytes of a file.

    Args:
        net: fused generator.
        form: what the file is to be.
        record: what it says about itself; the ends' levels are taken from it.
        calibration: packed pictures to observe an int8 file's ranges on.

    Raises:
        InputError: a network that cannot be written in this form.
    """
    if form.runtime == "tflite":
        return _tflite(net, form, record, calibration)
    assert form.precision != "int8"
    model = onnx_file.parse(export_onnx(net, *_sides(form), form.precision))
    if form.input == "raw":
        onnx_io.take_sensor_values(model, *record.levels)
    if form.output == "uint8":
        onnx_io.give_pixels(model)
    onnx_file.drop_notes(model)
    onnx_file.add_record(model, record.model_dump_json())
    content: bytes = model.SerializeToString()
    return content


def facts_of(content: bytes, runtime: Runtime) -> Facts:
    """What a file holds."""
    if runtime == "onnx":
        return Facts(onnx_file.operators(onnx_file.parse(content)), {})
    graph = tflite_file.parse(content)
    return Facts(tflite_file.operators(graph), left_to_cpu(graph))


def _tflite(net: nn.Module, form: Form, record: ExportRecord, calibration: Sequence[Floats]) -> bytes:
    if form.precision == "int8":
        # A network that looks at the whole picture is written for one size and cannot be resized to the pictures'.
        observed = export_tflite(net, *calibration[0].shape[1:]) if record.whole_picture else None
        content = quantize_tflite(export_tflite(net, *_sides(form)), calibration, observed)
    else:
        content = export_tflite(net, *_sides(form), form.precision)
    graph = tflite_file.parse(content)
    if form.input == "raw":
        tflite_io.take_sensor_values(graph, *record.levels)
    if form.output == "uint8":
        tflite_io.give_pixels(graph)
    tflite_file.name_plainly(graph)
    tflite_file.add_record(graph, record.model_dump_json())
    return tflite_file.serialize(graph)


def _sides(form: Form) -> tuple[int | None, int | None]:
    return form.packed_size or (None, None)
