"""`nas-isp describe`."""

from typing import Annotated, Any

import typer

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.options import FormatOption, SizeOption, parse_size
from nas_isp.picture_size import FULL_HD_TEXT


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command()(describe)


def describe(
    model: Annotated[
        str, typer.Argument(help="Published name, architecture .json, model .safetensors, or STUDY:TRIAL.")
    ],
    device: Annotated[
        str | None, typer.Option(help="Name from `latency list`, or a table's .json file: adds predicted ms.")
    ] = None,
    input_size: SizeOption = FULL_HD_TEXT,
    operators: Annotated[
        bool, typer.Option("--operators", help="Add fvcore's count of every operator, beside this program's own.")
    ] = False,
    format: FormatOption = "table",
) -> None:
    """Parameters, MACs, receptive field and kernels of a network, and its predicted latency on a device."""
    size = parse_size(input_size)
    from nas_isp.api.describe import describe_network

    with progress_bar("timing kernels on this machine") as report:
        found = describe_network(
            model,
            device,
            input_size=size,
            operators=operators,
            note=lambda line: say(f"note: {line}"),
            progress=report,
        )
    description = {"model": model, **found.to_json()}
    if format == "json":
        print_json(description)
    else:
        _print_description(description)


def _print_description(description: dict[str, Any]) -> None:
    facts: list[tuple[str, Any]] = [
        ("digest", description["digest"]),
        ("parameters", f"{description['params']:,}"),
        ("GMACs", description["gmacs"]),
        ("input (packed)", "x".join(str(side) for side in description["input_size"])),
        ("receptive field (packed pixels)", f"+-{description['receptive_field']}"),
    ]
    columns = ["label"]
    if "latency_ms" in description:
        facts.append((f"latency on {description['device']} (ms)", description["latency_ms"]))
        facts.append(("uncertainty", f"+- {100 * description['uncertainty']:.0f} %"))
        facts += [(f"{basis} share", description[f"{basis}_share"]) for basis in _BASES]
        columns += ["latency_ms", "basis"]
    print_table(("", description["model"]), facts)
    if description["kernels"]:
        rows = [[index, *(row[name] for name in columns)] for index, row in enumerate(description["kernels"])]
        print_table(["#", *columns], rows)
    if "operators" in description:
        names = ("module", "operator", "macs", "share", "params")
        print_table(names, [[row[name] for name in names] for row in description["operators"]["rows"]])
        for line in description["operators"]["remarks"]:
            print(line)


_BASES = ("measured", "interpolated", "extrapolated")
