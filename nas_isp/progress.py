"""How a long operation tells how far it is."""

from typing import Protocol


class ReportsProgress(Protocol):
    """Told how far a long operation is; `total` and `text` None keep the last ones."""

    def __call__(self, done: float, total: float | None = None, text: str | None = None) -> None: ...


def unseen(done: float, total: float | None = None, text: str | None = None) -> None:
    """For an operation that nobody watches."""
