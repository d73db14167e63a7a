"""RAW patches as networks are given them: in neutral light, metered, or as the sensor gave them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.data.patches import RawPatches
from nas_isp.data.raw_patches import Indices
from nas_isp.raw.network_input import NetworkInput

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class NetworkInputs:
    """RAW patches and what their planes are multiplied by.

    Attributes:
        factors: float32 `(N, 3)`, of R, G and B of each patch.
        kind: what the factors are of.
    """

    raw: RawPatches
    factors: Floats
    kind: NetworkInput

    def tensor(self, indices: Indices, device: torch.device) -> Tensor:
        """What a network is given of some patches, `(B, 4, S/2, S/2)`."""
        return multiplied(self.raw.tensor(indices, device), self.factors[np.asarray(indices, np.intp)])


def network_inputs(raw: RawPatches, gains: Floats, kind: NetworkInput) -> NetworkInputs:
    """The patches with the factors that their captures' gains `(N, 3)` and brightness give."""
    factors = np.ones((len(raw), 3), np.float32)
    for index in range(len(raw)):
        red, green, blue = gains[index].tolist()
        factors[index] = kind.factors(raw.glance[index], (red, green, blue))
    return NetworkInputs(raw, factors, kind)


def multiplied(packed: Tensor, factors: Floats) -> Tensor:
    """Packed planes `(B, 4, h, w)` times factors `(B, 3)` of R, G and B."""
    planes = torch.from_numpy(np.ascontiguousarray(factors[:, [0, 1, 1, 2]])).to(packed.device, non_blocking=True)
    return packed * planes[:, :, None, None]
