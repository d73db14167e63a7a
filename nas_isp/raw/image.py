"""`RawImage`: one Bayer mosaic with what is needed to develop it, and `RawHeader`: the same before pixels are read."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_isp.raw.capture import Capture
from nas_isp.raw.sensor import Cfa, Gains

Mosaic = NDArray[Any]
"""uint16, or float32 where it was flattened; see `RawImage`."""

Crop = tuple[int, int, int, int]
"""Top, left, height and width in mosaic pixels."""


@dataclass(frozen=True, kw_only=True)
class RawFacts:
    """What is known of a mosaic beside its values.

    Attributes:
        cfa: colors of the 2x2 cell at row 0, column 0, row by row.
        black: black level of the sites (0,0), (0,1), (1,0), (1,1).
        white: saturation level.
        white_balance: as-shot gains of R, G, B with G = 1, or None if the file does not say.
        color_matrix: `(3, 3)` white-balanced camera RGB to linear sRGB, rows sum to 1, or None.
        flip: rotation that makes the picture upright, in LibRaw's code: 0 none, 3 by 180 degrees,
            5 by 90 degrees counter-clockwise, 6 by 90 degrees clockwise.
        crop: the part that the camera means to be shown, None for all; what lies around it is real picture as well.
        capture: who took it, when and how. Of a bare mosaic only the sensor's name is known.
        source: where it came from, for messages.
        noise: shot and read noise as the file says them: the variance of a value x is shot x + read, in units of
            white - black. None if it does not say.
        applied: what was done to the mosaic because the file asks for it, one line each.
        left: what the file asks for and was not done.
        sensor_matrix: like `color_matrix`, but of daylight: the same for all captures of a sensor, in any light.
    """

    cfa: Cfa
    black: tuple[float, float, float, float]
    white: float
    white_balance: Gains | None = None
    color_matrix: NDArray[np.float32] | None = None
    flip: int = 0
    crop: Crop | None = None
    capture: Capture = field(default_factory=Capture)
    source: str = ""
    noise: tuple[float, float] | None = None
    applied: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    sensor_matrix: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class RawHeader(RawFacts):
    """Those of a file whose pixels were not read.

    Attributes:
        size: rows and columns of the mosaic, both even.
    """

    size: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class RawImage(RawFacts):
    """A Bayer mosaic in true sensor values.

    Attributes:
        mosaic: uint16 `(H, W)`, H and W even; true values (a stored shift is already removed). Float32 where a file's
            black plane or lens shading is worked into them; they lie on the same scale.
    """

    mosaic: Mosaic

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        height, width = self.mosaic.shape
        return height, width


def header_of(raw: RawImage) -> RawHeader:
    """What is known of an image beside its values."""
    facts = {known.name: getattr(raw, known.name) for known in fields(RawFacts)}
    return RawHeader(size=raw.size, **facts)
