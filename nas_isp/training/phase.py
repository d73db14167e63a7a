"""What the phases of a training have in common."""

from typing import Protocol

from torch import Tensor


class Phase(Protocol):
    """A way to improve the generator step by step; it takes its batches by the number of the step alone."""

    def step(self, step: int) -> dict[str, Tensor]:
        """Take one step of the training, the first of which is 0.

        Returns:
            What the history shows of it: scalars on the device, which is not waited for.
        """
        ...
