"""`nas-isp export`: a model as a checked TFLite or ONNX file."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nas_isp.cli.common import print_json, print_table, say
from nas_isp.cli.options import FormatOption, parse_size
from nas_isp.errors import InputError
from nas_isp.picture_size import FULL_HD_TEXT
from nas_isp.precision import Precision

DYNAMIC = "dynamic"


OutputOption = Annotated[
    Path, typer.Option("-o", "--output", help="File to write; its report goes to FILE.json beside.")
]
PrecisionOption = Annotated[
    Precision, typer.Option(help="fp32; fp16: half-precision weights; int8: 8-bit integers throughout (TFLite).")
]
SizeOption = Annotated[
    str, typer.Option(help="Rows x columns of the packed RAW, or 'dynamic' to leave them to run time.")
]
InputOption = Annotated[
    Literal["normalised", "raw"],
    typer.Option(help="normalised: (x - black) / (white - black); raw: the sensor's integers, int32."),
]
OutputTypeOption = Annotated[
    Literal["float", "uint8"],
    typer.Option(help="float: RGB to be clipped to 0..1; uint8: the levels of an 8-bit picture."),
]
FoldedLightOption = Annotated[
    str | None,
    typer.Option(
        help="fixed or R,G,B: gains for every capture, within the weights; else the file takes each capture's."
    ),
]
RawOption = Annotated[
    Path | None, typer.Option(help="Folder of RAW files to check on; else those the model was trained on.")
]
CalibrationOption = Annotated[
    Path | None, typer.Option(help="Folder of RAW files for int8; else those trained on, or the demo set.")
]
PairsOption = Annotated[Path | None, typer.Option(help="Folder of true pairs (raw/, rgb/): PSNR before and after.")]
SensorOption = Annotated[str | None, typer.Option(help="Sensor of bare mosaics in these folders: a name or FILE.json.")]
GroupOption = Annotated[
    str | None, typer.Option(help="Calibrate and check on captures of one sensor: its number or a part of its name.")
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("export")(export)


def export(
    model: Annotated[str, typer.Argument(help="A bundle, or STUDY:TRIAL, or STUDY:knee.")],
    to: Annotated[str, typer.Option("--to", help="Exporter: tflite, onnx, or an installed one.")],
    output: OutputOption,
    precision: PrecisionOption = "fp32",
    input_size: SizeOption = FULL_HD_TEXT,
    input_type: InputOption = "normalised",
    output_type: OutputTypeOption = "float",
    light: FoldedLightOption = None,
    raw: RawOption = None,
    calibration: CalibrationOption = None,
    pairs: PairsOption = None,
    sensor: SensorOption = None,
    group: GroupOption = None,
    format: FormatOption = "table",
) -> None:
    """Write a model as TFLite or ONNX, run the file and compare it with PyTorch."""
    size = _packed_size(input_size)
    from nas_isp.api.export import export_model

    report = export_model(
        model,
        output,
        to=to,
        precision=precision,
        input_size=size,
        input_type=input_type,
        output_type=output_type,
        light=light,
        raw=raw,
        calibration=calibration,
        pairs=pairs,
        sensor=sensor,
        group=group,
        note=say,
    ).to_json()
    if format == "json":
        print_json(report)
    else:
        print_table(("", ""), _rows(report), title=str(output))


def _packed_size(text: str) -> tuple[int, int] | None:
    if text == DYNAMIC:
        return None
    with suppress(InputError):
        return parse_size(text)
    raise InputError(
        f"input size '{text}': give rows x columns of the packed RAW, such as {FULL_HD_TEXT}, or '{DYNAMIC}'",
        "input_size",
    )


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    ops = ", ".join(f"{count} {name}" for name, count in report["ops"].items())
    psnr, pairs = report["psnr_vs_torch_db"], report["pairs"]
    size = "any" if report["packed_size"] is None else "x".join(map(str, report["packed_size"]))
    rows = [
        ("bytes", f"{report['bytes']}"),
        ("operators", ops),
        ("packed input", f"{size}, {report['input']}"),
    ]
    if report["gains_input"]:
        rows.append(("second input", "gains, of each capture's light and exposure"))
    if report["folded_gains"]:
        rows.append(("gains in the weights", ", ".join(f"{gain:g}" for gain in report["folded_gains"])))
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
