"""`nas-isp latency validate`: the prediction of whole networks beside their time, and what the errors come from."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from statistics import median_low
from typing import Any, get_args

from nas_isp.cli.common import print_table, say
from nas_isp.cli.latency_measuring import table_for
from nas_isp.cli.latency_networks import Candidate
from nas_isp.errors import InputError
from nas_isp.latency.agreement import agreement
from nas_isp.latency.blame import errors_by_kind, kind_label
from nas_isp.latency.devices import load_table
from nas_isp.latency.host import HOST_PRECISIONS
from nas_isp.latency.kernel import Kernel, Precision
from nas_isp.latency.predict import Prediction, predict
from nas_isp.latency.runner import Runner
from nas_isp.latency.tables import LatencyTable
from nas_isp.latency.validation import Network, ReportsNetworks, TimedNetwork, median_of, time_networks

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def stated_precision(device: str) -> Precision | None:
    """The arithmetic that a device's table was measured in; None where it states none that can be asked for.

    Raises:
        InputError: unknown device.
    """
    if device in HOST_PRECISIONS:
        return HOST_PRECISIONS[device]
    stated = load_table(device).device.precision
    return next((precision for precision in PRECISIONS if precision == stated), None)


def table_of_target(device: str, kernels: Sequence[Kernel], runner: Runner) -> LatencyTable:
    """The device's table; for this machine, kernels not yet measured are timed first.

    Raises:
        InputError: a table of another device than the target.
    """
    if device in HOST_PRECISIONS and device == runner.device.id:
        return table_for(device, kernels, runner.device.threads or 1)
    table = load_table(device)
    if table.device != runner.device:
        there, here = table.device, runner.device
        raise InputError(
            f"device '{device}' is {there.name} in {there.precision} with {there.threads} threads, but the target is "
            f"{here.name} in {here.precision} with {here.threads}: give the --target, --precision and --threads of the "
            "table"
        )
    return table


def compare(
    table: LatencyTable,
    networks: Sequence[Candidate],
    runner: Runner,
    report: ReportsNetworks,
    keep: Callable[[dict[str, Any]], None],
    passes: int,
    max_drift: float,
) -> dict[str, Any]:
    """Time networks on a target and compare with their prediction.

    Args:
        table: to predict with.
        networks: each once.
        runner: the target.
        report: told the progress.
        keep: given the result so far after every network.
        passes: times that all networks are timed; the median of each counts.
        max_drift: share by which the anchor may be off before a batch is timed again.

    Raises:
        InputError: a target that cannot be used, or no network that could be timed.
    """
    by_name = {network.name: network for network in networks}
    timed: dict[str, list[TimedNetwork]] = {}
    faults: dict[str, str] = {}

    def so_far() -> dict[str, Any]:
        failed = [{"network": name, "reason": reason} for name, reason in faults.items() if name not in timed]
        return _result(table, by_name, [median_of(times) for times in timed.values()], failed)

    for number in range(passes):
        queue = [Network(n.name, n.write) for n in (networks if number % 2 == 0 else networks[::-1])]
        for outcome in time_networks(queue, runner, report, max_drift):
            if isinstance(outcome, TimedNetwork):
                timed.setdefault(outcome.name, []).append(outcome)
                keep(so_far())
            else:
                faults[outcome.name] = outcome.reason
    if not timed:
        name, reason = next(iter(faults.items()))
        raise InputError(f"no network could be timed: {name}: {reason}")
    return so_far()


def print_comparison(result: dict[str, Any]) -> None:
    """A comparison as tables for people: the networks and the kinds of kernel, the worst first."""
    rows = sorted(result["results"], key=lambda row: -abs(row["predicted_ms"] / row["measured_ms"] - 1))
    cells = [
        (
            row["network"],
            row["predicted_ms"],
            row["measured_ms"],
            100 * (row["predicted_ms"] / row["measured_ms"] - 1),
            100 * row["measured_share"],
        )
        for row in rows
    ]
    columns = ("network", "predicted ms", "measured ms", "error %", "kernels measured %")
    print_table(columns, cells, f"{result['networks']} networks on {result['device']}: {_in_words(result)}")
    kinds = [
        (kind["kind"], kind["networks"], 100 * kind["share"], 100 * kind["error"], kind["worst_network"])
        for kind in result["kinds"]
    ]
    title = "kinds of kernel by what their errors cost (error: of the kind's predicted time, fitted to the networks)"
    print_table(("kind", "networks", "time %", "error %", "most in"), kinds, title)
    say(
        f"the anchor network took {result['anchor_ms']:.4g} ms; measured times are stated for "
        f"{result['reference_ms']:.4g} ms. As timed: {_in_words(result['as_timed'])}"
    )
    for fault in result["failed"]:
        say(f"warning: {fault['network']} is left out: {fault['reason']}")


def _in_words(found: dict[str, Any]) -> str:
    tau = "-" if found["kendall_tau"] is None else f"{found['kendall_tau']:.3f}"
    return (
        f"mean error {100 * found['mean_error']:.1f} %, within 5 %: {100 * found['within_5_percent']:.0f} %, "
        f"within 10 %: {100 * found['within_10_percent']:.0f} %, Kendall tau {tau}"
    )


def _result(
    table: LatencyTable, networks: dict[str, Candidate], timed: Sequence[TimedNetwork], failed: list[dict[str, str]]
) -> dict[str, Any]:
    session_ms = median_low(outcome.anchor_ms for outcome in timed)
    reference_ms = table.source.anchor_ms or session_ms
    predictions = [predict(table, networks[outcome.name].kernels) for outcome in timed]
    rows = [
        {
            "network": outcome.name,
            "predicted_ms": prediction.latency_ms,
            "measured_ms": outcome.measured_ms(reference_ms),
            "timed_ms": outcome.timed_ms,
            "anchor_drift": outcome.anchor_ms / reference_ms - 1,
            "runs": outcome.runs,
            "kernels_ms": prediction.kernels_ms,
            "kernel_count": len(prediction.kernels),
            "measured_share": prediction.measured_share,
            "extrapolated_share": prediction.extrapolated_share,
        }
        for outcome, prediction in zip(timed, predictions, strict=True)
    ]
    predicted = [prediction.latency_ms for prediction in predictions]
    measured = [outcome.measured_ms(reference_ms) for outcome in timed]
    kinds = errors_by_kind([outcome.name for outcome in timed], [_parts(p) for p in predictions], measured)
    return {
        "device": table.device.id,
        "threads": table.device.threads,
        "precision": table.device.precision,
        **asdict(agreement(predicted, measured)),
        "as_timed": asdict(agreement(predicted, [outcome.timed_ms for outcome in timed])),
        "anchor_ms": session_ms,
        "reference_ms": reference_ms,
        "kinds": [asdict(kind) for kind in kinds],
        "failed": failed,
        "results": rows,
    }


def _parts(prediction: Prediction) -> dict[str, float]:
    """A network's predicted time by kind, the correction spread over its kernels."""
    factor = prediction.latency_ms / prediction.kernels_ms
    parts: dict[str, float] = {}
    for part in prediction.kernels:
        kind = kind_label(part.kernel)
        parts[kind] = parts.get(kind, 0.0) + factor * part.latency_ms
    return parts
