"""Time of a kernel from the measured kernels around it: a Gaussian process on the ratio of measured to modelled time.

The roofline of a kind says how a kernel's time grows with its work; the logarithm of measured over modelled time is
then a smooth function of the shape, except where channels fill the work groups of a GPU badly, which the features say.
Pure numpy. Source of the method: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapter 2.
"""

from collections.abc import Sequence

import numpy as np

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.roofline import SLICE, SMALLEST_TIME_MS, FloatArray, Roofline, work

TILE = 4
"""Side of the square of outputs that a GPU's work group covers at least."""

FEATURES = (
    *("inputs", "outputs", "side", "window", "stride", "groups", "addition", "border"),
    *("input_divisor", "output_divisor", "output_filling", "input_filling", "input_rest", "output_rest"),
    *("outputs_in_all", "tile_filling"),
)
"""What `position` says of a kernel, in order."""

IGNORED = 1000.0
"""A length over which a feature makes no difference."""

SMOOTH = (
    *(4.0, 2.0, 2.2, 0.7, 2.0, 1.5, 6.0, 2.0),
    *(IGNORED, IGNORED, IGNORED, IGNORED, 8.0, 4.0, IGNORED, IGNORED),
)
"""Lengths of the part of every kind's likeness that knows nothing of work groups, and all there is without a GPU."""

SMOOTH_SHARE = 0.8
"""Share of that part: work groups explain much of the last few percent, but lead astray far from what was measured."""

LENGTHS: dict[str, tuple[float, ...]] = {
    "concat": (13, 3.0, 3.2, 2.0, 2.0, 2.0, 3.7, 2.0, 8.6, 28, 12, 10, 5.0, 5.0, 3.8, 2.7),
    "conv2d_pointwise": (1.6, 1.1, 1.8, 2.0, 0.9, 2.0, 2.1, 2.0, 7.7, 7.4, 0.33, 7.3, 4.0, 1.2, 1.7, 2.7),
    "conv2d_spatial": (7.1, 0.9, 3.5, 0.5, 2.2, 2.0, 7.2, 2.7, 6.4, 5.7, 0.43, 9.6, 0.72, 3.1, 1.9, 2.6),
    "conv2d_winograd": (2.0, 2.4, 3.1, 2.0, 2.0, 2.0, 2.0, 0.76, 5.0, 5.5, 3.1, 2.0, 5.0, 5.0, 1.7, 2.7),
    "depthwise_conv2d": (8.2, 8.2, 1.0, 0.36, 0.86, 2.0, 2.0, 2.5, 3.2, 8.5, 5.7, 5.7, 5.0, 5.0, 3.0, 2.8),
    "fully_connected": (0.69, 0.63, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 4.0, 7.9, 1.7, 0.87, 1.8, 4.5, 2.5, 2.0),
    "grouped_conv2d": (2.3, 2.3, 1.0, 0.5, 2.1, 1.1, 2.0, 2.0, 2.8, 5.1, 1.3, 1.3, 5.0, 5.0, 2.4, 2.7),
    "mean": (4.6, 4.6, 2.0, 2.0, 2.0, 2.0, 2.0, 0.42, 3.6, 11, 5.1, 5.1, 5.0, 5.0, 4.6, 2.0),
    "pool": (2.8, 2.8, 3.4, 0.71, 1.3, 2.0, 2.0, 2.6, 2.7, 3.0, 2.9, 2.9, 5.0, 5.0, 1.6, 2.6),
}
"""Per kernel kind on a GPU, the change of each feature over which times lose their likeness (smaller: matters more).

Fitted by `tools/fit_lengths.py` to six phones at once; features that do not vary within a kind have a middling length.
"""

NOISE = {
    "concat": 0.006,
    "conv2d_pointwise": 0.04,
    "conv2d_spatial": 0.015,
    "conv2d_winograd": 0.015,
    "depthwise_conv2d": 0.036,
    "fully_connected": 0.36,
    "grouped_conv2d": 0.013,
    "mean": 0.04,
    "pool": 0.013,
}
"""Per kernel kind, the variance of a single measurement that no neighbor shares, in units of the kind's variance."""

OTHER_NOISE = 0.03
"""Of kinds without a value of their own, and of every kind where the processor is no GPU."""


