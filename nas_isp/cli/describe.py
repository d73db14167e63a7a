"""`nas-isp describe`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.options import Format, FormatOption, SizeOption, parse_size
from nas_isp.errors import InputError
from nas_isp.picture_size import FULL_HD_TEXT

if TYPE_CHECKING:
    from nas_isp.generators.architecture import Architecture


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
    format: FormatOption = Format.TABLE,
) -> None:
    """Parameters, MACs, receptive field and kernels of a network, and its predicted latency on a device."""
    from nas_isp.search.models import load_architecture

    size, architecture = parse_size(input_size), load_architecture(model)
    description = {"model": model, **describe_architecture(architecture, size, device)}
    if operators:
        description["operators"] = _counted(architecture, size)
    if format is Format.JSON:
        print_json(description)
    else:
        _print_description(description)


def describe_architecture(architecture: "Architecture", size: tuple[int, int], device: str | None) -> dict[str, Any]:
    """Everything `describe` says, as plain data; `kernels` is None where they are not known.

    Raises:
        InputError: a size the network does not take, an unknown device, or a kernel its table cannot speak of.
    """
    from nas_isp.generators.cost import count, receptive_field

    try:
        cost = count(architecture, *size)
    except ValueError as error:
        raise InputError(f"input size {size[0]}x{size[1]}: {error}", "input_size") from error
    return {
        "architecture": architecture.model_dump(mode="json"),
        "digest": architecture.digest(),
        "input_size": list(size),
        "params": cost.params,
        "gmacs": cost.gmacs,
        "receptive_field": receptive_field(architecture),
        **(_predicted(architecture, size, device) if device else _unpredicted(architecture, size)),
    }


def _counted(architecture: "Architecture", size: tuple[int, int]) -> dict[str, Any]:
    from nas_isp.generators.operator_count import count_operators

    counted = count_operators(architecture, size)
    return {**asdict(counted), "macs": counted.macs, "remarks": counted.remarks()}


def _unpredicted(architecture: "Architecture", size: tuple[int, int]) -> dict[str, Any]:
    from nas_isp.latency.kernels.from_architecture import kernels_of

    try:
        kernels = kernels_of(architecture, *size)
    except InputError as error:
        say(f"note: {error}")
        return {"kernels": None}
    return {"kernels": [{"label": kernel.label(), **kernel.model_dump(mode="json")} for kernel in kernels]}


def _predicted(architecture: "Architecture", size: tuple[int, int], device: str) -> dict[str, Any]:
    from nas_isp.api.latency import predict_latency
    from nas_isp.latency.kernels.from_architecture import kernels_of
    from nas_isp.latency.measure.device_table import table_for
    from nas_isp.latency.predict.answer import prediction_json

    kernels = kernels_of(architecture, *size)
    with progress_bar("timing kernels on this machine") as report:
        table = table_for(device, kernels, 1, report)
    prediction = predict_latency(kernels, table, note=lambda line: say(f"note: {line}"))
    answer = prediction_json(prediction, table)
    del answer["network"]
    return answer


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
