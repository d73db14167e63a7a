"""From a model bundle to a checked file for a phone or another runtime."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from torch import nn

from nas_isp.errors import InputError
from nas_isp.export import onnx_file, tflite_file
from nas_isp.export.metadata import ExportRecord, Precision
from nas_isp.export.onnx import OPSET, export_onnx
from nas_isp.export.probe import real_pictures, synthetic_pictures
from nas_isp.export.runners import Floats, has_color_head, needs_whole_picture, step_of
from nas_isp.export.tflite import export_tflite
from nas_isp.export.torch_runner import fused_network
from nas_isp.export.verify import TIMED_SIZE, TIMED_THREADS, ExportReport, verify
from nas_isp.generators.bundle import Bundle
from nas_isp.generators.cost import receptive_field
from nas_isp.raw.sensor import SensorDescription

Runtime = Literal["tflite", "onnx"]

CHECKED_SIZES = ((64, 96), (100, 80))
"""Packed sizes at which a file of any input size is compared with PyTorch."""


def export_model(
    bundle: Bundle,
    path: Path,
    runtime: Runtime,
    precision: Precision = "fp32",
    packed_size: tuple[int, int] | None = TIMED_SIZE,
    raw_folder: Path | None = None,
    sensor: SensorDescription | None = None,
    note: Callable[[str], None] = lambda line: None,
) -> ExportReport:
    """Write a bundle's fused network for a runtime, run the file and compare it with PyTorch.

    The file appears whole and checked, or not at all.

    Args:
        bundle: the model.
        path: file to write.
        runtime: "tflite" or "onnx".
        precision: how weights are stored.
        packed_size: rows and columns of the packed input; None leaves them to run time.
        raw_folder: RAW files to compare on; None takes a synthetic scene.
        sensor: description for bare mosaics in `raw_folder`.
        note: told of each file of `raw_folder` that cannot be read.

    Raises:
        InputError: an unusable size, network, RAW folder or target folder, or a file that fails the check.
    """
    check_size(bundle, packed_size)
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder; make it or give another -o")
    net = fused_network(bundle, "model")
    pictures, kind, left_out = _pictures(raw_folder, packed_size, sensor)
    for line in left_out:
        note(line)
    record = describe(bundle, runtime, precision, packed_size)
    content = _with_record(_converted(net, runtime, precision, packed_size), runtime, record)
    timed_size = packed_size or TIMED_SIZE
    timed = synthetic_pictures(*timed_size)[0]
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            part = Path(folder) / f"{path.stem}.{runtime}"
            part.write_bytes(content)
            comparison, (host_ms, host_ms_min) = verify(part, net, precision, pictures, timed, str(path))
            os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give a writable folder") from error
    return ExportReport(
        file=str(path),
        bytes=len(content),
        runtime=runtime,
        precision=precision,
        packed_size=packed_size,
        ops=_operators(content, runtime, path),
        **asdict(comparison),
        checked_on=f"{len(pictures)} {kind} pictures",
        host_ms=host_ms,
        host_ms_min=host_ms_min,
        host_size=timed_size,
        host_threads=TIMED_THREADS,
        opset=OPSET if runtime == "onnx" else None,
    )


def describe(
    bundle: Bundle, runtime: Runtime, precision: Precision, packed_size: tuple[int, int] | None
) -> ExportRecord:
    """The record that the exported file carries."""
    architecture = bundle.record.architecture
    return ExportRecord(
        architecture=architecture,
        sensor=bundle.record.sensor,
        origin=bundle.record.origin,
        precision=precision,
        layout="NHWC" if runtime == "tflite" else "NCHW",
        packed_height=packed_size[0] if packed_size else None,
        packed_width=packed_size[1] if packed_size else None,
        halo=receptive_field(architecture),
        step=step_of(architecture),
        global_head=has_color_head(architecture),
        whole_picture=needs_whole_picture(architecture),
        border=bundle.record.border,
    )


def check_size(bundle: Bundle, packed_size: tuple[int, int] | None) -> None:
    """Refuse an input size that the network does not take.

    Raises:
        InputError: a side that is no multiple of the network's step.
    """
    step = step_of(bundle.record.architecture)
    if packed_size and (packed_size[0] % step or packed_size[1] % step):
        given = f"{packed_size[0]}x{packed_size[1]}"
        raise InputError(f"input size {given}: this network needs multiples of {step}; give another --input-size")


def _pictures(
    raw_folder: Path | None, packed_size: tuple[int, int] | None, sensor: SensorDescription | None
) -> tuple[list[Floats], str, list[str]]:
    sizes = [packed_size] if packed_size else CHECKED_SIZES
    if raw_folder is None:
        return [picture for size in sizes for picture in synthetic_pictures(*size)], "synthetic RAW", []
    read = [real_pictures(raw_folder, *size, sensor) for size in sizes]
    return [picture for pictures, _ in read for picture in pictures], "real RAW", read[0][1]


def _converted(net: nn.Module, runtime: Runtime, precision: Precision, packed_size: tuple[int, int] | None) -> bytes:
    height, width = packed_size or (None, None)
    if runtime == "tflite":
        return export_tflite(net, height, width, precision)
    return export_onnx(net, height, width, precision)


def _with_record(content: bytes, runtime: Runtime, record: ExportRecord) -> bytes:
    nowhere = Path(f"model.{runtime}")
    if runtime == "tflite":
        graph = tflite_file.parse(content, nowhere)
        tflite_file.add_record(graph, record.model_dump_json())
        return tflite_file.serialise(graph)
    model = onnx_file.parse(content, nowhere)
    onnx_file.add_record(model, record.model_dump_json())
    serialised: bytes = model.SerializeToString()
    return serialised


def _operators(content: bytes, runtime: Runtime, path: Path) -> dict[str, int]:
    if runtime == "tflite":
        return tflite_file.operators(tflite_file.parse(content, path))
    return onnx_file.operators(onnx_file.parse(content, path))
