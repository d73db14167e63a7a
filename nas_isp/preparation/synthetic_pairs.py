"""Photos with RAW that a fitted camera could have taken of them: true pairs for a training that was given none."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.data.patches import PhotoPatches
from nas_isp.data.sampling import RAW_STREAM, step_indices
from nas_isp.preparation.content_reference import spread
from nas_isp.raw.image import RawImage
from nas_isp.raw.levels import subtract_black
from nas_isp.raw.packing import pack_values
from nas_isp.raw.synthesis import SyntheticCamera, synthesize_raw

TEST_PAIRS = 48


@dataclass(frozen=True)
class SyntheticPairs:
    """RAW of photo patches, made once, with the photos as wanted pictures.

    Attributes:
        packed: uint16 `(N, 4, S/2, S/2)` in the levels of `camera`; row i belongs to photo patch i.
        seed: of the order in which they are seen.
    """

    packed: NDArray[np.uint16]
    photos: PhotoPatches
    camera: SyntheticCamera
    seed: int

    def batch(self, step: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Packed RAW `(B, 4, h, w)` and its photos `(B, 3, 2h, 2w)`, a function of seed and step alone."""
        indices = step_indices(RAW_STREAM, len(self.packed), size, self.seed, step)
        return self.tensor(indices, device), self.photos.tensor(indices, device)

    def test_batch(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Fixed pairs spread over the set, for scoring."""
        return self.tensor(self.test_indices, device), self.photos.tensor(self.test_indices, device)

    @property
    def test_indices(self) -> NDArray[np.intp]:
        """Of the fixed pairs."""
        return spread(len(self.packed), TEST_PAIRS)

    def tensor(self, indices: NDArray[np.intp], device: torch.device) -> Tensor:
        """Packed RAW of photo patches, (value - black) / (white - black), scaled on the device."""
        packed = torch.from_numpy(self.packed[indices]).to(device, torch.float32, non_blocking=True)
        return subtract_black(packed, self.camera.black, self.camera.white)


def synthetic_mosaics(photos: PhotoPatches, camera: SyntheticCamera, seed: int, packed: NDArray[np.uint16]) -> None:
    """Fill `(N, 4, S/2, S/2)` with packed RAW of every photo patch, each taken in its own light, exposure and noise."""
    for index in range(len(photos)):
        raw = synthetic_raw(photos, camera, seed, index)
        packed[index] = pack_values(raw.mosaic, raw.cfa)


def synthetic_raw(photos: PhotoPatches, camera: SyntheticCamera, seed: int, index: int) -> RawImage:
    """The RAW of one photo patch, with the gains of the light that was drawn for it."""
    picture = photos.tensor([index])[0].permute(1, 2, 0).numpy()
    return synthesize_raw(picture, np.random.default_rng([seed, index]), camera)
