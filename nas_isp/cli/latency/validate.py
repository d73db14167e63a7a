"""`nas-isp latency validate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.latency.options import (
    BinaryOption,
    DelegateOption,
    DeviceOption,
    DriftOption,
    MaskOption,
    PassesOption,
    PrecisionOption,
    RunsOption,
    SizeOption,
    TargetOption,
    ThreadsOption,
)
from nas_isp.cli.options import FormatOption, parse_size
from nas_isp.picture_size import FULL_HD_TEXT

if TYPE_CHECKING:
    from nas_isp.latency.validate.agreement import Agreement
    from nas_isp.latency.validate.comparison import Comparison
    from nas_isp.latency.validate.profiles import Profiles

NetworksOption = Annotated[
    str,
    typer.Option("--networks", help="SPACE:N random networks, or a folder of bundles, architectures and .tflite."),
]
ProfileOption = Annotated[bool, typer.Option("--profile", help="adb, ssh: time the operators too, in runs apart.")]


def validate(
    device: DeviceOption,
    networks: NetworksOption,
    input_size: SizeOption = FULL_HD_TEXT,
    target: TargetOption = "host",
    threads: ThreadsOption = 1,
    binary: BinaryOption = None,
    delegate: DelegateOption = None,
    precision: PrecisionOption = None,
    cpu_mask: MaskOption = None,
    runs: RunsOption = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which random networks.")] = 0,
    passes: PassesOption = 1,
    max_drift: DriftOption = 5.0,
    profile: ProfileOption = False,
    format: FormatOption = "table",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the result as JSON, for `build`.")
    ] = None,
) -> None:
    """Measure whole networks on a target and compare with their prediction: errors, rank, and which kinds are off."""
    from nas_isp.api.validation import validate_latency
    from nas_isp.latency.measure.targets import TargetOptions, target_for
    from nas_isp.latency.validate.validation import ValidationSettings, stated_precision

    precision = precision or stated_precision(device)
    reached = target_for(target, TargetOptions(threads, delegate, precision, binary, cpu_mask, runs))
    settings = ValidationSettings(passes, max_drift / 100, parse_size(input_size), seed, profile)
    with progress_bar("measuring networks") as report:
        result = validate_latency(device, networks, reached, settings, output, report)
    if format == "json":
        print_json(result.model_dump(mode="json"))
        return
    _print_comparison(result)
    if profile:
        _print_profiles(result.profiles)


def _print_comparison(result: "Comparison") -> None:
    """A comparison as tables for people: the networks and the kinds of kernel, the worst first."""
    rows = sorted(result.results, key=lambda row: -abs(row.predicted_ms / row.measured_ms - 1))
    cells = [
        (
            row.network,
            row.predicted_ms,
            row.measured_ms,
            100 * (row.predicted_ms / row.measured_ms - 1),
            100 * row.measured_share,
        )
        for row in rows
    ]
    columns = ("network", "predicted ms", "measured ms", "error %", "kernels measured %")
    print_table(columns, cells, f"{result.networks} networks on {result.device}: {_in_words(result)}")
    kinds = [
        (kind.kind, kind.networks, 100 * kind.share, 100 * kind.error, kind.worst_network) for kind in result.kinds
    ]
    title = "kinds of kernel by what their errors cost (error: of the kind's predicted time, fitted to the networks)"
    print_table(("kind", "networks", "time %", "error %", "most in"), kinds, title)
    say(
        f"the reference network took {result.anchor_ms:.4g} ms; measured times are stated for "
        f"{result.reference_ms:.4g} ms. As timed: {_in_words(result.as_timed)}"
    )
    for fault in result.failed:
        say(f"warning: {fault.network} is left out: {fault.reason}")


def _in_words(found: "Agreement") -> str:
    tau = "-" if found.kendall_tau is None else f"{found.kendall_tau:.3f}"
    return (
        f"mean error {100 * found.mean_error:.1f} %, within 5 %: {100 * found.within_5_percent:.0f} %, "
        f"within 10 %: {100 * found.within_10_percent:.0f} %, Kendall tau {tau}"
    )


def _print_profiles(found: "Profiles") -> None:
    """Where the time of all networks together goes, by operator."""
    totals: dict[str, tuple[int, float]] = {}
    for operator in (operator for operators in found.values() for operator in operators):
        count, ms = totals.get(operator.operator, (0, 0.0))
        totals[operator.operator] = count + 1, ms + operator.average_ms
    whole = sum(ms for _, ms in totals.values()) or 1.0
    slowest_first = sorted(totals.items(), key=lambda item: -item[1][1])
    rows = [(name, count, ms, 100 * ms / whole) for name, (count, ms) in slowest_first]
    print_table(("operator", "count", "ms", "time %"), rows, f"profiled operators of {len(found)} networks")
