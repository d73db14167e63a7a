"""`nas-isp evaluate`."""

import typer


def register(app: typer.Typer) -> None:
    """Add the verb."""
