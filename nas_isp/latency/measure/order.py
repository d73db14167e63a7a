"""In which order kernels are timed, so that breaking off at any point leaves a table that can predict. Pure numpy."""

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.roofline import FloatArray, kind_of

SPREAD = 8
"""Kernels of each kind that come first: twice the coefficients of a kind's model."""


def measuring_order(kernels: Sequence[Kernel], winograd: bool = False) -> list[Kernel]:
    """First a few kernels of each kind, in turns, that span its channels, sizes and windows; then the rest as given.

    Args:
        kernels: each once, the most frequent first.
        winograd: whether the device's runtime uses Winograd convolutions, which are a kind of their own.
    """
    kinds: dict[str, list[Kernel]] = {}
    for kernel in kernels:
        kinds.setdefault(kind_of(kernel, winograd), []).append(kernel)
    turns = zip_longest(*(_spread(members) for members in kinds.values()))
    first = [kernel for turn in turns for kernel in turn if kernel is not None]
    chosen = set(first)
    return first + [kernel for kernel in kernels if kernel not in chosen]


def _spread(kernels: Sequence[Kernel]) -> list[Kernel]:
    """The first kernel, then always the one farthest from those chosen; of equally far ones the most frequent."""
    points = np.array([_point(kernel) for kernel in kernels])
    chosen = [0]
    distances = np.linalg.norm(points - points[0], axis=1)
    while len(chosen) < min(SPREAD, len(kernels)):
        distances[chosen] = -1
        chosen.append(int(distances.argmax()))
        distances = np.minimum(distances, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return [kernels[index] for index in chosen]


def _point(kernel: Kernel) -> FloatArray:
    """(5,): log-scaled channels, map, window and what is added, on which a kernel's time depends most."""
    window, pixels = kernel.kernel[0] * kernel.kernel[1], kernel.height * kernel.width
    values = [kernel.in_channels, kernel.out_channels, pixels**0.5, window**0.5, 1 + kernel.added_tensors]
    result: FloatArray = np.log(np.array(values, dtype=float))
    return result
