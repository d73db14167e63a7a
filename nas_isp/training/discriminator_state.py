"""The discriminators of a training with their optimizer: one step on views of photos and of generated pictures."""

from typing import Any

import torch
from torch import Tensor, nn

from nas_isp.recipe import TrainSettings
from nas_isp.training.discriminators import DenseTextureDiscriminator, build_discriminators, discriminator_loss
from nas_isp.training.feature_views import Views

LONGEST_GRADIENT = 1.0


class DiscriminatorState:
    """Trains the discriminators; between their steps their weights ask for no gradient.

    Where the dense layer is left untrained, as published, its gradient is never set to zero either and goes on counting
    in the length that gradients are clipped to.
    """

    def __init__(self, settings: TrainSettings, shapes: dict[str, tuple[int, int, int]], device: torch.device) -> None:
        self.settings = settings
        self.discriminators = build_discriminators(settings, shapes).to(device).requires_grad_(False)
        untrained = {} if settings.texture.dense_layer_trained else self._dense_parameters()
        trained = [parameter for name, parameter in self.discriminators.named_parameters() if name not in untrained]
        self.optimizer = (
            torch.optim.Adam(trained, lr=settings.discriminator_learning_rate, betas=(0.5, 0.9)) if trained else None
        )

    def step(self, real: Views, fake: Views) -> Tensor:
        """One step of all discriminators; returns the sum of their losses."""
        assert self.optimizer is not None
        self.discriminators.requires_grad_(True)
        losses = [
            discriminator_loss(judge, real[name], fake[name], self.settings.penalty)
            for name, judge in self.discriminators.items()
        ]
        loss = torch.stack(losses).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for judge in self.discriminators.values():
            nn.utils.clip_grad_norm_(judge.parameters(), LONGEST_GRADIENT)
        self.optimizer.step()
        self.discriminators.requires_grad_(False)
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on exactly."""
        lasting = {name: dense.grad for name, dense in self._dense_parameters().items() if dense.grad is not None}
        return {
            "discriminators": self.discriminators.state_dict(),
            "optimizer": self.optimizer.state_dict() if self.optimizer else {},
            "lasting_gradients": {} if self.settings.texture.dense_layer_trained else lasting,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.discriminators.load_state_dict(state["discriminators"])
        if self.optimizer:
            self.optimizer.load_state_dict(state["optimizer"])
        parameters = self._dense_parameters()
        for name, gradient in state["lasting_gradients"].items():
            parameters[name].grad = gradient.to(parameters[name].device)

    def _dense_parameters(self) -> dict[str, nn.Parameter]:
        return {
            f"{name}.dense.{part}": parameter
            for name, judge in self.discriminators.items()
            if isinstance(judge, DenseTextureDiscriminator)
            for part, parameter in judge.dense.named_parameters()
        }
