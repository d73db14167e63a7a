"""Validates a device's latency table on whole networks that are timed on a target."""

from functools import partial
from pathlib import Path

from nas_isp.api.validation_networks import networks_to_validate
from nas_isp.files import check_writable, write_whole
from nas_isp.latency.measure.measuring_target import MeasuringTarget
from nas_isp.latency.validate.comparison import Comparison
from nas_isp.latency.validate.profiles import check_profiles, profiles
from nas_isp.latency.validate.validation import ValidationSettings, table_of_target, validate_networks
from nas_isp.progress import ReportsProgress, unseen


def validate_latency(
    device: str,
    networks: str,
    target: MeasuringTarget,
    settings: ValidationSettings | None = None,
    output: Path | None = None,
    progress: ReportsProgress = unseen,
) -> Comparison:
    """Measure whole networks on a target and compare with what a device's table predicts of them.

    Args:
        device: whose table predicts; see `predict_latency`.
        networks: ``SPACE:N`` for so many random networks of a space, or a folder of bundles, architectures and .tflite.
        target: where they are timed; the device of the table.
        settings: which networks, and how they are timed.
        output: JSON file that gets the result so far after every network.
        progress: told how far it is.

    Raises:
        InputError: networks, a device or a target that cannot be used, or a table of another device than the target.
    """
    if output is not None:
        check_writable(output)
    how = settings or ValidationSettings()
    profiled = check_profiles(target) if how.profile else None
    found, faults = networks_to_validate(networks, how.input_size, how.seed, target.device.model_precision)
    table = table_of_target(device, [kernel for network in found for kernel in network.kernels], target, progress)
    keep = partial(_keep, output)
    told = partial(progress, text="measuring networks")
    result = validate_networks(table, found, target, told, keep, how, faults)
    if profiled is not None:
        failed = {fault.network for fault in result.failed}
        operators = profiles([one for one in found if one.name not in failed], profiled, progress)
        result = result.model_copy(update={"profiles": operators})
        keep(result)
    return result


def _keep(output: Path | None, result: Comparison) -> None:
    if output is not None:
        write_whole(output, result.model_dump_json(indent=1) + "\n")
