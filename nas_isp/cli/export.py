"""`nas-isp export`."""

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
