"""`predict_latency`: how long a network takes on a device."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from nas_isp.arguments import WHOLE, checked_arguments
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.device_table import table_for
from nas_isp.latency.predict.predictor import Prediction, predict
from nas_isp.latency.predict.table import LatencyTable
from nas_isp.picture_size import FULL_HD_PACKED, checked_size
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.search.kernels import model_kernels

if TYPE_CHECKING:
    from nas_isp.generators.bundle import Bundle

MOST_THREADS = 256


@checked_arguments(device=((str, PathLike, LatencyTable), "a table's name or file, or a table"), threads=WHOLE)
def predict_latency(
    model: "str | Path | Bundle | Architecture | Sequence[Kernel]",
    device: str | Path | LatencyTable = "pixel4-gpu",
    *,
    input_size: tuple[int, int] = FULL_HD_PACKED,
    threads: int = 1,
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> Prediction:
    """Predicted latency of a network on a device, in ms.

    Args:
        model: a published name, a bundle, an architecture or a .tflite file, STUDY:TRIAL, or kernels in their order.
        device: name of a shipped table, `host` or `host-int8` for this machine (kernels that are not measured yet are
            timed first), a table's file, or a table.
        input_size: packed rows and columns; 544 x 960 makes pictures of 1088 x 1920. A .tflite file has its own.
        threads: of the runtime, on this machine.
        note: told what the device's table does not know.
        progress: told how far the timing is.

    Returns:
        Milliseconds; which shares of them were measured, interpolated and extrapolated; how certain that is; and the
        same of each kernel.

    Raises:
        InputError: unknown model or device, an impossible size or number of threads, or a kernel that its table cannot
            speak of.
    """
    if not 1 <= threads <= MOST_THREADS:
        raise InputError(f"threads {threads}: give a number from 1 to {MOST_THREADS}", "threads")
    kernels = _kernels(model, checked_size(input_size))
    table = device if isinstance(device, LatencyTable) else table_for(device, kernels, threads, progress)
    prediction = predict(table, kernels)
    if table.source.caveat and prediction.extrapolated_share > 0:
        note(f"{table.device.id}: {table.source.caveat}")
    return prediction


def _kernels(
    model: "str | Path | Bundle | Architecture | Sequence[Kernel]", input_size: tuple[int, int]
) -> Sequence[Kernel]:
    if isinstance(model, Sequence) and not isinstance(model, str):
        return model
    return model_kernels(model, input_size)
