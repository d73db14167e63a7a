"""When a time that was allowed is over."""

import math
import time


def deadline_in(seconds: float | None) -> float:
    """The `time.monotonic()` at which a time is over; infinity without one."""
    return math.inf if seconds is None else time.monotonic() + seconds


def seconds_left(deadline: float) -> float | None:
    """The time until a deadline, at least one second; None without a deadline."""
    return None if math.isinf(deadline) else max(deadline - time.monotonic(), 1.0)
