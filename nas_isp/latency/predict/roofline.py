"""Roofline models of kernel times, fitted per kernel kind.

A kernel's time is modelled as ``constant + a * multiply-accumulates + b * values moved + c * weights + d * depth``,
no term negative, fitted to the relative error. The depth is the number of values that one output value is summed
from, one after another: on small maps a GPU waits for that chain, however few outputs there are. A concatenation has
such a chain too: one work item copies all channels of a pixel in turn. Channels count in slices of four, as mobile
GPUs store them.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.settings import Settings

FloatArray = npt.NDArray[np.float64]

SLICE = 4
"""Channels that mobile GPUs store and compute together."""

WINOGRAD_CHANNELS = 61
"""Fewest channels on both sides of a Winograd convolution: they fill 16 slices."""

WINOGRAD_TILES = 32
"""Fewest tiles of 4x4 outputs of a Winograd convolution."""

SMALLEST_TIME_MS = 1e-6
"""That a model may predict: its logarithm is taken, and no kernel is free."""

WINOGRAD = "conv2d_winograd"
MEMORY_BOUND = "memory_bound"
"""Kind whose model speaks for operators that only move values where a device has no measurement of their own."""

_ALONE = {
    "grouped_conv2d": "grouped_conv2d",
    "depthwise_conv2d": "depthwise_conv2d",
    "transpose_conv2d": "conv2d_spatial",
    "fully_connected": "fully_connected",
    "mean": "mean",
    "reduce_max": "mean",
    "avg_pool": "pool",
    "max_pool": "pool",
}


class Roofline(Settings):
    """Time of a kernel kind: not negative coefficients of the work that a kernel does."""

    constant_ms: Annotated[float, Field(ge=0, description="Time of a kernel without work.")]
    ms_per_gmac: Annotated[float, Field(ge=0, description="Per 1e9 multiply-accumulates.")]
    ms_per_mvalue: Annotated[float, Field(ge=0, description="Per 1e6 activation values read or written.")]
    ms_per_mweight: Annotated[float, Field(ge=0, description="Per 1e6 weights.")]
    ms_per_kdepth: Annotated[float, Field(ge=0, description="Per 1e3 values that one output value sums up.")] = 0.0
    kernels: Annotated[int, Field(ge=1, description="Number of measured kernels in the fit.")]
    mean_error: Annotated[float, Field(ge=0, description="Mean relative error over those kernels.")]

    @property
    def coefficients(self) -> FloatArray:
        """In the order of `work`."""
        return np.array(
            [self.constant_ms, self.ms_per_gmac, self.ms_per_mvalue, self.ms_per_mweight, self.ms_per_kdepth]
        )


def kind_of(kernel: Kernel, winograd: bool = False) -> str:
    """The kind whose model speaks for a kernel.

    Args:
        kernel: the kernel.
        winograd: whether the device's runtime uses Winograd convolutions. Where it does, the shapes are those of the
            TFLite GPU delegate: 3x3, stride 1, at least 16 slices of channels on both sides and 32 tiles of 4x4.
    """
    if kernel.op == "conv2d":
        if kernel.height == kernel.width == 1:
            return "fully_connected"
        if kernel.kernel == (1, 1):
            return "conv2d_pointwise"
        return WINOGRAD if winograd and _suits_winograd(kernel) else "conv2d_spatial"
    return _ALONE.get(kernel.op, kernel.op)


def substitutes(kind: str) -> tuple[str, ...]:
    """Kinds whose model may speak for a kind that a device has no measurement of, best first."""
    if kind == "fully_connected":
        return ("conv2d_pointwise", "conv2d_spatial")
    if kind.startswith("conv2d") or kind == "grouped_conv2d":
        return ("conv2d_spatial", "conv2d_pointwise")
    return () if kind == "depthwise_conv2d" else (MEMORY_BOUND,)


def work(kernel: Kernel) -> FloatArray:
    """(5,): 1, multiply-accumulates / 1e9, activation values moved / 1e6, weights / 1e6, depth / 1e3."""
    rows, columns = kernel.output_size
    pixels_in, pixels_out = kernel.height * kernel.width, rows * columns
    inputs, outputs = _sliced(kernel.in_channels), _sliced(kernel.out_channels)
    window = kernel.kernel[0] * kernel.kernel[1]
    weights, depth = 0.0, float(window)
    if kernel.op in ("conv2d", "grouped_conv2d", "transpose_conv2d", "fully_connected"):
        depth = window * inputs / kernel.groups
        weights = window * inputs * outputs / kernel.groups
        macs = weights * (pixels_in if kernel.op == "transpose_conv2d" else pixels_out)
    elif kernel.op == "depthwise_conv2d":
        weights = float(window * outputs)
        macs = weights * pixels_out
    elif kernel.op in ("avg_pool", "max_pool"):
        macs = float(window * outputs * pixels_out)
    elif kernel.op in ("mean", "reduce_max"):
        macs, depth = float(inputs * pixels_in), float(pixels_in)
    elif kernel.op == "concat":
        macs, depth = 0.0, float(outputs)
    else:
        macs = 0.0
    values_in = pixels_in * (outputs if kernel.op == "concat" else inputs)
    second_input = outputs * pixels_out if kernel.op in ("add", "sub", "mul") and not kernel.broadcast else 0
    values_out = pixels_out * outputs
    moved = (values_in + second_input + values_out) / 1e6 + added_mvalues(kernel)
    return np.array([1.0, macs / 1e9, moved, weights / 1e6, depth / 1e3])


def stored_mvalues(kernel: Kernel) -> float:
    """Values / 1e6 that a kernel writes."""
    rows, columns = kernel.output_size
    return rows * columns * _sliced(kernel.out_channels) / 1e6


def added_mvalues(kernel: Kernel) -> float:
    """Values / 1e6 of a second tensor that a kernel reads and adds to its output."""
    return kernel.added_tensors * stored_mvalues(kernel)


def fit_roofline(work_rows: FloatArray, times_ms: FloatArray) -> Roofline:
    """Fit one kind.

    Args:
        work_rows: (n, 5) rows of `work`.
        times_ms: (n,) measured times, positive.
    """
    from scipy.optimize import nnls  # here, so that predicting needs none of it

    relative = work_rows / times_ms[:, None]
    # Where two columns say the same, as those of fully connected kernels, the earlier one speaks: it is the longest.
    units = np.where(relative.any(axis=0), relative.max(axis=0), 1) * (1 + 1e-9 * np.arange(relative.shape[1]))
    coefficients = nnls(relative / units, np.ones(len(times_ms)))[0] / units
    errors = np.abs(work_rows @ coefficients / times_ms - 1)
    constant, gmac, mvalue, mweight, kdepth = (round(float(c), 9) for c in coefficients)
    return Roofline(
        constant_ms=constant,
        ms_per_gmac=gmac,
        ms_per_mvalue=mvalue,
        ms_per_mweight=mweight,
        ms_per_kdepth=kdepth,
        kernels=len(times_ms),
        mean_error=round(float(errors.mean()), 4),
    )


def fit_models(kernels: Sequence[Kernel], times_ms: Sequence[float], winograd: bool) -> dict[str, Roofline]:
    """Fit every kind that the kernels show, and the memory-bound kind from those that mostly move values."""
    rows = np.array([work(kernel) for kernel in kernels])
    times = np.array(times_ms)
    kinds = np.array([kind_of(kernel, winograd) for kernel in kernels])
    models = {kind: fit_roofline(rows[kinds == kind], times[kinds == kind]) for kind in sorted(set(kinds.tolist()))}
    moving = ~np.char.startswith(kinds.astype(str), "conv2d") & (rows[:, 3] == 0) & (kinds != "mean")
    if moving.any():
        models[MEMORY_BOUND] = fit_roofline(rows[moving] * np.array([1.0, 0.0, 1.0, 0.0, 0.0]), times[moving])
    return models


def _suits_winograd(kernel: Kernel) -> bool:
    rows, columns = kernel.output_size
    tiles = -(-rows // 4) * -(-columns // 4)
    narrow = min(kernel.in_channels, kernel.out_channels) < WINOGRAD_CHANNELS
    return kernel.kernel == (3, 3) and kernel.stride == (1, 1) and not narrow and tiles >= WINOGRAD_TILES


def _sliced(channels: int) -> int:
    return -(-channels // SLICE) * SLICE
