"""Writes the arrays of `PhotoPatches`, patch by patch."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.cache import ArrayWriter
from nas_isp.raw.glance import GLANCE_SIDE, glance
from nas_isp.raw.srgb import decoded

GLANCE = (3, GLANCE_SIDE, GLANCE_SIDE)

LARGE = 480
"""Pixels of the shorter side that a glance needs at most: twenty a block."""

LINEAR = decoded((np.arange(256) / 255).astype(np.float32))
"""Linear light of 8-bit sRGB values."""


class PhotoWriter:
    """The arrays of photo patches of `size` x `size` pixels in a folder; complete when it is left."""

    def __init__(self, target: Path, size: int) -> None:
        self._stack = ExitStack()
        self._pixels = self._stack.enter_context(ArrayWriter(target / "pixels.npy", (3, size, size), "|u1"))
        self._glance = self._stack.enter_context(ArrayWriter(target / "photo_glance.npy", GLANCE, "|u1"))

    def append(self, patch: NDArray[np.uint8], seen: NDArray[np.uint8]) -> None:
        """Add a patch `(S, S, 3)` and the glance at its photo."""
        self._pixels.append(patch.transpose(2, 0, 1))
        self._glance.append(seen)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, value, trace)


def photo_glance(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The glance `(3, 24, 24)` at an sRGB photo `(H, W, 3)`, averaged in linear light and encoded again."""
    step = max(min(photo.shape[:2]) // LARGE, 1)
    means = glance(LINEAR[photo[::step, ::step]].transpose(2, 0, 1))
    levels: NDArray[np.uint8] = np.searchsorted((LINEAR[1:] + LINEAR[:-1]) / 2, means).astype(np.uint8)
    return levels
