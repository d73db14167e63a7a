"""Time of a kernel from the measured kernels around it: a Gaussian process on the ratio of measured to modelled time.

The roofline of a kind says how a kernel's time grows with its work; the logarithm of measured over modelled time is
then a smooth function of the shape.
Pure numpy. Source of the method: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapter 2.
"""

from collections.abc import Sequence

import numpy as np

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.roofline import SLICE, SMALLEST_TIME_MS, FloatArray, Roofline, work

LENGTHS = {
    "inputs": 4.0,
    "outputs": 2.0,
    "side": 2.2,
    "window": 0.7,
    "stride": 2.0,
    "groups": 1.5,
    "addition": 6.0,
    "border": 2.0,
    "input_rest": 8.0,
    "output_rest": 4.0,
}
"""What `position` says of a kernel, in order, and the change of each over which times lose their likeness.

The same for every kind and device: lengths fitted to each kind predicted networks of unseen families worse.
"""

NOISE = 0.03
"""Variance of a single measurement that no neighbor shares, in units of a kind's variance."""

_SCALES = np.array(list(LENGTHS.values()))


class Interpolator:
    """The measured kernels of one kind."""

    def __init__(self, model: Roofline, timed: Sequence[tuple[Kernel, float]]) -> None:
        """Solve for what each measured kernel says about its surroundings.

        Args:
            model: the kind's roofline.
            timed: its measured kernels with their times in ms.
        """
        self._coefficients = model.coefficients
        self.largest_pixels = max(kernel.height * kernel.width for kernel, _ in timed)
        self.most_channels = max(max(kernel.in_channels, kernel.out_channels) for kernel, _ in timed)
        self._positions = np.array([position(kernel) for kernel, _ in timed])
        ratios = np.log([time / self._modelled(kernel) for kernel, time in timed])
        covariance = self._likeness(self._positions)
        covariance += NOISE * np.eye(len(timed))
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
        return _matern(points / _SCALES, self._positions / _SCALES)

    def _modelled(self, kernel: Kernel) -> float:
        return max(float(work(kernel) @ self._coefficients), SMALLEST_TIME_MS)


def position(kernel: Kernel, largest_pixels: float = np.inf) -> FloatArray:
    """(10,): the point at which a kernel lies among others; see `LENGTHS`.

    Args:
        kernel: the kernel.
        largest_pixels: a map of more pixels counts as one of so many.
    """
    rows, columns = kernel.output_size
    shrink = min(1.0, (largest_pixels / (kernel.height * kernel.width)) ** 0.5)
    side_in, side = (kernel.height * kernel.width) ** 0.5 * shrink, (rows * columns) ** 0.5 * shrink
    stride = (kernel.stride[0] * kernel.stride[1]) ** 0.5
    logs = [
        *(kernel.in_channels, kernel.out_channels, side, (kernel.kernel[0] * kernel.kernel[1]) ** 0.5, stride),
        1 if kernel.op == "depthwise_conv2d" else kernel.groups,
    ]
    return np.array(
        [
            *np.log(logs),
            kernel.added_tensors,
            np.log(side_in / (side * stride)),
            kernel.in_channels % SLICE > 0,
            kernel.out_channels % SLICE > 0,
        ],
        dtype=float,
    )


def _matern(first: FloatArray, second: FloatArray) -> FloatArray:
    """(n, m): Matern covariance of order 3/2 between points in units of their lengths."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    reach = np.sqrt(3 * np.maximum(squares, 0))
    likeness: FloatArray = (1 + reach) * np.exp(-reach)
    return likeness
