"""How far off a prediction may be: an interval that held 90 % of what was left out of every fit. Pure numpy."""

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from nas_isp.latency.predict.roofline import FloatArray
from nas_isp.settings import Settings

COVERAGE = 0.9
"""Share of predictions whose measured time an interval shall hold."""

STEEPEST, STEP = 0.6, 0.01


class Uncertainty(Settings):
    """Relative half-width of the interval: ``measured + interpolated * its share + extrapolated * its share``.

    The values of a table without calibration are careful guesses; `networks` is 0 then.
    """

    measured: Annotated[float, Field(ge=0, description="Of a network whose kernels are all measured.")] = 0.1
    interpolated: Annotated[float, Field(ge=0, description="On top, per share of interpolated kernel time.")] = 0.2
    extrapolated: Annotated[float, Field(ge=0, description="On top, per share of extrapolated kernel time.")] = 0.5
    networks: Annotated[int, Field(ge=0, description="Left-out predictions it was calibrated on; 0: none.")] = 0

    def half_width(self, interpolated_share: float, extrapolated_share: float) -> float:
        """Relative half-width of the interval around a prediction."""
        return self.measured + self.interpolated * interpolated_share + self.extrapolated * extrapolated_share


def calibrate(
    errors: Sequence[float],
    unmeasured_shares: Sequence[float],
    extrapolation_errors: Sequence[float],
    groups: Sequence[str] | None = None,
) -> Uncertainty:
    """Choose the half-widths so that 90 % of further errors lie within them, as narrow as that can be on average.

    Args:
        errors: relative errors of networks that were left out.
        unmeasured_shares: share of each network's kernel time that was not measured.
        extrapolation_errors: relative errors of kernels on maps larger than those of the fit.
        groups: family of each network. Networks of a family err together: each family counts once, and the 90 % are
            those of a further family. None: every network is a family of its own.
    """
    sizes, shares = np.abs(errors), np.array(unmeasured_shares, dtype=float)
    families = list(groups) if groups is not None else [str(index) for index in range(len(sizes))]
    weights = np.array([1 / families.count(family) for family in families])
    best = (math.inf, 0.0, 0.0)
    for slope in np.arange(0, STEEPEST, STEP):
        base = max(_quantile(sizes - slope * shares, weights), 0.0)
        best = min(best, (base + slope * float(np.average(shares, weights=weights)), base, float(slope)))
    extrapolated = np.abs(extrapolation_errors)
    return Uncertainty(
        measured=round(best[1], 4),
        interpolated=round(best[2], 4),
        extrapolated=round(max(_quantile(extrapolated, np.ones(len(extrapolated))), best[2]), 4),
        networks=len(sizes),
    )


def _quantile(values: FloatArray, weights: FloatArray) -> float:
    """The value below which a further one of the same kind lies with the wanted probability (split conformal).

    Args:
        values: (n,) of things left out.
        weights: (n,) adding up to the number of families.
    """
    order = np.argsort(values, kind="stable")
    families = float(weights.sum())
    wanted = min((families + 1) * COVERAGE, families)
    reached = np.cumsum(weights[order]) >= wanted - 1e-9
    return float(values[order][int(np.argmax(reached))])
