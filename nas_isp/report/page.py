"""The report of a study: one HTML file that needs no other."""

import base64
from html import escape
from pathlib import Path
from typing import Any

from nas_isp.files import write_whole
from nas_isp.generators.architecture import Architecture, PlainArchitecture
from nas_isp.report.latency import front_latency, kernels_html
from nas_isp.report.plots import plot_png
from nas_isp.search.records import quality_name
from nas_isp.search.study import Study

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% } th, td { padding: .35rem .6rem; border-bottom: 1px solid #ddd }
th { text-align: left } td.number { text-align: right; font-variant-numeric: tabular-nums }
tr.knee { background: #fdf1ec } img { max-width: 100% } .sample { width: 20rem }
figcaption, .quiet { color: #666; font-size: 90% }
"""


def write_page(study: Study, path: Path) -> None:
    """Write the report.

    Raises:
        InputError: the file cannot be written.
    """
    write_whole(path, page_html(study))


def page_html(study: Study) -> str:
    """The report as text: plot, front with sample pictures, kernels, failures, settings."""
    summary = study.summary()
    counts = ", ".join(f"{count} {state}" for state, count in summary["trials"].items())
    plot = _inline(plot_png(study))
    parts = [
        f"<h1>Search in {escape(study.folder.name)}</h1>",
        f"<p>{escape(_subject(study))}</p><p>Trials: {counts}.</p>",
        f'<img src="{plot}" alt="Quality over predicted latency of all trials">',
        "<h2>Front</h2>",
        _front_table(study, summary) if summary["front"] else "<p>No trial is complete yet.</p>",
        _latency(study),
        _failures(study),
        f"<h2>Settings</h2><details><summary>config.yaml</summary><pre>{escape(study.config.to_yaml())}</pre></details>",
    ]
    head = f'<meta charset="utf-8"><title>{escape(study.folder.name)}</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _subject(study: Study) -> str:
    config = study.config
    data = "the embedded demo set" if config.demo else f"RAW {config.raw}, photos {config.rgb}"
    limit = f", at most {config.max_latency_ms:g} ms" if config.max_latency_ms is not None else ""
    score = quality_name(front[0].score_kind if (front := study.front()) else None)
    return f"Data: {data}. Quality: {score}. Latency: predicted for {config.device}{limit}. {config.space.description}"


def _front_table(study: Study, summary: dict[str, Any]) -> str:
    names = ["trial", quality_name(summary["score_kind"]), "ms", "parameters", "GMACs", "network", "sample"]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = "\n".join(_row(study, row) for row in summary["front"]) + _classical_row(summary["classical"])
    note = "<p class=quiet>Samples: the network's pictures above, what it was steered by below. Shaded: the knee.</p>"
    return f"<table><tr>{head}</tr>\n{rows}\n</table>{note}"


def _row(study: Study, row: dict[str, Any]) -> str:
    numbers = [
        f"{row['quality']:.3f}",
        f"{row['latency_ms']:.3g}",
        f"{row['params'] or 0:,}",
        f"{row['gmacs'] or 0:.3g}",
    ]
    cells = "".join(f"<td class=number>{number}</td>" for number in [str(row["trial"]), *numbers])
    sample = study.trial_folder(row["trial"]) / "sample.png"
    picture = f'<img class=sample src="{_inline(sample.read_bytes())}" alt="sample">' if sample.is_file() else ""
    network = escape(network_text(study.architecture(row["trial"])))
    looks = [text for text in (row["look"], row["worse"]) if text]
    network += "".join(f"<p class=quiet>{escape(text)}</p>" for text in looks)
    shade = " class=knee" if row["knee"] else ""
    return f"<tr{shade}>{cells}<td>{network}</td><td>{picture}</td></tr>"


def _classical_row(classical: dict[str, Any] | None) -> str:
    if classical is None:
        return ""
    cells = ["classical", f"{classical['quality']:.3f}", "", "", ""]
    numbers = "".join(f"<td class=number>{cell}</td>" for cell in cells)
    return f"\n<tr>{numbers}<td>the classical rendering, without a network</td><td></td></tr>"


def _latency(study: Study) -> str:
    latency = front_latency(study)
    if latency is None or not latency.predictions:
        return ""
    note = f"<p><strong>{escape(latency.note)}.</strong></p>" if latency.note else ""
    models = "\n".join(
        f"<details><summary>trial {trial}: {prediction.latency_ms:.3g} ms</summary>{kernels_html(prediction)}</details>"
        for trial, prediction in latency.predictions.items()
    )
    return f"<h2>Where the time goes</h2>{note}\n{models}"


def _failures(study: Study) -> str:
    failed = [record for record in study.records.values() if record.state == "failed"]
    if not failed:
        return ""
    items = "".join(f"<li>trial {record.trial}: {escape(record.reason)}</li>" for record in failed)
    return f"<h2>Failed trials</h2><ul>{items}</ul>"


def network_text(architecture: Architecture) -> str:
    """A network in a few words, such as `scale 2: conv3 12 tanh, rep3 12 relu +input; color head`."""
    if not isinstance(architecture, PlainArchitecture):
        return f"{architecture.family}, width {architecture.width}, depth {architecture.depth}"
    blocks = ", ".join(
        f"{block.kind} {block.channels} {block.activation}{' +input' if block.residual else ''}"
        for block in architecture.blocks
    )
    return f"scale {architecture.scale}: {blocks}{'; color head' if architecture.color_head else ''}"


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
