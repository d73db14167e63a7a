"""`nas-isp pareto`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nas_isp.cli.common import print_json, print_table, say

if TYPE_CHECKING:
    from nas_isp.search.study import Study

FrontFormat = Literal["table", "json", "csv"]
COLUMNS = ("trial", "quality", "latency_ms", "params", "gmacs", "bundle", "psnr")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("pareto")(pareto)


def pareto(
    study: Annotated[Path, typer.Argument(help="Folder of a study.")],
    format: Annotated[FrontFormat, typer.Option(help="How the front is printed.")] = "table",
    plot: Annotated[Path | None, typer.Option(help="Also draw all trials into this PNG.")] = None,
    html: Annotated[Path | None, typer.Option(help="Also write the report into this one HTML file.")] = None,
) -> None:
    """Show the front of a study: the networks that no other one beats in both quality and latency."""
    from nas_isp.search.study import Study

    opened = Study.open(study)
    if plot is not None:
        from nas_isp.report.plots import write_plot

        write_plot(opened, plot)
        say(f"plot: {plot}")
    if html is not None:
        from nas_isp.report.page import write_page

        write_page(opened, html)
        say(f"report: {html}")
    print_front(opened, study, format)


def print_front(opened: "Study", study: Path, format: FrontFormat) -> None:
    """Print the front of a study as `nas-isp pareto` does; `study` is the folder as the user named it."""
    from nas_isp.report.latency import front_summary

    summary, note = front_summary(opened)
    if format == "json":
        print_json(summary)
    elif format == "csv":
        _print_csv(summary)
    else:
        _print_table(summary, study)
        if note:
            say(f"note: {note}")
        _warn_of_worse(summary["front"])


def _print_csv(summary: dict[str, Any]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*COLUMNS, "knee"])
    writer.writerows([*(row[name] for name in COLUMNS), int(row["knee"])] for row in summary["front"])
    if (classical := summary["classical"]) is not None:
        of_rendering = {"trial": "classical", "quality": classical["quality"], "psnr": classical["scores"].get("psnr")}
        writer.writerow([*(of_rendering.get(name) for name in COLUMNS), 0])


def _print_table(summary: dict[str, Any], study: Path) -> None:
    front, counts = summary["front"], summary["trials"]
    if front:
        shows_psnr = summary["score_kind"] != "psnr" and any(row["psnr"] is not None for row in front)
        names = ["trial", summary["quality_name"], f"ms on {summary['device']}", "parameters", "GMACs"]
        rows = [_cells(row, shows_psnr) for row in front]
        if summary["classical"] is not None:
            rows.append(_classical_cells(summary["classical"], shows_psnr))
        print_table(names + ["PSNR of pairs"] * shows_psnr + [""], rows, title=f"Pareto front of {study}")
    else:
        print(f"{study}: no trial is complete yet")
    print(", ".join(f"{count} {state}" for state, count in counts.items()))
    for row in front:
        if row["look"] is not None:
            print(f"trial {row['trial']}, beside the classical rendering: {row['look']}")
    if front:
        print(f"models: {study}/trials/NNNN/model.safetensors · report: {study}/report.html")


def _warn_of_worse(front: list[dict[str, Any]]) -> None:
    """One line, whatever the number of trials."""
    worse = [f"trial {row['trial']} is {row['worse']}" for row in front if row["worse"]]
    if worse:
        others = f" (and {len(worse) - 1} more of the front)" if len(worse) > 1 else ""
        say(f"warning: {worse[-1]}{others}")


def _classical_cells(classical: dict[str, Any], shows_psnr: bool) -> list[Any]:
    psnr = classical["scores"].get("psnr")
    return ["classical", classical["quality"], "-", "-", "-"] + ["-" if psnr is None else psnr] * shows_psnr + [""]


def _cells(row: dict[str, Any], shows_psnr: bool) -> list[Any]:
    cells = [row["trial"], row["quality"], row["latency_ms"], row["params"], row["gmacs"]]
    return cells + [row["psnr"]] * shows_psnr + ["knee" if row["knee"] else ""]
