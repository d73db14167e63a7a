"""`nas-isp export`: a model as a checked TFLite or ONNX file."""

import json
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nas_isp.cli.common import Format, print_json, print_table, say
from nas_isp.errors import InputError
from nas_isp.files import write_whole

DYNAMIC = "dynamic"
SMALLEST_SIDE = 8
LARGEST_SIDE = 16384


class Precision(StrEnum):
    """How numbers are stored."""

    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


class Input(StrEnum):
    """What the file takes."""

    NORMALIZED = "normalised"
    RAW = "raw"


class Output(StrEnum):
    """What the file gives."""

    FLOAT = "float"
    UINT8 = "uint8"


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def export(
        model: Annotated[str, typer.Argument(help="A bundle, or STUDY:TRIAL, or STUDY:knee.")],
        to: Annotated[str, typer.Option("--to", help="Exporter: tflite, onnx, ...")],
        out: Annotated[Path, typer.Option("-o", "--out", help="File to write; its report goes to FILE.json beside.")],
        precision: Annotated[
            Precision,
            typer.Option(help="fp32; fp16: half-precision weights; int8: 8-bit integers throughout (TFLite)."),
        ] = Precision.FP32,
        input_size: Annotated[
            str, typer.Option(help="Rows x columns of the packed RAW, or 'dynamic' to leave them to run time.")
        ] = "544x960",
        input: Annotated[
            Input, typer.Option(help="normalised: (x - black) / (white - black); raw: the sensor's integers, int32.")
        ] = Input.NORMALIZED,
        output: Annotated[
            Output, typer.Option(help="float: RGB to be clipped to 0..1; uint8: the levels of an 8-bit picture.")
        ] = Output.FLOAT,
        raw: Annotated[
            Path | None, typer.Option(help="Folder of RAW files to check on; else those the model was trained on.")
        ] = None,
        calibration: Annotated[
            Path | None, typer.Option(help="Folder of RAW files for int8; else those trained on, or the demo set.")
        ] = None,
        pairs: Annotated[
            Path | None, typer.Option(help="Folder of true pairs (raw/, rgb/): PSNR before and after.")
        ] = None,
        sensor: Annotated[
            str | None, typer.Option(help="Sensor of bare mosaics in these folders: a name or FILE.json.")
        ] = None,
        format: Annotated[Format, typer.Option(help="How the report is printed.")] = Format.TABLE,
    ) -> None:
        """Write a model as TFLite or ONNX, run the file and compare it with PyTorch."""
        size = _packed_size(input_size)
        if calibration is not None and precision is not Precision.INT8:
            raise InputError("--calibration is for the ranges of 8-bit integers; give --precision int8 with it")

        from nas_isp.cli.datasets import check_output
        from nas_isp.cli.models import load_model, training_raw
        from nas_isp.export.calibration_set import DEMO, RawSource
        from nas_isp.export.export import ExportData, export_model
        from nas_isp.export.exporters import EXPORTERS, Form
        from nas_isp.raw.readers import load_sensor

        suffix = EXPORTERS[to].suffix
        if out.suffix != suffix:
            raise InputError(f"{out}: a file for --to {to} is named *{suffix}; give such a name to -o")
        check_output(out)
        check_output(_report_file(out))
        form = Form(to, precision.value, size, input.value, output.value)
        bundle, description = load_model(model), load_sensor(sensor) if sensor else None

        def source(given: Path | None) -> RawSource | None:
            if given is not None:
                return RawSource(given, str(given), description)
            trained_on = training_raw(bundle)
            return RawSource(trained_on, "the training RAW", bundle.record.sensor) if trained_on else None

        say(f"writing {out} and comparing it with PyTorch ...")
        data = ExportData(source(raw), source(calibration) or DEMO, pairs, description)
        report = export_model(bundle, out, form, data, say)
        write_whole(_report_file(out), json.dumps(report.to_json(), indent=2) + "\n")
        if format is Format.JSON:
            print_json(report.to_json())
        else:
            print_table(("", ""), _rows(report.to_json()), title=str(out))


def _packed_size(text: str) -> tuple[int, int] | None:
    if text == DYNAMIC:
        return None
    from nas_isp.cli.models import parse_size

    with suppress(InputError):
        size = parse_size(text)
        if all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in size):
            return size
    raise InputError(
        f"input size '{text}': give rows x columns of the packed RAW, {SMALLEST_SIDE} to {LARGEST_SIDE} each, "
        f"such as 544x960, or '{DYNAMIC}'"
    )


def _report_file(out: Path) -> Path:
    return out.with_name(f"{out.name}.json")


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    ops = ", ".join(f"{count} {name}" for name, count in report["ops"].items())
    psnr, pairs = report["psnr_vs_torch_db"], report["pairs"]
    size = "any" if report["packed_size"] is None else "x".join(map(str, report["packed_size"]))
    rows = [
        ("bytes", f"{report['bytes']}"),
        ("operators", ops),
        ("packed input", f"{size}, {report['input']}"),
    ]
    if report["checked_on"] is None:
        rows.append(("not checked", "nothing on this machine runs such a file"))
    else:
        rows += [
            ("largest error against PyTorch", f"{report['max_abs_error']:.2g} on {report['checked_on']}"),
            ("PSNR against PyTorch", "equal" if psnr is None else f"{psnr:.1f} dB"),
            (
                "time on this machine",
                f"{report['host_ms']:.1f} ms at {'x'.join(map(str, report['host_size']))} packed, "
                f"{report['host_threads']} thread",
            ),
        ]
    if report["calibrated_on"]:
        rows.append(("calibrated on", report["calibrated_on"]))
    if pairs:
        before, after = pairs["torch_psnr_db"], pairs["file_psnr_db"]
        rows.append((f"PSNR on {pairs['pairs']} true pairs", f"{before:.2f} dB in PyTorch, {after:.2f} dB in the file"))
    for target, left in report["left_to_cpu"].items():
        rows.append((f"left to the CPU on {target}", ", ".join(left) or "nothing"))
    return rows
