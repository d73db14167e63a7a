"""`nas-isp latency build`."""

from pathlib import Path
from typing import Annotated

import typer

from nas_isp.cli.common import say
from nas_isp.files import check_writable


def build(
    measurements: Annotated[list[Path], typer.Argument(help="Files written by `latency measure`, of one device.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The table, for --device.")],
    networks: Annotated[
        Path | None, typer.Option("--networks", help="Result of `latency validate -o`: fit the correction to it.")
    ] = None,
) -> None:
    """Make one table of measurements: models fitted, and a correction where whole networks were measured."""
    from nas_isp.latency.predict.table import write_table
    from nas_isp.latency.validate.corrected_table import corrected_table

    check_writable(output)
    table = corrected_table(measurements, networks, say)
    write_table(output, table)
    fitted = f"fitted on {table.correction.networks} networks" if table.correction.fitted else "not fitted"
    if table.correction.mean_error is not None:
        fitted += f" (mean error of left-out ones {100 * table.correction.mean_error:.1f} %)"
    say(f"{output}: {len(table.measured)} kernels, {len(table.models)} models, correction {fitted}")
    print(output)
