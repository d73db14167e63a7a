"""The plot of a study: quality over predicted latency."""

import io
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from nas_isp.errors import InputError
from nas_isp.files import write_whole
from nas_isp.search.records import TrialRecord, quality_name
from nas_isp.search.study import Study

FRONT_COLOR, COMPLETE_COLOR, STOPPED_COLOR = "#c4452d", "#3b6ea5", "#b9b9b9"


def write_plot(study: Study, path: Path) -> None:
    """Draw a study into a PNG file.

    Raises:
        InputError: the name does not end in .png, or the file cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: only .png is written; give a name that ends in .png", "plot")
    write_whole(path, plot_png(study))


def plot_png(study: Study) -> bytes:
    """All trials that have a quality, the front as steps, the knee marked; PNG, about 900 x 600 pixels.

    A step says what is known: the best quality within a latency. Between two networks there is none.
    """
    figure = Figure(figsize=(7.5, 5.0), dpi=120, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    front = study.front()
    _scatter(axes, _of_state(study, "stopped"), STOPPED_COLOR, "stopped early", 14)
    _scatter(axes, _of_state(study, "complete"), COMPLETE_COLOR, "complete", 22)
    if front:
        _draw_front(axes, front, study.knee())
    kind = front[0].score_kind if front else None
    axes.set_xlabel(f"predicted latency on {study.config.device} in ms")
    axes.set_ylabel(quality_name(kind))
    axes.grid(alpha=0.25)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    return buffer.getvalue()


def _of_state(study: Study, state: str) -> list[TrialRecord]:
    return [record for record in study.records.values() if record.state == state and record.quality is not None]


def _scatter(axes: Axes, records: list[TrialRecord], color: str, label: str, size: int) -> None:
    if records:
        qualities, latencies = zip(*(record.point for record in records), strict=True)
        axes.scatter(latencies, qualities, s=size, color=color, label=label, zorder=2)


def _draw_front(axes: Axes, front: list[TrialRecord], knee: TrialRecord) -> None:
    qualities, latencies = zip(*(record.point for record in front), strict=True)
    axes.step(latencies, qualities, where="post", color=FRONT_COLOR, marker="o", label="front", zorder=3)
    for record in front:
        quality, latency_ms = record.point
        axes.annotate(str(record.trial), (latency_ms, quality), textcoords="offset points", xytext=(5, -11), fontsize=8)
    quality, latency_ms = knee.point
    axes.scatter([latency_ms], [quality], s=160, facecolors="none", edgecolors=FRONT_COLOR, label="knee", zorder=4)
