"""Ways to predict a network on a phone that the cross-validation chooses from: for its kernels, and for the whole."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.predict.correction import MEMORY_TERMS
from nas_isp.latency.predict.gaussian_process import Interpolator, position
from nas_isp.latency.predict.predictor import MakeInterpolator
from nas_isp.latency.predict.roofline import Roofline


class RooflineOnly(Interpolator):
    """The mean ratio of measured to modelled time of the kind."""

    def latency_ms(self, kernel: Kernel) -> float:
        return self._modelled(kernel) * float(np.exp(self._mean))


class Neighbors(Interpolator):
    """A plain table with interpolation: the mean ratio of measured to modelled time of the five nearest kernels."""

    SOFTENING = 0.1

    def __init__(self, model: Roofline, timed: Sequence[tuple[Kernel, float]]) -> None:
        super().__init__(model, timed)
        self._points = np.array([position(kernel)[:8] for kernel, _ in timed])
        self._ratios = np.log([time / self._modelled(kernel) for kernel, time in timed])

    def latency_ms(self, kernel: Kernel) -> float:
        distances = np.linalg.norm(self._points - position(kernel, self.largest_pixels)[:8], axis=1)
        nearest = np.argsort(distances, kind="stable")[:5]
        closeness = 1 / (distances[nearest] + self.SOFTENING)
        return self._modelled(kernel) * float(np.exp(closeness @ self._ratios[nearest] / closeness.sum()))


@dataclass(frozen=True)
class KernelMethod:
    """How kernels are predicted that the table does not hold."""

    name: str
    make_interpolator: MakeInterpolator
    complexity: int
    """Of two methods that tie, that of less complexity is taken."""


@dataclass(frozen=True)
class CorrectionForm:
    """What the correction to a whole network charges for beside sum, kernels and run, and how it is held back."""

    name: str
    complexity: int
    terms: tuple[str, ...] = ()
    shrinkage: float = 0.0


ROOFLINE = KernelMethod("roofline", RooflineOnly, 0)
NEIGHBORS = KernelMethod("table and five neighbors", Neighbors, 1)
PROCESS = KernelMethod("table and Gaussian process", Interpolator, 1)
KERNEL_METHODS = (ROOFLINE, NEIGHBORS, PROCESS)

THREE_NUMBERS = CorrectionForm("three numbers", 0)
_SHRINKAGES = (1.0, 0.3, 0.1, 0.03, 0.0)
CORRECTION_FORMS = (
    THREE_NUMBERS,
    *(
        CorrectionForm(f"with memory, shrunk by {shrinkage:g}", 1 + step, MEMORY_TERMS, shrinkage)
        for step, shrinkage in enumerate(_SHRINKAGES)
    ),
    CorrectionForm(
        "with Winograd, weights and borders", 1 + len(_SHRINKAGES), ("winograd_ms", "mweights", "padded_mvalues")
    ),
)
"""The simplest first; the last is that of this project's earlier tables."""
