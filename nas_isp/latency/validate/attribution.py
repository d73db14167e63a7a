"""Which kinds of kernel the errors of predicted networks come from. Pure numpy."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from nas_isp.latency.kernels.kernel import CLAMPS, Kernel
from nas_isp.latency.predict.roofline import kind_of
from nas_isp.settings import Settings

EXPECTED_ERROR = 0.1
"""How far off a kind's time typically is, as a share: what the networks do not tell stays near 0."""

NOISE = 0.02
"""Error of a network's time that no kind is to blame for."""


class KindError(Settings):
    """What the networks say about one kind of kernel."""

    kind: Annotated[str, Field(description="Kind, and what is computed on top of it.")]
    networks: Annotated[int, Field(ge=0, description="Networks that have such a kernel.")]
    share: Annotated[float, Field(ge=0, description="Share of all predicted time.")]
    error: Annotated[float, Field(description="Share by which its time is predicted too long; negative: too short.")]
    worst_network: Annotated[str, Field(description="The network whose own error it explains most of.")]


def kind_label(kernel: Kernel) -> str:
    """A kernel's kind with what is computed on top of it, such as ``conv2d_spatial +tanh``."""
    steps = "_".join(step for step in kernel.steps if step not in CLAMPS)
    return f"{kind_of(kernel)} +{steps}" if steps else kind_of(kernel)


def errors_by_kind(
    names: Sequence[str], parts_ms: Sequence[Mapping[str, float]], measured_ms: Sequence[float]
) -> list[KindError]:
    """How far off each kind's predicted time is, if the networks' errors are due to their kinds; the worst first.

    A ridge regression: the errors of the kinds that explain the networks' errors best while none is larger than needed.

    Args:
        names: of the networks.
        parts_ms: predicted time of each network by kind.
        measured_ms: of each network, positive.

    Raises:
        ValueError: lists of different length, or none.
    """
    if not len(names) == len(parts_ms) == len(measured_ms) or not names:
        raise ValueError(
            f"{len(names)} names, {len(parts_ms)} predictions, {len(measured_ms)} times; give equally many"
        )
    kinds = sorted({kind for parts in parts_ms for kind in parts})
    measured = np.array(measured_ms, dtype=float)
    predicted = np.array([[parts.get(kind, 0.0) for kind in kinds] for parts in parts_ms])
    shares = predicted / measured[:, None]
    surplus = shares.sum(axis=1) - 1
    penalty = np.eye(len(kinds)) * (NOISE / EXPECTED_ERROR) ** 2
    excess = np.linalg.solve(shares.T @ shares + penalty, shares.T @ surplus)
    explained = shares * excess * np.sign(surplus)[:, None]
    found = [
        KindError(
            kind=kind,
            networks=int((predicted[:, column] > 0).sum()),
            share=float(predicted[:, column].sum() / predicted.sum()),
            error=float(excess[column]),
            worst_network=names[int(explained[:, column].argmax())],
        )
        for column, kind in enumerate(kinds)
    ]
    return sorted(found, key=lambda entry: -abs(entry.error) * entry.share)
