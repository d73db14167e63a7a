"""Options that several verbs of `nas-isp latency` share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nas_isp.precision import Precision

DeviceOption = Annotated[str, typer.Option("--device", help="Name from `latency list`, or a table's .json file.")]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Bundle, architecture file, .tflite file or published name.")
]
KernelsOption = Annotated[Path | None, typer.Option("--kernels", help="Kernels: .json (a network) or .jsonl (many).")]
SizeOption = Annotated[str, typer.Option("--input-size", help="Packed rows x columns of a model's input.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, max=256, help="Threads of the runtime.")]

TargetOption = Annotated[str, typer.Option("--target", help="What to measure on: host, adb[:SERIAL] or ssh:HOST.")]
BinaryOption = Annotated[
    Path | None, typer.Option("--benchmark-binary", help="adb, ssh: a benchmark_model (TFLite, LiteRT) built for it.")
]
DelegateOption = Annotated[
    Literal["gpu", "xnnpack"] | None,
    typer.Option("--delegate", help="adb, ssh: gpu or xnnpack (the CPU); default xnnpack."),
]
PrecisionOption = Annotated[
    Precision | None,
    typer.Option("--precision", help="Arithmetic: fp32, fp16 or int8; default fp16 on a GPU, else fp32."),
]
MaskOption = Annotated[str | None, typer.Option("--cpu-mask", help="adb, ssh: cores as a hexadecimal mask.")]
PassesOption = Annotated[
    int, typer.Option("--passes", min=1, max=100, help="Times that all is timed over again; the median counts.")
]
DriftOption = Annotated[
    float,
    typer.Option(
        "--max-drift", min=0, help="Percent by which the reference network may be off before a batch is repeated."
    ),
]
RunsOption = Annotated[
    int | None, typer.Option("--runs", min=3, max=10000, help="adb, ssh: runs of each model; default 50.")
]
