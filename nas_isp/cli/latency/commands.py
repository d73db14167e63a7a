"""`nas-isp latency`: what tables there are, predictions, and measuring and validating on a target."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from nas_isp.cli.common import Format, deadline_in, print_json, print_table, progress_bar, say
from nas_isp.errors import InputError
from nas_isp.files import check_writable, write_whole

DeviceOption = Annotated[str, typer.Option("--device", help="Name from `latency list`, or a table's .json file.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How the result is printed.")]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Bundle, architecture file, .tflite file or published name.")
]
KernelsOption = Annotated[Path | None, typer.Option("--kernels", help="Kernels: .json (a network) or .jsonl (many).")]
SizeOption = Annotated[str, typer.Option("--input-size", help="Packed rows x columns of a model's input.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, max=256, help="Threads of the runtime.")]

TargetOption = Annotated[str, typer.Option("--target", help="What to measure on: host, adb[:SERIAL] or ssh:HOST.")]
BinaryOption = Annotated[
    Path | None, typer.Option("--benchmark-binary", help="adb, ssh: TFLite's benchmark_model built for the device.")
]
DelegateOption = Annotated[
    Literal["gpu", "xnnpack"] | None,
    typer.Option("--delegate", help="adb, ssh: gpu or xnnpack (the CPU); default xnnpack."),
]
PrecisionOption = Annotated[
    Literal["fp32", "fp16", "int8"] | None,
    typer.Option("--precision", help="Arithmetic: fp32, fp16 or int8; default fp16 on a GPU, else fp32."),
]
MaskOption = Annotated[str | None, typer.Option("--cpu-mask", help="adb, ssh: cores as a hexadecimal mask.")]
PassesOption = Annotated[
    int, typer.Option("--passes", min=1, max=100, help="Times that all is timed over again; the median counts.")
]
DriftOption = Annotated[
    float,
    typer.Option("--max-drift", min=0, help="Percent by which the anchor may be off before a batch is repeated."),
]
RunsOption = Annotated[
    int | None, typer.Option("--runs", min=3, max=10000, help="adb, ssh: runs of each model; default 50.")
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    verb = typer.Typer(no_args_is_help=True, help="Latency tables: list, predict, measure, build, validate.")
    verb.command("list")(list_devices)
    verb.command()(predict)
    verb.command()(measure)
    verb.command()(build)
    verb.command()(validate)
    app.add_typer(verb, name="latency")


def list_devices(output: FormatOption = Format.TABLE) -> None:
    """Every device that can be predicted for, with what was measured on it."""
    from nas_isp.cli.latency.answers import device_row
    from nas_isp.latency.measure.devices import device_names

    rows = [device_row(name) for name in device_names()]
    if output is Format.JSON:
        print_json(rows)
        return
    columns = ("id", "name", "soc", "processor", "kernels", "networks", "mean error", "within 10 %")
    facts = [[row[key] for key in ("id", "name", "soc", "processor", "kernels", "networks")] for row in rows]
    shares = [[_percent(row["mean_error"], 1), _percent(row["within_10_percent"], 0)] for row in rows]
    print_table(columns, [fact + share for fact, share in zip(facts, shares, strict=True)])


def _percent(share: float | None, decimals: int) -> str:
    return "-" if share is None else f"{100 * share:.{decimals}f} %"


def predict(
    device: DeviceOption,
    model: ModelOption = None,
    kernels: KernelsOption = None,
    input_size: SizeOption = "544x960",
    output: FormatOption = Format.TABLE,
    threads: ThreadsOption = 1,
) -> None:
    """Predicted latency of a model, or of networks given as kernels, on a device."""
    from nas_isp.cli.latency.answers import answer, networks_of, print_answer
    from nas_isp.cli.latency.measuring import table_for

    networks = networks_of(model, kernels, input_size)
    table = table_for(device, [kernel for network in networks for kernel in network.kernels], threads)
    answers = [answer(table, network) for network in networks]
    many = kernels is not None and kernels.suffix == ".jsonl"
    if output is Format.JSON:
        print_json(answers if many else answers[0])
    else:
        for entry in answers:
            print_answer(entry)
    for name in sorted({name for network in networks for name in network.skipped}):
        say(f"note: field '{name}' of the kernels says nothing to a latency table and was skipped")
    if table.source.caveat and any(entry["extrapolated_share"] > 0 for entry in answers):
        say(f"note: {table.device.id}: {table.source.caveat}")


def measure(
    target: TargetOption,
    space: Annotated[str | None, typer.Option("--space", help="Measure the kernels of this search space.")] = None,
    model: ModelOption = None,
    kernels: KernelsOption = None,
    input_size: SizeOption = "544x960",
    threads: ThreadsOption = 1,
    binary: BinaryOption = None,
    delegate: DelegateOption = None,
    precision: PrecisionOption = None,
    cpu_mask: MaskOption = None,
    runs: RunsOption = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Stop after this time.")] = None,
    passes: PassesOption = 1,
    max_drift: DriftOption = 5.0,
    file: Annotated[Path | None, typer.Option("-o", "--output", help="Measurements; default: those of `host`.")] = None,
) -> None:
    """Time kernels; what the file already holds is not timed again, and whatever ends it keeps what was done."""
    from nas_isp.cli.latency.answers import networks_of
    from nas_isp.cli.latency.measuring import outcome, session_progress, space_kernels
    from nas_isp.latency.measure.devices import host_measurements_path
    from nas_isp.latency.measure.host import HOST
    from nas_isp.latency.measure.session import SessionSettings
    from nas_isp.latency.measure.session import measure as measure_kernels
    from nas_isp.latency.measure.targets import TargetOptions, check_target, target_for

    check_target(target)
    if file is None and target != HOST:
        raise InputError(f"target '{target}': give -o FILE, where the measurements are kept")
    if [space, model, kernels].count(None) != 2:
        raise InputError("give one of --space SPACE, --model MODEL and --kernels FILE.json|FILE.jsonl")
    if space is not None:
        wanted = space_kernels(space, input_size)
    else:
        wanted = [kernel for network in networks_of(model, kernels, input_size) for kernel in network.kernels]
    runner = target_for(target, TargetOptions(threads, delegate, precision, binary, cpu_mask, runs))
    path = file or host_measurements_path(runner.device.id)
    deadline = deadline_in(None if minutes is None else 60 * minutes)
    settings = SessionSettings(deadline, max_drift / 100, passes)
    with progress_bar("timing kernels") as report:
        measurements = measure_kernels(path, wanted, runner, settings, session_progress(report))
    for line in outcome(path, measurements, wanted, settings.max_drift):
        say(line)
    print(path)


def build(
    measurements: Annotated[list[Path], typer.Argument(help="Files written by `latency measure`, of one device.")],
    file: Annotated[Path, typer.Option("-o", "--output", help="The table, for --device.")],
    networks: Annotated[
        Path | None, typer.Option("--networks", help="Result of `latency validate -o`: fit the correction to it.")
    ] = None,
) -> None:
    """Make one table of measurements: models fitted, and a correction where whole networks were measured."""
    from nas_isp.cli.latency.measuring import left_out
    from nas_isp.latency.measure.measurements import joined, read_measurements
    from nas_isp.latency.predict.table import write_table
    from nas_isp.latency.validate.comparison import correction_to, read_comparison

    check_writable(file)
    whole = joined([(path, read_measurements(path)) for path in measurements])
    table = whole.table()
    if networks is not None:
        correction = correction_to(read_comparison(networks), table, str(networks))
        table = table.model_copy(update={"correction": correction})
    for line in left_out(whole):
        say(line)
    write_table(file, table)
    fitted = f"fitted on {table.correction.networks} networks" if table.correction.fitted else "not fitted"
    if table.correction.mean_error is not None:
        fitted += f" (mean error of left-out ones {100 * table.correction.mean_error:.1f} %)"
    say(f"{file}: {len(table.measured)} kernels, {len(table.models)} models, correction {fitted}")
    print(file)


def validate(
    device: DeviceOption,
    networks: Annotated[
        str,
        typer.Option("--networks", help="SPACE:N random networks, or a folder of bundles, architectures and .tflite."),
    ],
    input_size: SizeOption = "544x960",
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
    profile: Annotated[
        bool, typer.Option("--profile", help="adb, ssh: time the operators too, in runs apart.")
    ] = False,
    output: FormatOption = Format.TABLE,
    file: Annotated[Path | None, typer.Option("-o", "--output", help="Write the result as JSON, for `build`.")] = None,
) -> None:
    """Measure whole networks on a target and compare with their prediction: errors, rank, and which kinds are off."""
    from nas_isp.cli.latency.networks import networks_to_validate
    from nas_isp.cli.latency.profiles import check_profiles, print_profiles, profiles
    from nas_isp.cli.latency.validating import (
        ValidationSettings,
        print_comparison,
        stated_precision,
        table_of_target,
        validate_networks,
    )
    from nas_isp.cli.models import parse_size
    from nas_isp.latency.measure.targets import TargetOptions, target_for
    from nas_isp.latency.validate.comparison import Comparison

    if file is not None:
        check_writable(file)
    precision = precision or stated_precision(device)
    runner = target_for(target, TargetOptions(threads, delegate, precision, binary, cpu_mask, runs))
    profiled = check_profiles(runner) if profile else None
    found, faults = networks_to_validate(networks, parse_size(input_size), seed, runner.device.model_precision)
    table = table_of_target(device, [kernel for network in found for kernel in network.kernels], runner)

    def keep(result: Comparison) -> None:
        if file is not None:
            write_whole(file, result.model_dump_json(indent=1) + "\n")

    with progress_bar("measuring networks") as report:
        settings = ValidationSettings(input_size, passes, max_drift / 100)
        told = partial(report, text="measuring networks")
        result = validate_networks(table, found, runner, told, keep, settings, faults)
    if output is Format.TABLE:
        print_comparison(result)
    if profiled is not None:
        failed = {fault.network for fault in result.failed}
        with progress_bar("profiling networks") as report:
            operators = profiles([one for one in found if one.name not in failed], profiled, report)
        result = result.model_copy(update={"profiles": operators})
        keep(result)
        if output is Format.TABLE:
            print_profiles(operators)
    if output is Format.JSON:
        print_json(result.model_dump(mode="json"))
