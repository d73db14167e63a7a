"""`export_model`: a model as a checked file for a phone or another runtime."""

import json
from dataclasses import replace
from pathlib import Path

from nas_isp.arguments import PATH, TEXT, checked_arguments
from nas_isp.errors import InputError
from nas_isp.export.calibration_set import DEMO, RawSource, training_raw
from nas_isp.export.export import ExportData, export_bundle
from nas_isp.export.exporters import EXPORTERS, Form
from nas_isp.export.fixed_light import gains_to_fold, light_to_fold
from nas_isp.export.report import ExportReport
from nas_isp.files import AnyPath, check_output, write_whole
from nas_isp.formats.record import InputForm, OutputForm
from nas_isp.generators.bundle import Bundle
from nas_isp.picture_size import FULL_HD_PACKED, checked_size
from nas_isp.precision import Precision
from nas_isp.progress import Note, unheard
from nas_isp.raw.readers import load_sensor
from nas_isp.raw.sensor import SensorDescription
from nas_isp.search.models import load_model

SMALLEST_SIDE = 8
LARGEST_SIDE = 16384


@checked_arguments(
    **dict.fromkeys(("output", "raw", "calibration", "pairs"), PATH),
    **dict.fromkeys(("to", "precision", "input_type", "output_type", "sensor", "group"), TEXT),
)
def export_model(
    model: AnyPath | Bundle,
    output: AnyPath,
    *,
    to: str | None = None,
    precision: Precision = "fp32",
    input_size: tuple[int, int] | None = FULL_HD_PACKED,
    input_type: InputForm = "normalised",
    output_type: OutputForm = "float",
    light: str | None = None,
    raw: AnyPath | None = None,
    calibration: AnyPath | None = None,
    pairs: AnyPath | None = None,
    sensor: str | None = None,
    group: str | None = None,
    note: Note = unheard,
) -> ExportReport:
    """Write a model for a runtime, run the file and compare it with PyTorch; the report is kept as `OUTPUT.json`.

    Args:
        model: a bundle's file, STUDY:TRIAL, STUDY:knee, or a bundle.
        output: file to write, such as *.tflite or *.onnx.
        to: name of the exporter; None takes that of the file's name.
        precision: fp32; fp16: half-precision weights; int8: 8-bit integers throughout (TFLite).
        input_size: rows and columns of the packed RAW `(4, h, w)`; None leaves them to run time.
        input_type: normalised: (x - black) / (white - black); raw: the sensor's integers, int32.
        output_type: float: RGB `(3, 2h, 2w)` to be clipped to 0..1; uint8: the levels of an 8-bit picture.
        light: fixed (the gains of the training captures) or gains R,G,B: goes into the weights of a model whose input
            is balanced, and every capture is developed in it; None lets the file take the gains of each capture.
        raw: folder of RAW files to check on; else those the model was trained on.
        calibration: folder of RAW files for int8; else those trained on, or the demo set.
        pairs: folder of true pairs (raw/, rgb/): PSNR before and after.
        sensor: of bare mosaics in these folders: a known name or a JSON file.
        group: of the captures that are calibrated and checked on, those of one sensor only: its number or a part of its
            name. None takes those of the model's sensor, where a folder has others.
        note: told what a user should know.

    Raises:
        InputError: a model, size, folder or form that cannot be used, or a file that fails the check.
    """
    output = Path(output)
    if input_size is not None:
        checked_size(input_size, SMALLEST_SIDE, LARGEST_SIDE)
    choice = None if light is None else light_to_fold(light)
    form = Form(_exporter(output, to), precision, input_size, input_type, output_type)
    if calibration is not None and precision != "int8":
        raise InputError(
            "calibration is for the ranges of 8-bit integers; give precision int8 with it", "calibration", "precision"
        )
    report_file = output.with_name(f"{output.name}.json")
    for path in (output, report_file):
        check_output(path)
    bundle, described = load_model(model), None if sensor is None else load_sensor(sensor)
    if choice is not None:
        form = replace(form, folded_gains=gains_to_fold(choice, bundle.record.network_input))
    check, calibrate = _sources(bundle, raw, calibration, described, group)
    data = ExportData(check, calibrate, None if pairs is None else Path(pairs), described)
    note(f"writing {output} and comparing it with PyTorch ...")
    report = export_bundle(bundle, output, form, data, note)
    write_whole(report_file, json.dumps(report.to_json(), indent=2) + "\n")
    return report


def _sources(
    bundle: Bundle,
    raw: AnyPath | None,
    calibration: AnyPath | None,
    sensor: SensorDescription | None,
    group: str | None,
) -> tuple[RawSource | None, RawSource]:
    """RAW to check on, None for synthetic pictures, and to calibrate on."""

    def source(name: str, given: AnyPath | None) -> RawSource | None:
        if given is None:
            return training_raw(bundle, group)
        if not Path(given).is_dir():
            raise InputError(f"{name} {given}: no such folder; give one of RAW files", name)
        return RawSource(Path(given), str(given), sensor, group, bundle.record.sensor)

    check, calibrate = source("raw", raw), source("calibration", calibration)
    if group is not None and check is None and calibrate is None:
        raise InputError(
            "a group is one of the captures in a folder, and there is none; give raw or calibration with it",
            "group",
            "raw",
            "calibration",
        )
    return check, calibrate or DEMO


def _exporter(output: Path, to: str | None) -> str:
    """The exporter that is meant, by name."""
    names = [to] if to else list(EXPORTERS)
    # One after the other, so that a broken package stops no export in another form.
    named = next((name for name in names if EXPORTERS[name].suffix == output.suffix), None)
    if named is None:
        files = " or ".join(f"*{suffix}" for suffix in dict.fromkeys(EXPORTERS[name].suffix for name in names))
        named_as = f"a file for {to}" if to else "a file"
        raise InputError(f"{output}: {named_as} is named {files}; give such a name", "output", "to")
    return named
