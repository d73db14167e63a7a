"""What a trained model says about the sensor it was made for."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nas_isp.evaluation.neutral import neutral_gains
from nas_isp.preparation.prepared import Prepared
from nas_isp.raw.sensor import SensorDescription


def bundle_sensor(prepared: Prepared, network: nn.Module, device: torch.device) -> SensorDescription:
    """The sensor of the training RAW, the mean color matrix of its captures, and the network's neutral light.

    Gains are the captures' average; of a network that takes RAW as the sensor gives it they are those under which it
    renders gray as gray, where there is such a light.
    """

    def render(packed: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            rgb: NDArray[np.float32] = network(torch.from_numpy(packed)[None].to(device))[0].cpu().numpy()
        return rgb

    baseline, inputs = prepared.baseline, prepared.training.inputs
    gains = baseline.white_balance
    if inputs.kind.kind == "sensor":
        gains = neutral_gains(render, gains) or gains
    matrix = baseline.color_matrix
    rows = None if matrix is None else tuple(tuple(value / sum(row) for value in row) for row in matrix)
    return inputs.raw.sensor.model_copy(update={"white_balance": gains, "color_matrix": rows})
