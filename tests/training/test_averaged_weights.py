"""The running average of a generator's weights, by hand."""

import torch
from torch import nn

from nas_isp.training.averaged_weights import AveragedWeights


def _layer(weight: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, weight)
    return layer


def _weight(average: AveragedWeights) -> float:
    (parameter,) = average.network.parameters()
    return float(parameter)


def test_the_average_keeps_its_decay_and_takes_the_rest() -> None:
    average = AveragedWeights(_layer(1.0), decay=0.75)
    average.follow(_layer(5.0))
    assert _weight(average) == 0.75 * 1.0 + 0.25 * 5.0
    average.follow(_layer(0.0))
    assert _weight(average) == 1.5


def test_it_is_a_copy_that_asks_for_no_gradient() -> None:
    layer = _layer(1.0)
    average = AveragedWeights(layer, decay=0.5)
    with torch.no_grad():
        layer.weight.fill_(9.0)
    assert _weight(average) == 1.0
    assert not any(parameter.requires_grad for parameter in average.network.parameters())


def test_a_restart_takes_the_present_weights_and_a_state_goes_on_with_the_average() -> None:
    average, again = AveragedWeights(_layer(1.0), decay=0.5), AveragedWeights(_layer(0.0), decay=0.5)
    average.restart(_layer(3.0))
    assert _weight(average) == 3.0
    again.load_state_dict(average.state_dict())
    again.follow(_layer(5.0))
    assert _weight(again) == 4.0
