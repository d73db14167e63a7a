"""A loss term: the Charbonnier distance (Charbonnier et al., 1994), an L1 distance that is smooth at 0."""

from torch import Tensor

from nas_isp.training.loss_term import LossInputs, LossTerm

SMOOTHED_BELOW = 1e-3


def charbonnier(inputs: LossInputs) -> Tensor:
    """Of generated pictures to their content references."""
    return ((inputs.generated - inputs.references).square() + SMOOTHED_BELOW**2).sqrt().mean()


CHARBONNIER = LossTerm(charbonnier)
