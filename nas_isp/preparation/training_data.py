"""What trainings on one data set learn from, in batches that depend on seed and step alone."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.data.patches import PhotoPatches, UnpairedSampler, as_pictures
from nas_isp.preparation.network_inputs import NetworkInputs
from nas_isp.preparation.synthetic_pairs import SyntheticPairs


class Batch(NamedTuple):
    """The batch of a step.

    Attributes:
        packed: RAW as the network is given it, `(B, 4, S/2, S/2)`.
        wanted: the pictures that it is steered by, sRGB 0..1 `(B, 3, S, S)`.
        photos: target photos, likewise; of other scenes unless the data is paired.
        indices: of the RAW patches `(B,)`, on the host.
    """

    packed: Tensor
    wanted: Tensor
    photos: Tensor
    indices: Tensor


@dataclass(frozen=True)
class TrainingData:
    """RAW patches with their content references, target photos and, where they were asked for, synthetic pairs.

    Attributes:
        references: uint8 `(N, 3, S, S)`, the content reference of each RAW patch; memory-mapped.
        seed: of the order in which patches are seen.
        paired: whether the photo of a RAW patch is the one of equal index.
        synthetic: photos with synthetic RAW of them.
        taught: uint8 `(N, 3, S, S)`, pictures to be steered by instead of the references.
    """

    inputs: NetworkInputs
    photos: PhotoPatches
    references: NDArray[np.uint8]
    seed: int
    paired: bool = False
    synthetic: SyntheticPairs | None = None
    taught: NDArray[np.uint8] | None = None

    def batch(self, step: int, size: int, device: torch.device) -> Batch:
        """The batch of a step, a function of seed and step alone."""
        sampler = UnpairedSampler(len(self.inputs.raw), len(self.photos), size, self.seed)
        raw_indices, photo_indices = sampler.indices(step)
        flips = None if self.paired else sampler.flips(step)
        packed = self.inputs.tensor(raw_indices, device)
        photos = self.photos.tensor(raw_indices if self.paired else photo_indices, device, flips)
        wanted = self.references if self.taught is None else self.taught
        return Batch(packed, as_pictures(wanted[raw_indices], device), photos, torch.as_tensor(raw_indices))
