"""A prediction as plain data, for scripts."""

from typing import Any

from nas_isp.latency.predict.predictor import Prediction
from nas_isp.latency.predict.table import LatencyTable


def prediction_json(prediction: Prediction, table: LatencyTable, network: str | None = None) -> dict[str, Any]:
    """A prediction by a table; `network` is the name to repeat."""
    parts = [
        {
            "label": part.kernel.label(),
            **part.kernel.model_dump(mode="json", exclude_none=True),
            "latency_ms": part.latency_ms,
            "basis": part.basis,
            "reason": part.reason,
        }
        for part in prediction.kernels
    ]
    return {
        "network": network,
        "device": table.device.id,
        "latency_ms": prediction.latency_ms,
        "kernels_ms": prediction.kernels_ms,
        "measured_share": prediction.measured_share,
        "interpolated_share": prediction.interpolated_share,
        "extrapolated_share": prediction.extrapolated_share,
        "uncertainty": prediction.uncertainty,
        "interval_ms": prediction.interval_ms,
        "correction": table.correction.model_dump(),
        "kernels": parts,
    }
