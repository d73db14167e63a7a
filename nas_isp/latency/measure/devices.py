"""What a device option takes: the name of a shipped table, this machine, or a table's file."""

import os
from pathlib import Path

from nas_isp import resources
from nas_isp.arguments import PATH, checked_arguments
from nas_isp.errors import InputError
from nas_isp.latency.measure.host import HOST, HOST_PRECISIONS, check_same_host
from nas_isp.latency.measure.measurements import read_measurements
from nas_isp.latency.predict.table import LatencyTable, read_table


def device_names() -> list[str]:
    """Everything that a device option takes by name: the shipped tables and this machine."""
    return sorted({*resources.names("latency_tables"), *HOST_PRECISIONS})


@checked_arguments(name_or_path=PATH)
def load_table(name_or_path: str) -> LatencyTable:
    """The shipped table of that name, this machine's own, or the table in a file.

    Raises:
        InputError: unknown name (the message lists the known ones), a file that is no valid table, or measurements of
            `host` that were made on another machine or runtime.
    """
    if name_or_path in HOST_PRECISIONS:
        path, precision = host_measurements_path(name_or_path), HOST_PRECISIONS[name_or_path]
        if not path.is_file():
            raise InputError(
                f"device '{name_or_path}' has no measurements yet on this machine: "
                f"measure the kernels of a space on the target {HOST} in {precision} first",
                "device",
            )
        measurements = read_measurements(path)
        check_same_host(path, measurements.device)
        return measurements.table()
    if name_or_path not in resources.names("latency_tables") and not Path(name_or_path).is_file():
        known = ", ".join(device_names())
        raise InputError(
            f"unknown device '{name_or_path}': known are {known}, or give the path of a .json file", "device"
        )
    return read_table(resources.find("latency_tables", name_or_path))


def host_measurements_path(device: str = HOST) -> Path:
    """Where this machine's measurements are kept, one file a precision; `NAS_ISP_CACHE` moves the folder.

    Those in a home that has become read-only are still found.
    """
    path = Path(os.environ.get("NAS_ISP_CACHE") or resources.user_cache()) / f"{device}.json"
    home = resources.home_cache()
    if os.environ.get("NAS_ISP_CACHE") or path.is_file() or home is None or not (home / path.name).is_file():
        return path
    return home / path.name
