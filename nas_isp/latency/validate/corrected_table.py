"""From measurements of one device, and whole networks timed on it, to its latency table."""

from collections.abc import Sequence
from pathlib import Path

from nas_isp.latency.measure.measurements import joined, read_measurements
from nas_isp.latency.measure.summary import left_out_lines
from nas_isp.latency.predict.table import LatencyTable
from nas_isp.latency.validate.comparison import correction_to, read_comparison
from nas_isp.progress import Note, unheard


def corrected_table(measurements: Sequence[Path], networks: Path | None = None, note: Note = unheard) -> LatencyTable:
    """The table of measurements: models fitted, and a correction where whole networks were measured.

    Args:
        measurements: files of one device and set-up.
        networks: result of a validation on that device, to fit the correction to.
        note: told of the kernels that were not timed as asked.

    Raises:
        InputError: a file that cannot be read, or files of different devices.
    """
    whole = joined([(path, read_measurements(path)) for path in measurements])
    table = whole.table()
    if networks is not None:
        correction = correction_to(read_comparison(networks), table, str(networks))
        table = table.model_copy(update={"correction": correction})
    for line in left_out_lines(whole):
        note(line)
    return table
