"""`nas-isp latency measure`."""

from pathlib import Path
from typing import Annotated

import typer

from nas_isp.cli.common import progress_bar, say
from nas_isp.cli.latency.options import (
    BinaryOption,
    DelegateOption,
    DriftOption,
    KernelsOption,
    MaskOption,
    ModelOption,
    PassesOption,
    PrecisionOption,
    RunsOption,
    SizeOption,
    TargetOption,
    ThreadsOption,
)
from nas_isp.cli.options import parse_size
from nas_isp.deadlines import deadline_in
from nas_isp.errors import InputError
from nas_isp.picture_size import FULL_HD_TEXT


def measure(
    target: TargetOption,
    space: Annotated[str | None, typer.Option("--space", help="Measure the kernels of this search space.")] = None,
    model: ModelOption = None,
    kernels: KernelsOption = None,
    input_size: SizeOption = FULL_HD_TEXT,
    threads: ThreadsOption = 1,
    binary: BinaryOption = None,
    delegate: DelegateOption = None,
    precision: PrecisionOption = None,
    cpu_mask: MaskOption = None,
    runs: RunsOption = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Stop after this time.")] = None,
    passes: PassesOption = 1,
    max_drift: DriftOption = 5.0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Measurements; default: those of `host`.")
    ] = None,
) -> None:
    """Time kernels; what the file already holds is not timed again, and whatever ends it keeps what was done."""
    from nas_isp.latency.measure.device_table import session_progress
    from nas_isp.latency.measure.devices import host_measurements_path
    from nas_isp.latency.measure.host import HOST
    from nas_isp.latency.measure.session import SessionSettings
    from nas_isp.latency.measure.session import measure as measure_kernels
    from nas_isp.latency.measure.summary import session_lines
    from nas_isp.latency.measure.targets import TargetOptions, check_target, target_for
    from nas_isp.search.kernels import kernels_to_measure

    check_target(target)
    if output is None and target != HOST:
        raise InputError(f"target '{target}': give a file where the measurements are kept", "output")
    wanted = kernels_to_measure(space, model, kernels, parse_size(input_size))
    reached = target_for(target, TargetOptions(threads, delegate, precision, binary, cpu_mask, runs))
    path = output or host_measurements_path(reached.device.id)
    deadline = deadline_in(None if minutes is None else 60 * minutes)
    settings = SessionSettings(deadline, max_drift / 100, passes)
    with progress_bar("timing kernels") as report:
        measurements = measure_kernels(path, wanted, reached, settings, session_progress(report))
    for line in session_lines(path, measurements, wanted, settings.max_drift):
        say(line)
    print(path)
