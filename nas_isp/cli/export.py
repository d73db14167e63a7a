"""`nas-isp export`: a model as a checked TFLite or ONNX file."""

import json
import os
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_isp.cli.common import Format, print_json, print_table, say
from nas_isp.errors import InputError

if TYPE_CHECKING:
    from nas_isp.export.verify import ExportReport

DYNAMIC = "dynamic"
SMALLEST_SIDE = 8
LARGEST_SIDE = 16384


class Runtime(StrEnum):
    """Formats that can be written."""

    TFLITE = "tflite"
    ONNX = "onnx"


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def export(
        model: Annotated[str, typer.Argument(help="A bundle, or STUDY:TRIAL, or STUDY:knee.")],
        to: Annotated[Runtime, typer.Option("--to", help="Runtime to write for.")],
        out: Annotated[Path, typer.Option("-o", "--out", help="File to write; its report goes to FILE.json beside.")],
        precision: Annotated[str, typer.Option(help="fp32, or fp16 to store weights in half precision.")] = "fp32",
        input_size: Annotated[
            str, typer.Option(help="Rows x columns of the packed RAW, or 'dynamic' to leave them to run time.")
        ] = "544x960",
        raw: Annotated[
            Path | None, typer.Option(help="Folder of RAW files to check on; else a synthetic scene.")
        ] = None,
        sensor: Annotated[
            str | None, typer.Option(help="Sensor of bare mosaics in --raw: a name or FILE.json.")
        ] = None,
        format: Annotated[Format, typer.Option(help="How the report is printed.")] = Format.TABLE,
    ) -> None:
        """Write a model as TFLite or ONNX, run the file and compare it with PyTorch."""
        size = _packed_size(input_size)
        _check_precision(precision)
        if out.suffix != f".{to.value}":
            raise InputError(f"{out}: a file for --to {to.value} is named *.{to.value}; give such a name to -o")

        from nas_isp.cli.datasets import check_output
        from nas_isp.cli.models import load_model
        from nas_isp.export.write import export_model
        from nas_isp.raw.readers import load_sensor

        check_output(out)
        check_output(_report_file(out))
        bundle, description = load_model(model), load_sensor(sensor) if sensor else None
        say(f"writing {out} and comparing it with PyTorch ...")
        report = export_model(
            bundle,
            out,
            to.value,
            precision,  # type: ignore[arg-type]  # checked above
            size,
            raw,
            description,
            say,
        )
        _write_beside(out, report)
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


def _check_precision(text: str) -> None:
    from nas_isp.export.metadata import PRECISIONS

    if text not in PRECISIONS:
        raise InputError(f"precision '{text}': this version writes {' and '.join(PRECISIONS)}; give one of them")


def _report_file(out: Path) -> Path:
    return out.with_name(f"{out.name}.json")


def _write_beside(out: Path, report: "ExportReport") -> None:
    target, part = _report_file(out), out.with_name(f".{out.name}.json.part")
    try:
        part.write_text(json.dumps(report.to_json(), indent=2) + "\n", encoding="utf-8")
        os.replace(part, target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written ({error.strerror}); give a writable folder") from error


def _rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    ops = ", ".join(f"{count} {name}" for name, count in report["ops"].items())
    psnr = report["psnr_vs_torch_db"]
    size = "any" if report["packed_size"] is None else "x".join(map(str, report["packed_size"]))
    return [
        ("bytes", f"{report['bytes']}"),
        ("operators", ops),
        ("packed input", size),
        ("largest error against PyTorch", f"{report['max_abs_error']:.2g} on {report['checked_on']}"),
        ("PSNR against PyTorch", "equal" if psnr is None else f"{psnr:.1f} dB"),
        (
            "time on this machine",
            f"{report['host_ms']:.1f} ms at {'x'.join(map(str, report['host_size']))} packed, "
            f"{report['host_threads']} thread",
        ),
    ]
