"""How a long operation tells how far it is."""

from collections.abc import Callable
from typing import Protocol

Note = Callable[[str], None]
"""Told in one line what a user should know."""


class ReportsProgress(Protocol):
    """Told how far a long operation is; `total` and `text` None keep the last ones."""

    def __call__(self, done: float, total: float | None = None, text: str | None = None) -> None: ...


def unseen(done: float, total: float | None = None, text: str | None = None) -> None:
    """For an operation that nobody watches."""


def unheard(text: str) -> None:
    """For an operation whose notes nobody reads."""
