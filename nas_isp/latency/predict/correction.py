"""From the sum of kernel times to the time of a whole network: a few numbers per device."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from nas_isp.settings import Settings


class Extras(NamedTuple):
    """What of a network costs more within it than its kernels did alone."""

    winograd_ms: float = 0.0
    """Sum of the times of Winograd kernels: a profile may hold only one of the three that such a convolution takes."""
    mweights: float = 0.0
    """Weights / 1e6: repeated alone, a kernel finds them in the cache."""
    padded_mvalues: float = 0.0
    """Values / 1e6 of the inputs to which borders were added first, by an operator of its own."""


NO_EXTRAS = Extras()


class Correction(Settings):
    """``network time = scale * sum of kernel times + ms per kernel * kernels + constant + what the extras cost``."""

    scale: Annotated[float, Field(gt=0, description="Factor on the sum of kernel times.")] = 1.0
    ms_per_kernel: Annotated[float, Field(ge=0, description="Launch and synchronisation of a kernel.")] = 0.0
    constant_ms: Annotated[float, Field(ge=0, description="Fixed cost of a run.")] = 0.0
    winograd_scale: Annotated[float, Field(ge=0, description="Factor on Winograd kernels, on top of scale.")] = 0.0
    ms_per_mweight: Annotated[float, Field(ge=0, description="Per 1e6 weights.")] = 0.0
    ms_per_padded_mvalue: Annotated[float, Field(ge=0, description="Per 1e6 values with an added border.")] = 0.0
    networks: Annotated[int, Field(ge=0, description="Networks it was fitted on; 0: not fitted.")] = 0
    mean_error: Annotated[
        float | None, Field(ge=0, description="Mean relative error on networks left out of every fit.")
    ] = None
    within_10_percent: Annotated[
        float | None, Field(ge=0, le=1, description="Share of those networks within 10 % of the measured time.")
    ] = None

    @property
    def fitted(self) -> bool:
        """Whether whole networks were measured."""
        return self.networks > 0

    def apply(self, kernels_ms: float, kernel_count: int, extras: Extras = NO_EXTRAS) -> float:
        """Time of a network from the sum of its kernel times."""
        plain = self.scale * kernels_ms + self.ms_per_kernel * kernel_count + self.constant_ms
        rates = (self.winograd_scale, self.ms_per_mweight, self.ms_per_padded_mvalue)
        return plain + sum(rate * amount for rate, amount in zip(rates, extras, strict=True))


def fit_correction(
    kernels_ms: Sequence[float],
    kernel_counts: Sequence[int],
    networks_ms: Sequence[float],
    extras: Sequence[Extras] | None = None,
) -> Correction:
    """Fit the numbers to whole networks by least squares of the relative error, none of them negative.

    Args:
        kernels_ms: sum of the kernel times of each network.
        kernel_counts: number of kernels of each network.
        networks_ms: measured time of each network, positive.
        extras: of each network; without them, nothing is charged for them.
    """
    from scipy.optimize import nnls  # here, so that predicting needs none of it

    measured = np.array(networks_ms, dtype=float)
    plain = np.stack([np.array(kernels_ms), np.array(kernel_counts, dtype=float), np.ones(len(measured))], axis=1)
    columns = np.concatenate([plain, np.array(extras or [NO_EXTRAS] * len(measured))], axis=1)
    relative = columns / measured[:, None]
    found = nnls(relative, np.ones(len(measured)))[0]
    if found[0] == 0:  # too few or too similar networks to tell scale and constants apart
        found = np.zeros(len(found))
        found[:1] = nnls(relative[:, :1], np.ones(len(measured)))[0]
    scale, per_kernel, constant, winograd, weight, padded = (round(float(number), 6) for number in found)
    return Correction(
        scale=scale,
        ms_per_kernel=per_kernel,
        constant_ms=constant,
        winograd_scale=winograd,
        ms_per_mweight=weight,
        ms_per_padded_mvalue=padded,
        networks=len(measured),
    )
