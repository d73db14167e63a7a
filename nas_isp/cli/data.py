"""`nas-isp data`: what files hold, and RAW made from photos."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.options import FormatOption, SensorOption

if TYPE_CHECKING:
    from nas_isp.data.inspection import FileFacts

COLUMNS = (
    *("file", "kind", "size", "CFA", "black", "white", "R, B gain", "light from", "matrix", "flip"),
    *("values", "saturated"),
)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    data = typer.Typer(name="data", no_args_is_help=True, help="What files hold, and RAW made from photos.")
    data.command()(inspect)
    data.command()(synthesize)
    app.add_typer(data)


def inspect(
    path: Annotated[Path, typer.Argument(help="A RAW file, a photo, or a folder of them.")],
    sensor: SensorOption = None,
    format: FormatOption = "table",
) -> None:
    """Show what a file or folder holds, as the program reads it."""
    from nas_isp.data.dataset_folders import described as layouts_in
    from nas_isp.data.inspection import inspect_files, not_read, of_a_sample
    from nas_isp.data.verdict import verdict
    from nas_isp.raw.readers import load_sensor

    described = load_sensor(sensor) if sensor else None
    with progress_bar("reading") as report:
        facts = inspect_files(path, described, report)
    for line in (*layouts_in(path), *not_read(path, facts), *of_a_sample(facts)):
        say(line)
    if format == "json":
        print_json([fact.to_json() for fact in facts])
        return
    print_table(COLUMNS, [_row(fact, path) for fact in facts if fact.kind != "unreadable"])
    for fact in facts:
        for line in (*fact.corrections, *_noise_lines(fact)):
            print(f"{fact.file}: {line}")
    for fact in facts:
        if fact.reason:
            print(f"unreadable: {fact.reason}")
    lines = verdict(facts)
    for line in lines:
        print(line)
    if lines and path.is_dir():
        print(f"next: nas-isp search --raw {path} --rgb PHOTOS --study STUDY --budget 1h")


def synthesize(
    rgb: Annotated[Path, typer.Option("--rgb", help="Folder of photos.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to make, with raw/ and rgb/; new or empty.")],
    seed: Annotated[int, typer.Option(min=0, help="Of light, noise and patch places.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Most pairs to make.")] = None,
    patch: Annotated[int | None, typer.Option(help="Side of one patch a photo, even; else whole photos.")] = None,
    format: FormatOption = "table",
) -> None:
    """Make synthetic RAW from photos: true pairs, for tests and demos."""
    from nas_isp.data.synthesize import synthesize_pairs

    with progress_bar("making RAW") as report:
        made = synthesize_pairs(rgb, output, seed, limit, patch, progress=report)
    for line in made.skipped:
        say(f"left out: {line}")
    if format == "json":
        print_json({"folder": str(made.folder), "pairs": made.pairs, "skipped": made.skipped})
    else:
        print(f"{made.pairs} pairs of synthetic RAW and photo in {made.folder}")


def _noise_lines(fact: "FileFacts") -> list[str]:
    """The noise that a file says, beside the one that its picture shows."""
    if fact.noise is None:
        return []
    said, shown = (
        "no estimate" if noise is None else f"variance {noise[0]:.3g} x + {noise[1]:.3g}"
        for noise in (fact.noise, fact.estimated_noise)
    )
    estimate = "" if fact.lowest is None else f"; estimated from the picture: {shown}"
    return [f"noise profile of the file: {said}{estimate}"]


def _row(fact: "FileFacts", root: Path) -> list[str]:
    file = Path(fact.file)
    name = str(file.relative_to(root)) if file != root else file.name
    values, share = ("", "") if fact.saturated is None else (f"{fact.lowest}..{fact.highest}", f"{fact.saturated:.2%}")
    if fact.width is None:
        return [name, "raw", *[""] * 9]
    if fact.kind == "photo":
        return [name, "photo", f"{fact.width}x{fact.height}", "", "", "", "", "", "", "", values, share]
    black = [f"{level:g}" for level in fact.black or ()]
    return [
        name,
        "raw",
        f"{fact.width}x{fact.height}",
        f"{fact.cfa}",
        " ".join(black[:1] if len(set(black)) == 1 else black),
        f"{fact.white:g}",
        "" if fact.light is None else f"{fact.light[0]:.2f}, {fact.light[2]:.2f}",
        fact.light_source or "",
        "not given" if fact.color_matrix is None else "given",
        f"{fact.flip}",
        values,
        share,
    ]
