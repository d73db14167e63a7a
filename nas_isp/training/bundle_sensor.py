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

    Gains are those under which the network renders gray as gray, or the captures' average where there is no such light.
    """

    def render(packed: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            rgb: NDArray[np.float32] = network(torch.from_numpy(packed)[None].to(device))[0].cpu().numpy()
        return rgb

    baseline = prepared.baseline
    gains = neutral_gains(render, baseline.white_balance) or baseline.white_balance
    matrix = baseline.color_matrix
    rows = None if matrix is None else tuple(tuple(value / sum(row) for value in row) for row in matrix)
    return prepared.training.raw.sensor.model_copy(update={"white_balance": gains, "color_matrix": rows})
