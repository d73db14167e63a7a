"""What is timed to learn a kernel's time: the kernel alone, or, for elementwise work on a CPU, in its context.

XNNPACK lets an elementwise operator overwrite its input where nothing else needs it. Alone in a model it cannot, as
inputs and outputs of a model are not its own. In place it takes other times: on an AVX-512 machine 0.4 to 2 times as
long in float32, and up to three times in 8 bits where the channels do not fill a register. Such a kernel is therefore
timed between two 1x1 convolutions, and what these take without it is subtracted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from nas_isp.latency.kernels.kernel import CLAMPS, Kernel, convolution
from nas_isp.latency.measure.measuring_target import Timing
from nas_isp.latency.measure.probe_models import ELEMENTWISE, kernel_chain_model, single_kernel_model
from nas_isp.precision import Precision

NARROW = 4
"""Channels at the outer ends of the two convolutions, which so cost little."""

FEWEST_VALUES = 100_000
"""Of an output; below, a kernel's time is that of its launch, and a difference would be noise."""

REPEATS = 4
"""How often an elementwise operator with a small second input follows itself, to stand out from the convolutions."""

LEAST_SHARE = 0.05
"""Of the time alone, that a difference is taken for at least, however disturbed."""


@dataclass(frozen=True)
class Probe:
    """Models whose times give a kernel's."""

    models: tuple[bytes, ...]
    """The kernel alone; or in its context, the context, and the kernel alone for how far its times spread."""
    repeats: int = 1

    def timing(self, timings: list[Timing]) -> Timing:
        """The kernel's time from those of the models, in order."""
        if len(timings) == 1:
            return timings[0]
        within, rest, alone = timings

        def difference(of: Callable[[Timing], float]) -> float:
            return max((of(within) - of(rest)) / self.repeats, LEAST_SHARE * of(alone))

        median_ms = difference(lambda timing: timing.median_ms)
        least_ms = min(difference(lambda timing: timing.min_ms), median_ms)
        return replace(within, median_ms=median_ms, min_ms=least_ms, p10_ms=None, p90_ms=None)


def probe(kernel: Kernel, precision: Precision, in_place: bool) -> Probe:
    """How to learn a kernel's time.

    Args:
        kernel: what to time.
        precision: of its values.
        in_place: whether the runtime overwrites the inputs of elementwise operators, as XNNPACK does.

    Raises:
        InputError: an operator or activation that this program cannot write.
    """
    alone = single_kernel_model(kernel, precision)
    rows, columns = kernel.output_size
    elementwise = kernel.op in ELEMENTWISE
    worked_on = elementwise or any(step not in CLAMPS for step in kernel.steps)
    if not in_place or not worked_on or rows * columns * kernel.out_channels < FEWEST_VALUES:
        return Probe((alone,))
    before = [convolution(NARROW, kernel.in_channels, 1, (kernel.height, kernel.width))] if elementwise else []
    after = convolution(kernel.out_channels, NARROW, 1, (rows, columns))
    repeats = REPEATS if elementwise and kernel.broadcast else 1
    within = kernel_chain_model([*before, *[kernel] * repeats, after], precision)
    return Probe((within, kernel_chain_model([*before, after], precision), alone), repeats)
