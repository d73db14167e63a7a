"""The generator in training: its weights, their running average, and its optimizer."""

from typing import Any

import torch
from torch import Tensor

from nas_isp.generators.architecture import Architecture
from nas_isp.generators.build import assemble, build
from nas_isp.recipe import TrainSettings
from nas_isp.training.averaged_weights import AveragedWeights


class GeneratorState:
    """A generator, the running average of its weights, and Adam.

    Attributes:
        generator: the network that is trained.
        average: the running average of its weights; what is scored and kept.
    """

    def __init__(
        self,
        architecture: Architecture,
        settings: TrainSettings,
        seed: int,
        device: torch.device,
        initial_weights: dict[str, Tensor] | None = None,
    ) -> None:
        torch.manual_seed(seed)
        make = build if settings.initialization == "rendering" else assemble
        self.generator = make(architecture).to(device)
        self.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stubs lack it
        if initial_weights is not None:
            self.generator.load_state_dict(initial_weights)
        self.average = AveragedWeights(self.generator, settings.ema)
        self.parameters = list(self.generator.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=settings.learning_rate, betas=(0.5, 0.9))

    def step(self, gradients: list[Tensor], rate: float) -> None:
        """One step of Adam along the gradients, one a parameter."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on exactly."""
        return {
            "generator": self.generator.state_dict(),
            "averaged": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.generator.load_state_dict(state["generator"])
        self.average.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
