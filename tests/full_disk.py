"""A disk without room, for tests: the process may write no more than so many bytes into one file."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

REASON = "File too large"
"""What the operating system says then."""


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """Every file may grow to this size only."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
