"""What `nas-isp latency` reads and answers, apart from its options."""

from pathlib import Path
from typing import Any

from nas_isp.cli.common import print_table, say
from nas_isp.errors import InputError
from nas_isp.latency.kernels.from_architecture import Kernel, kernels_of
from nas_isp.latency.kernels.from_json import NetworkKernels, read_network, read_networks
from nas_isp.latency.measure.devices import host_measurements_path, load_table
from nas_isp.latency.measure.host import HOST_PRECISIONS, host_device
from nas_isp.latency.predict.predictor import predict
from nas_isp.latency.predict.table import LatencyTable


def device_row(name: str) -> dict[str, Any]:
    """One entry of the list of devices; this machine without measurements that hold for it has no kernels."""
    try:
        table = load_table(name)
    except InputError as error:
        if name not in HOST_PRECISIONS:
            raise
        if host_measurements_path(name).is_file():
            say(f"note: {error}")
        device = host_device(1, HOST_PRECISIONS[name]).model_dump() | {"threads": None}
        return {**device, "kernels": 0, "networks": 0, "mean_error": None, "within_10_percent": None, "source": ""}
    correction = table.correction.model_dump(include={"networks", "mean_error", "within_10_percent"})
    return {
        **table.device.model_dump(),
        "kernels": len(table.measured),
        **correction,
        "source": f"{table.source.link or table.source.how} ({table.source.licence}, {table.source.when})",
    }


def networks_of(model: str | None, kernels: Path | None, input_size: str) -> list[NetworkKernels]:
    """The networks that the options name.

    Raises:
        InputError: neither or both given, or something that cannot be read.
    """
    if (model is None) == (kernels is None):
        raise InputError("give either --model MODEL or --kernels FILE.json|FILE.jsonl")
    if kernels is not None:
        return read_networks(kernels) if kernels.suffix == ".jsonl" else [read_network(kernels)]
    return [NetworkKernels(network=str(model), kernels=tuple(_kernels_of_model(str(model), input_size)))]


def _kernels_of_model(model: str, input_size: str) -> list[Kernel]:
    """Of a TFLite file, which has a size of its own, or of an architecture for the given size."""
    path = Path(model)
    if path.suffix == ".tflite":
        from nas_isp.files import read_bytes
        from nas_isp.latency.kernels.from_tflite import kernels_of_tflite

        return kernels_of_tflite(read_bytes(path), path)
    from nas_isp.cli.models import load_architecture, parse_size

    return kernels_of(load_architecture(model), *parse_size(input_size))


def answer(table: LatencyTable, network: NetworkKernels) -> dict[str, Any]:
    """A prediction as the JSON that is printed."""
    prediction = predict(table, network.kernels)
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
        "network": network.network,
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


def print_answer(entry: dict[str, Any]) -> None:
    """A prediction as a table for people."""
    shares = ", ".join(f"{100 * entry[f'{basis}_share']:.0f} % {basis}" for basis in _BASES)
    name = f"{entry['network']} on " if entry["network"] else ""
    corrected = "corrected to a whole network" if entry["correction"]["networks"] else "sum of its kernels"
    rows = [(part["label"], part["latency_ms"], part["basis"], part["reason"]) for part in entry["kernels"]]
    uncertain = f"+- {100 * entry['uncertainty']:.0f} %"
    title = f"{name}{entry['device']}: {entry['latency_ms']:.4g} ms {uncertain} ({corrected}; {shares})"
    print_table(("kernel", "ms", "basis", "why"), rows, title)


_BASES = ("measured", "interpolated", "extrapolated")
