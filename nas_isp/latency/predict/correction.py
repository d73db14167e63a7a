"""From the sum of kernel times to the time of a whole network: a few numbers per device."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from nas_isp.settings import Settings


class Extras(NamedTuple):
    """What of a network costs more within it than its kernels did alone; a field's name is that of its term."""

    winograd_ms: float = 0.0
    """Sum of the times of Winograd kernels: a profile may hold only one of the three that such a convolution takes."""
    mweights: float = 0.0
    """Weights / 1e6: repeated alone, a kernel finds them in the cache."""
    padded_mvalues: float = 0.0
    """Values / 1e6 of the inputs to which borders were added first, by an operator of its own."""
    stored_mvalues: float = 0.0
    """Values / 1e6 that kernels write: repeated alone, a kernel writes over what is in the cache."""
    copied_mvalues: float = 0.0
    """Values / 1e6 that concatenations read and write: within a network, those of several branches come from afar."""
    added_mvalues: float = 0.0
    """Values / 1e6 of second tensors that fused additions read: within a network, they were written long before."""


NO_EXTRAS = Extras()
MEMORY_TERMS = ("mweights", "stored_mvalues", "copied_mvalues", "added_mvalues")
"""What goes through memory within a network, and through the cache where a kernel is repeated alone."""


class Correction(Settings):
    """``network time = scale * sum of kernel times + ms per kernel * kernels + constant + what the extras cost``."""

    scale: Annotated[float, Field(gt=0, description="Factor on the sum of kernel times.")] = 1.0
    ms_per_kernel: Annotated[float, Field(ge=0, description="Launch and synchronisation of a kernel.")] = 0.0
    constant_ms: Annotated[float, Field(ge=0, description="Fixed cost of a run.")] = 0.0
    winograd_scale: Annotated[float, Field(ge=0, description="Factor on Winograd kernels, on top of scale.")] = 0.0
    ms_per_mweight: Annotated[float, Field(ge=0, description="Per 1e6 weights.")] = 0.0
    ms_per_padded_mvalue: Annotated[float, Field(ge=0, description="Per 1e6 values with an added border.")] = 0.0
    ms_per_stored_mvalue: Annotated[float, Field(ge=0, description="Per 1e6 values that kernels write.")] = 0.0
    ms_per_copied_mvalue: Annotated[
        float, Field(ge=0, description="Per 1e6 values that concatenations read and write.")
    ] = 0.0
    ms_per_added_mvalue: Annotated[
        float, Field(ge=0, description="Per 1e6 values that fused additions read, on top of the kernels' times.")
    ] = 0.0
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
        rates = (getattr(self, _FIELDS[name]) for name in Extras._fields)
        return plain + sum(rate * amount for rate, amount in zip(rates, extras, strict=True))


def fit_correction(
    kernels_ms: Sequence[float],
    kernel_counts: Sequence[int],
    networks_ms: Sequence[float],
    extras: Sequence[Extras] | None = None,
    *,
    terms: Sequence[str] = (),
    shrinkage: float = 0.0,
    weights: Sequence[float] | None = None,
) -> Correction:
    """Fit the numbers to whole networks by least squares of the relative error, none of them negative.

    Args:
        kernels_ms: sum of the kernel times of each network.
        kernel_counts: number of kernels of each network.
        networks_ms: measured time of each network, positive.
        extras: of each network; needed where terms are given.
        terms: names of the extras that are charged for; the others cost nothing.
        shrinkage: of the terms towards nothing, as a share of the squares that each explains; 0: none.
        weights: how much each network counts, positive; None: all the same.
    """
    from scipy.optimize import nnls  # here, so that predicting needs none of it

    measured = np.array(networks_ms, dtype=float)
    counting = np.ones(len(measured)) if weights is None else np.array(weights, dtype=float)
    columns = [np.array(kernels_ms), np.array(kernel_counts, dtype=float), np.ones(len(measured))]
    columns += [np.array([getattr(extra, name) for extra in extras or ()]) for name in terms]
    root = np.sqrt(counting / counting.mean())
    relative = np.stack(columns, axis=1) / measured[:, None] * root[:, None]
    reach = np.sqrt((relative**2).sum(axis=0)) * (np.arange(len(columns)) >= PLAIN)
    penalty = np.sqrt(shrinkage) * np.diag(reach)[PLAIN:]
    found = nnls(np.vstack([relative, penalty]), np.append(root, np.zeros(len(terms))))[0]
    if found[0] == 0:  # too few or too similar networks to tell scale and constants apart
        found = np.zeros(len(found))
        found[:1] = nnls(relative[:, :1], root)[0]
    scale, per_kernel, constant, *rates = (round(float(number), 6) for number in found)
    return Correction(
        scale=scale,
        ms_per_kernel=per_kernel,
        constant_ms=constant,
        networks=len(measured),
        **{_FIELDS[name]: rate for name, rate in zip(terms, rates, strict=True)},
    )


PLAIN = 3
"""Numbers that every correction has: on the sum, a kernel and a run."""

_FIELDS = {
    "winograd_ms": "winograd_scale",
    "mweights": "ms_per_mweight",
    "padded_mvalues": "ms_per_padded_mvalue",
    "stored_mvalues": "ms_per_stored_mvalue",
    "copied_mvalues": "ms_per_copied_mvalue",
    "added_mvalues": "ms_per_added_mvalue",
}
