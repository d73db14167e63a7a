"""The content references of arXiv 2505.10420 and of its NTIRE 2026 baseline, for comparison with ours.

Both leave the black level in, know no color matrix and stretch every patch to its own extremes.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nas_isp.data.patches import RawPatches
from nas_isp.preparation.content_reference import chunks, to_bytes
from nas_isp.raw.menon import demosaic_menon

FIXED_GAINS = (1.6, 1.2, 1.4)
GAMMA = 2.2


def published_pictures(raw: RawPatches, gray_world: bool, pictures: NDArray[np.uint8]) -> None:
    """Fill `(N, 3, S, S)` with the references of all patches, as bytes.

    Args:
        gray_world: as in the NTIRE baseline, cells of four samples and gray-world gains a patch, enlarged; else as in
            the paper's code, Menon's demosaicing and fixed gains.
    """
    render = gray_world_reference if gray_world else fixed_gain_reference
    for part in chunks(np.arange(len(raw))):
        values = torch.from_numpy(raw.packed[part].astype(np.float32))
        white = torch.from_numpy(raw.white[part])[:, None, None, None]
        pictures[part] = to_bytes(render(values / white))


def fixed_gain_reference(planes: Tensor) -> Tensor:
    """sRGB-like pictures `(B, 3, 2h, 2w)` of RGGB planes `(B, 4, h, w)`, values divided by the white level."""
    return _stretched(demosaic_menon(planes) * planes.new_tensor(FIXED_GAINS).view(1, 3, 1, 1))


def gray_world_reference(planes: Tensor) -> Tensor:
    """The same with the gains that make each patch's mean gray, at half the resolution and enlarged."""
    cells = torch.stack((planes[:, 0], (planes[:, 1] + planes[:, 2]) / 2, planes[:, 3]), 1)
    means = cells.mean((2, 3), keepdim=True).clamp_min(1e-6)
    return functional.interpolate(_stretched(cells * means[:, 1:2] / means), scale_factor=2.0, mode="bilinear")


def _stretched(linear: Tensor) -> Tensor:
    """Clipped, each picture stretched from its least to its largest value, and encoded by a power."""
    linear = linear.clamp(0, 1)
    low, high = linear.amin((1, 2, 3), keepdim=True), linear.amax((1, 2, 3), keepdim=True)
    return ((linear - low) / (high - low).clamp_min(1e-6)).clamp(0, 1) ** (1 / GAMMA)
