"""Faults put into valid JSON files."""

from typing import Any


def spoil(content: dict[str, Any], place: tuple[str | int, ...], value: Any) -> None:
    """Put a value at a place, such as ``("batches", 0, "anchor_ms")``; None removes what is there."""
    holder: Any = content
    for step in place[:-1]:
        holder = holder[step]
    if value is None:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
