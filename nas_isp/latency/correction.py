"""From the sum of kernel times to the time of a whole network: three numbers per device. Pure numpy."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from nas_isp.latency.fit import nonnegative_least_squares
from nas_isp.settings import Settings


class Correction(Settings):
    """``network time = scale * sum of kernel times + ms_per_kernel * number of kernels + constant_ms``."""

    scale: Annotated[float, Field(gt=0, description="Factor on the sum of kernel times.")] = 1.0
    ms_per_kernel: Annotated[float, Field(ge=0, description="Launch and synchronisation of a kernel.")] = 0.0
    constant_ms: Annotated[float, Field(ge=0, description="Fixed cost of a run.")] = 0.0
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

    def apply(self, kernels_ms: float, kernel_count: int) -> float:
        """Time of a network from the sum of its kernel times."""
        return self.scale * kernels_ms + self.ms_per_kernel * kernel_count + self.constant_ms


def fit_correction(
    kernels_ms: Sequence[float], kernel_counts: Sequence[int], networks_ms: Sequence[float]
) -> Correction:
    """Fit the three numbers to whole networks by least squares of the relative error, none of them negative.

    Args:
        kernels_ms: sum of the kernel times of each network.
        kernel_counts: number of kernels of each network.
        networks_ms: measured time of each network, positive.
    """
    measured = np.array(networks_ms, dtype=float)
    columns = np.stack([np.array(kernels_ms), np.array(kernel_counts, dtype=float), np.ones(len(measured))], axis=1)
    relative = columns / measured[:, None]
    scale, per_kernel, constant = nonnegative_least_squares(relative, np.ones(len(measured)))
    if scale == 0:  # too few or too similar networks to tell scale and constants apart
        scale, per_kernel, constant = *nonnegative_least_squares(relative[:, :1], np.ones(len(measured))), 0, 0
    return Correction(
        scale=round(float(scale), 6),
        ms_per_kernel=round(float(per_kernel), 6),
        constant_ms=round(float(constant), 6),
        networks=len(measured),
    )
