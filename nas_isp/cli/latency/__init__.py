"""`nas-isp latency`: what tables there are, predictions, and measuring and validating on a target."""

import typer

from nas_isp.cli.latency.build import build
from nas_isp.cli.latency.list import list_devices
from nas_isp.cli.latency.measure import measure
from nas_isp.cli.latency.predict import predict
from nas_isp.cli.latency.validate import validate


def register(app: typer.Typer) -> None:
    """Add the verb."""
    verb = typer.Typer(no_args_is_help=True, help="Latency tables: list, predict, measure, build, validate.")
    verb.command("list")(list_devices)
    for command in (predict, measure, build, validate):
        verb.command()(command)
    app.add_typer(verb, name="latency")
