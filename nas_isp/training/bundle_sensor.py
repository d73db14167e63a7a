"""What a trained model says about the sensor it was made for."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from nas_isp.evaluation.neutral import neutral_gains
from nas_isp.preparation.prepare import Prepared
from nas_isp.raw.sensor import SensorDescription


def bundle_sensor(prepared: Prepared, network: nn.Module, device: torch.device) -> SensorDescription:
    """The sensor of the training RAW, the mean color matrix of its captures, and the network's neutral light.

    Gains are those under which the network renders gray as gray, or the captures' average where there is no such light.
    """

    def render(packed: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            rgb: NDArray[np.float32] = network(torch.from_numpy(packed)[None].to(device))[0].cpu().numpy()
        return rgb

    record = prepared.record
    gains = neutral_gains(render, record.white_balance) or record.white_balance
    matrix = record.color_matrix
    rows = None if matrix is None else tuple(tuple(value / sum(row) for value in row) for row in matrix)
    return prepared.sensor.model_copy(update={"white_balance": gains, "color_matrix": rows})
