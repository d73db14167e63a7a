"""What an addition costs that a GPU fuses into the kernel before it: reading its second tensor.

The time of a kernel does not show it where arithmetic decides, so that models of whole kernels find it free. Measured
kernels that differ in nothing but the addition do show it.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from statistics import median

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.roofline import Roofline, added_mvalues

FEWEST_PAIRS = 5
"""Of kernels with and without an addition, for the measurements to speak of it."""

MOST_OF_A_KERNEL = 0.5
"""Share of a kernel's time that its addition takes at most."""


def ms_per_added_mvalue(
    timed: Sequence[tuple[Kernel, float]], key: Callable[[Kernel], Hashable], memory_bound: Roofline | None
) -> float:
    """Time of a device to read 1e6 values of a second tensor, in ms.

    Args:
        timed: measured kernels with their times in ms.
        key: equal for kernels that cost the same.
        memory_bound: model of operators that only move values; its rate counts where fewer than five pairs were
            measured, or where they show nothing.
    """
    times = defaultdict(list)
    for kernel, time_ms in timed:
        times[key(kernel)].append(time_ms)
    found = {}
    for kernel, _ in timed:
        plain = times.get(key(without_addition(kernel))) if kernel.added_tensors else None
        if plain:
            with_ms = median(times[key(kernel)])
            found[key(kernel)] = (added_mvalues(kernel) / with_ms, 1 - median(plain) / with_ms)
    squares = sum(values**2 for values, _ in found.values())
    rate = sum(values * share for values, share in found.values()) / squares if len(found) >= FEWEST_PAIRS else 0.0
    return rate if rate > 0 or memory_bound is None else memory_bound.ms_per_mvalue


def without_addition(kernel: Kernel) -> Kernel:
    """The kernel with nothing added at its output."""
    if not kernel.added_tensors:
        return kernel
    return kernel.model_copy(update={"activation": "_".join(step for step in kernel.steps if step != "add") or "none"})


def with_addition(kernel: Kernel) -> Kernel:
    """The kernel with one tensor added at its output."""
    if kernel.added_tensors:
        return kernel
    return kernel.model_copy(update={"activation": "_".join(("add", *kernel.steps))})


def without_cost(time_ms: float, addition_ms: float) -> float:
    """Time of a kernel without its addition; at least half of it."""
    return max(time_ms - addition_ms, (1 - MOST_OF_A_KERNEL) * time_ms)
