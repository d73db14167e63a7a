"""The running average of a generator's weights: what is scored and kept, since it is steadier than any one step."""

import copy
from typing import Any

import torch
from torch import nn


class AveragedWeights:
    """An exponential moving average.

    Attributes:
        network: a copy of the generator that holds the averaged weights; it asks for no gradient.
    """

    def __init__(self, generator: nn.Module, decay: float) -> None:
        """Begin with the generator's present weights; of the average, `decay` stays at every step."""
        self.network = copy.deepcopy(generator).requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def follow(self, generator: nn.Module) -> None:
        """Move towards the generator's weights by one step."""
        for average, current in zip(self.network.parameters(), generator.parameters(), strict=True):
            average.lerp_(current, 1 - self._decay)

    def restart(self, generator: nn.Module) -> None:
        """Forget what was, and take the generator's weights."""
        self.network.load_state_dict(generator.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """The averaged weights."""
        return self.network.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with averaged weights."""
        self.network.load_state_dict(state)
