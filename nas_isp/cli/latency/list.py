"""`nas-isp latency list`."""

from nas_isp.cli.common import print_json, print_table, say
from nas_isp.cli.options import FormatOption


def list_devices(format: FormatOption = "table") -> None:
    """Every device that can be predicted for, with what was measured on it."""
    from nas_isp.latency.measure.device_table import device_facts
    from nas_isp.latency.measure.devices import device_names

    rows = [device_facts(name, say) for name in device_names()]
    if format == "json":
        print_json(rows)
        return
    columns = ("id", "name", "soc", "processor", "kernels", "networks", "mean error", "within 10 %")
    facts = [[row[key] for key in ("id", "name", "soc", "processor", "kernels", "networks")] for row in rows]
    shares = [[_percent(row["mean_error"], 1), _percent(row["within_10_percent"], 0)] for row in rows]
    print_table(columns, [fact + share for fact, share in zip(facts, shares, strict=True)], whole_first=True)


def _percent(share: float | None, decimals: int) -> str:
    return "-" if share is None else f"{100 * share:.{decimals}f} %"
