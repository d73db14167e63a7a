"""Keeps the best weights of a training by the score that is known for it."""

from typing import Any

from torch import Tensor, nn

from nas_isp.recipe import TrainSettings
from nas_isp.training.scoring import TrainOutcome

FEWEST_STEPS_BETWEEN = 20


class BestWeights:
    """The best weights seen so far, and when to look again.

    Attributes:
        outcome: score of the best weights, None before the first.
        weights: those weights, on the host.
    """

    def __init__(self, settings: TrainSettings) -> None:
        self._begin, self._steps = settings.warm_start.steps, settings.steps
        self._every = max(FEWEST_STEPS_BETWEEN, -(-settings.steps // max(settings.selections, 1)))
        self._wanted = settings.selections > 0 and settings.steps > 0
        self.outcome: TrainOutcome | None = None
        self.weights: dict[str, Tensor] = {}
        self._looked_at = -1

    def is_due(self, step: int, last: bool = False) -> bool:
        """Whether to score the weights after so many steps: at the first adversarial step, at times, and last."""
        done = step - self._begin
        if not self._wanted or done < 0 or step == self._looked_at:
            return False
        return last or done % self._every == 0 or done == self._steps

    def consider(self, outcome: TrainOutcome, network: nn.Module) -> None:
        """Keep the network's weights if they score higher than those kept."""
        self._looked_at = outcome.step
        if self.outcome is None or outcome.quality > self.outcome.quality:
            self.outcome = outcome
            self.weights = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on exactly."""
        outcome = self.outcome
        kept = None if outcome is None else {"step": outcome.step, **outcome.to_dict()}
        return {"outcome": kept, "weights": self.weights, "looked_at": self._looked_at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self._looked_at, self.weights = state["looked_at"], state["weights"]
        self.outcome = None if state["outcome"] is None else TrainOutcome.of_dict(state["outcome"])
