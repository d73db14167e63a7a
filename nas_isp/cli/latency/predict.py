"""`nas-isp latency predict`."""

from typing import Any

from nas_isp.cli.common import print_json, print_table, progress_bar, say
from nas_isp.cli.latency.options import DeviceOption, KernelsOption, ModelOption, SizeOption, ThreadsOption
from nas_isp.cli.options import FormatOption, parse_size
from nas_isp.picture_size import FULL_HD_TEXT


def predict(
    device: DeviceOption,
    model: ModelOption = None,
    kernels: KernelsOption = None,
    input_size: SizeOption = FULL_HD_TEXT,
    format: FormatOption = "table",
    threads: ThreadsOption = 1,
) -> None:
    """Predicted latency of a model, or of networks given as kernels, on a device."""
    from nas_isp.api.latency import predict_latency
    from nas_isp.latency.measure.device_table import table_for
    from nas_isp.latency.predict.answer import prediction_json
    from nas_isp.search.kernels import named_networks

    networks = named_networks(model, kernels, parse_size(input_size))
    with progress_bar("timing kernels on this machine") as report:
        table = table_for(device, [kernel for network in networks for kernel in network.kernels], threads, report)
    skipped = sorted({name for network in networks for name in network.skipped})
    notes = [f"field '{name}' of the kernels says nothing to a latency table and was skipped" for name in skipped]
    answers = [
        prediction_json(predict_latency(network.kernels, table, note=notes.append), table, network.network)
        for network in networks
    ]
    many = kernels is not None and kernels.suffix == ".jsonl"
    if format == "json":
        print_json(answers if many else answers[0])
    else:
        for answer in answers:
            _print_answer(answer)
    for note in dict.fromkeys(notes):
        say(f"note: {note}")


def _print_answer(answer: dict[str, Any]) -> None:
    shares = ", ".join(f"{100 * answer[f'{basis}_share']:.0f} % {basis}" for basis in _BASES)
    name = f"{answer['network']} on " if answer["network"] else ""
    corrected = "corrected to a whole network" if answer["correction"]["networks"] else "sum of its kernels"
    rows = [(part["label"], part["latency_ms"], part["basis"], part["reason"]) for part in answer["kernels"]]
    uncertain = f"+- {100 * answer['uncertainty']:.0f} %"
    title = f"{name}{answer['device']}: {answer['latency_ms']:.4g} ms {uncertain} ({corrected}; {shares})"
    print_table(("kernel", "ms", "basis", "why"), rows, title)


_BASES = ("measured", "interpolated", "extrapolated")