class Interpolator:
    """The measured kernels of one kind."""

    def __init__(self, model: Roofline, timed: Sequence[tuple[Kernel, float]], kind: str = "") -> None:
        """Solve for what each measured kernel says about its surroundings.

        Args:
            model: the kind's roofline.
            timed: its measured kernels with their times in ms.
            kind: its name on a GPU, whose work groups have lengths of their own; empty elsewhere.
        """
        self._coefficients = model.coefficients
        self._lengths = np.array(LENGTHS.get(kind, SMOOTH))
        self.largest_pixels = max(kernel.height * kernel.width for kernel, _ in timed)
        self.most_channels = max(max(kernel.in_channels, kernel.out_channels) for kernel, _ in timed)
        self._positions = np.array([position(kernel) for kernel, _ in timed])
        ratios = np.log([time / self._modelled(kernel) for kernel, time in timed])
        covariance = self._likeness(self._positions)
        covariance += NOISE.get(kind, OTHER_NOISE) * np.eye(len(timed))
        self._mean = float(ratios.mean())
        self._weights = np.linalg.solve(covariance, ratios - self._mean)

    def latency_ms(self, kernel: Kernel) -> float:
        """The modelled time, corrected by the kernels around it.

        A map larger than every measured one is compared with the largest measured maps: the ratio found there is kept
        while the model scales with the pixels, as saturated kernels do.
        """
        here = position(kernel, self.largest_pixels)
        log_ratio = self._mean + float(self._likeness(here[None])[0] @ self._weights)
        return self._modelled(kernel) * float(np.exp(log_ratio))

    def beyond(self, kernel: Kernel) -> str:
        """Why the kernel lies outside of what was measured; empty if it does not."""
        if kernel.height * kernel.width > self.largest_pixels:
            side = round(self.largest_pixels**0.5)
            return f"the map is larger than every measured one (about {side} x {side})"
        if max(kernel.in_channels, kernel.out_channels) > self.most_channels:
            return f"more channels than every measured kernel (at most {self.most_channels})"
        return ""

    def _likeness(self, points: FloatArray) -> FloatArray:
        """(n, m): how alike the times of kernels at n points are to those of the m measured ones."""
        own = _matern(points / self._lengths, self._positions / self._lengths)
        smooth = _matern(points / SMOOTH, self._positions / SMOOTH)
        likeness: FloatArray = (1 - SMOOTH_SHARE) * own + SMOOTH_SHARE * smooth
        return likeness

    def _modelled(self, kernel: Kernel) -> float:
        return max(float(work(kernel) @ self._coefficients), SMALLEST_TIME_MS)


def position(kernel: Kernel, largest_pixels: float = np.inf) -> FloatArray:
    """(16,): the point at which a kernel lies among others; see `FEATURES`.

    Args:
        kernel: the kernel.
        largest_pixels: a map of more pixels counts as one of so many.
    """
    rows, columns = kernel.output_size
    shrink = min(1.0, (largest_pixels / (kernel.height * kernel.width)) ** 0.5)
    side_in, side = (kernel.height * kernel.width) ** 0.5 * shrink, (rows * columns) ** 0.5 * shrink
    stride = (kernel.stride[0] * kernel.stride[1]) ** 0.5
    inputs, outputs = -(-kernel.in_channels // SLICE), -(-kernel.out_channels // SLICE)
    logs = [
        *(kernel.in_channels, kernel.out_channels, side, (kernel.kernel[0] * kernel.kernel[1]) ** 0.5, stride),
        1 if kernel.op == "depthwise_conv2d" else kernel.groups,
    ]
    return np.array(
        [
            *np.log(logs),
            kernel.added_tensors,
            np.log(side_in / (side * stride)),
            _twos(inputs, 3),
            _twos(outputs, 4),
            np.log(2 ** np.ceil(np.log2(outputs)) / outputs),
            np.log(2 ** np.ceil(np.log2(inputs)) / inputs),
            kernel.in_channels % SLICE > 0,
            kernel.out_channels % SLICE > 0,
            np.log(side * side * outputs),
            np.log(np.ceil(side / TILE) * TILE / side),
        ],
        dtype=float,
    )


def _matern(first: FloatArray, second: FloatArray) -> FloatArray:
    """(n, m): Matern covariance of order 3/2 between points in units of their lengths."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    reach = np.sqrt(3 * np.maximum(squares, 0))
    likeness: FloatArray = (1 + reach) * np.exp(-reach)
    return likeness


def _twos(number: int, most: int) -> int:
    """How often two divides a positive number, at most so often."""
    return next(power for power in range(most, -1, -1) if number % 2**power == 0)
