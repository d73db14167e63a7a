"""Where the predicted time of a study's networks goes, and how far the prediction can be trusted."""

from dataclasses import dataclass
from html import escape
from typing import Any

from nas_isp.errors import InputError
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.predict.predictor import Prediction, Predictor
from nas_isp.search.study import Study

MUCH = 0.2
"""Extrapolated share of a prediction from which on the user is told what the table's source did not measure."""


@dataclass(frozen=True)
class FrontLatency:
    """Predictions of the networks on a front, by trial, and the caveat of the table that made them."""

    device: str
    caveat: str
    predictions: dict[int, Prediction]

    @property
    def note(self) -> str:
        """One sentence about what was extrapolated; empty where that is little."""
        most = max((prediction.extrapolated_share for prediction in self.predictions.values()), default=0.0)
        if most < MUCH:
            return ""
        widest = max(prediction.uncertainty for prediction in self.predictions.values())
        note = f"up to {100 * most:.0f} % of the predicted time is extrapolated, so that it is known to +-"
        return f"{note}{100 * widest:.0f} %; {self.device}: {self.caveat or 'these kernels were not measured'}"


def front_latency(study: Study) -> FrontLatency | None:
    """The predictions behind a study's front; None where its table is no longer there or has lost the kernels."""
    config = study.config
    try:
        predictor, size = Predictor(load_table(config.device)), (config.packed_height, config.packed_width)
        balanced = config.recipe.train.input == "balanced"
        predictions = {
            record.trial: predictor.predict(kernels_of(study.architecture(record.trial), *size, balanced))
            for record in study.front()
        }
    except InputError:
        return None
    return FrontLatency(config.device, predictor.table.source.caveat, predictions)


def front_summary(study: Study) -> tuple[dict[str, Any], str]:
    """The summary of a study, its rows with what is known of each prediction; and a sentence about the predictions."""
    summary, latency = study.summary(), front_latency(study)
    for row in summary["front"]:
        prediction = latency.predictions.get(row["trial"]) if latency is not None else None
        row["extrapolated_share"] = prediction.extrapolated_share if prediction else None
        row["uncertainty"] = prediction.uncertainty if prediction else None
    return summary, latency.note if latency is not None else ""


def kernels_html(prediction: Prediction) -> str:
    """A network's kernels as a table: what each takes, its share of the sum, and on what basis that is known."""
    rows = "\n".join(
        f"<tr><td>{escape(part.kernel.label())}</td><td class=number>{part.latency_ms:.3g}</td>"
        f"<td class=number>{100 * part.latency_ms / prediction.kernels_ms:.0f} %</td><td>{part.basis}</td></tr>"
        for part in prediction.kernels
    )
    head = "<tr><th>kernel</th><th>ms</th><th>share</th><th>basis</th></tr>"
    rest = prediction.latency_ms - prediction.kernels_ms
    total = (
        f"Kernels {prediction.kernels_ms:.3g} ms, correction to a whole network {rest:+.3g} ms; "
        f"+-{100 * prediction.uncertainty:.0f} %"
    )
    return f"<table>{head}\n{rows}\n</table><p class=quiet>{total}</p>"
