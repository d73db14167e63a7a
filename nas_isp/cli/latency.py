"""`nas-isp latency`: what tables there are, predictions, and measuring this machine."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from nas_isp.cli.common import Format, print_json, print_table, progress_bar, say
from nas_isp.errors import InputError

DeviceOption = Annotated[str, typer.Option("--device", help="Name from `latency list`, or a table's .json file.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How the result is printed.")]
ModelOption = Annotated[str | None, typer.Option("--model", help="Model bundle, architecture file or published name.")]
KernelsOption = Annotated[Path | None, typer.Option("--kernels", help="Kernels: .json (a network) or .jsonl (many).")]
SizeOption = Annotated[str, typer.Option("--input-size", help="Packed rows x columns of a model's input.")]
ThreadsOption = Annotated[int, typer.Option("--threads", min=1, max=256, help="Threads of the runtime.")]

TARGETS = ("host",)
SPACE_SAMPLES = 2000


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
    from nas_isp.cli.latency_answers import device_row
    from nas_isp.latency.tables import device_names

    rows = [device_row(name) for name in device_names()]
    if output is Format.JSON:
        print_json(rows)
        return
    columns = ("id", "name", "soc", "processor", "kernels", "networks", "mean error", "within 10 %")
    keys = ("id", "name", "soc", "processor", "kernels", "networks", "mean_error", "within_10_percent")
    print_table(columns, [["-" if row[key] is None else row[key] for key in keys] for row in rows])


def predict(
    device: DeviceOption,
    model: ModelOption = None,
    kernels: KernelsOption = None,
    input_size: SizeOption = "544x960",
    output: FormatOption = Format.TABLE,
    threads: ThreadsOption = 1,
) -> None:
    """Predicted latency of a model, or of networks given as kernels, on a device."""
    from nas_isp.cli.latency_answers import answer, networks_of, print_answer
    from nas_isp.cli.latency_measuring import table_for

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
    target: Annotated[str, typer.Option("--target", help="What to measure on: host.")],
    space: Annotated[str | None, typer.Option("--space", help="Measure the kernels of this search space.")] = None,
    model: ModelOption = None,
    kernels: KernelsOption = None,
    input_size: SizeOption = "544x960",
    threads: ThreadsOption = 1,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Stop after this time.")] = None,
    file: Annotated[Path | None, typer.Option("-o", "--output", help="Measurements; default: those of `host`.")] = None,
) -> None:
    """Time kernels; what the file already holds is not timed again, and Ctrl-C keeps what was done."""
    from nas_isp.cli.latency_answers import networks_of
    from nas_isp.cli.latency_measuring import space_kernels
    from nas_isp.latency.host import HostTiming, extend_host_table
    from nas_isp.latency.tables import host_table_path

    check_target(target)
    if space is not None:
        wanted = space_kernels(space, input_size, SPACE_SAMPLES)
    else:
        wanted = [kernel for network in networks_of(model, kernels, input_size) for kernel in network.kernels]
    path = file or host_table_path()
    deadline = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    with progress_bar("timing kernels") as report:
        table = extend_host_table(path, wanted, HostTiming(threads, deadline=deadline), report)
    say(f"{path}: {len(table.measured)} kernels measured on {table.device.name}")
    print(path)


def build(
    measurements: Annotated[list[Path], typer.Argument(help="Files written by `latency measure`, of one device.")],
    file: Annotated[Path, typer.Option("-o", "--output", help="The table, for --device.")],
    networks: Annotated[
        Path | None, typer.Option("--networks", help="Result of `latency validate -o`: fit the correction to it.")
    ] = None,
) -> None:
    """Make one table of measurements: models fitted, and a correction where whole networks were measured."""
    from nas_isp.cli.latency_measuring import merged_table, read_correction
    from nas_isp.latency.tables import build_table, write_table

    whole = merged_table(measurements)
    correction = read_correction(networks) if networks is not None else whole.correction
    table = build_table(whole.device, whole.source, whole.measured, correction)
    write_table(file, table)
    fitted = f"fitted on {table.correction.networks} networks" if table.correction.fitted else "not fitted"
    say(f"{file}: {len(table.measured)} kernels, {len(table.models)} models, correction {fitted}")
    print(file)


def validate(
    device: DeviceOption,
    networks: Annotated[str, typer.Option("--networks", help="SPACE:N, so many random networks of a space.")],
    input_size: SizeOption = "544x960",
    threads: ThreadsOption = 1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which networks.")] = 0,
    output: FormatOption = Format.TABLE,
    file: Annotated[Path | None, typer.Option("-o", "--output", help="Write the result as JSON.")] = None,
) -> None:
    """Measure whole networks on this machine and compare with their prediction."""
    import json

    from nas_isp.cli.datasets import check_output
    from nas_isp.cli.latency_measuring import compare, print_comparison
    from nas_isp.latency.tables import write_text

    if file is not None:
        check_output(file)
    with progress_bar("measuring networks") as report:
        result: dict[str, Any] = compare(device, networks, input_size, threads, seed, report)
    if file is not None:
        write_text(file, json.dumps(result, indent=1) + "\n")
    if output is Format.JSON:
        print_json(result)
    else:
        print_comparison(result)


def check_target(target: str) -> None:
    """Refuse a target that cannot be measured.

    Raises:
        InputError: not one of `TARGETS`.
    """
    if target not in TARGETS:
        raise InputError(
            f"unknown target '{target}': this version measures on {', '.join(TARGETS)} only; "
            "tables of other devices can be given to --device as a .json file"
        )
