"""Black and white levels: the one place where black is subtracted and samples are scaled, and where that is undone.

Two kinds of code do not come here. Exported graphs hold the same two steps as operators (`integer_io` of TFLite and of
ONNX). The published references leave the black level in, a defect that belongs to them (`published_reference`).
"""

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Levels = tuple[float, float, float, float]
"""Of the sites (0,0), (0,1), (1,0), (1,1) of a mosaic, or of planes in the order R, G1 (red row), G2 (blue row), B."""

Values = TypeVar("Values", NDArray[np.float32], "Tensor", float)

Level = Any
"""A number, or an array or a tensor as the values are, of a shape that broadcasts to theirs."""


def subtract_black(values: Values, black: Level, white: Level) -> Values:
    """``(values - black) / (white - black)``, not clipped: noise below black stays negative.

    Arrays and tensors, float32, are overwritten and returned, since they are large.
    """
    values -= black
    values /= white - black
    return values


def add_black(values: Values, black: Level, white: Level) -> Values:
    """``values * (white - black) + black``, what undoes `subtract_black`; `values` stay as they are."""
    restored: Values = values * (white - black) + black
    return restored


def flatten(
    values: NDArray[np.float32],
    black: NDArray[np.float32],
    gains: NDArray[np.float32] | None,
    pedestal: float,
    ceiling: float,
) -> None:
    """Bring sensor values, in place, to one black level for all: ``(values - black) * gains + pedestal``.

    What comes above `ceiling` has saturated for whoever looks on, and stays there, as in Adobe's DNG SDK.

    Args:
        values: float32 `(H, W)`.
        black: of every pixel.
        gains: of every pixel; None for 1.
        pedestal: the one black level.
        ceiling: the level at which samples stop.
    """
    values -= black
    if gains is not None:
        values *= gains
    values += np.float32(pedestal)
    np.clip(values, 0, ceiling, out=values)


def from_sensor_values(planes: NDArray[Any], black: Levels, white: float) -> NDArray[np.float32]:
    """``(x - black) / (white - black)`` of packed sensor values `(4, h, w)`; `black` is in plane order."""
    return subtract_black(planes.astype(np.float32), _of_planes(black), np.float32(white))


def to_sensor_values(packed: NDArray[np.float32], black: Levels, white: float) -> NDArray[np.uint16]:
    """The sensor values of packed planes `(4, h, w)`, rounded; what is outside 0..65535 saturates."""
    return np.clip(np.rint(add_black(packed, _of_planes(black), np.float32(white))), 0, 65535).astype(np.uint16)


def _of_planes(black: Levels) -> NDArray[np.float32]:
    return np.array(black, np.float32)[:, None, None]
