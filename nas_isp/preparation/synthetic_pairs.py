"""Photos with RAW that a fitted camera could have taken of them: true pairs for a training that was given none."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.data.patches import PhotoPatches
from nas_isp.data.sampling import RAW_STREAM, step_indices
from nas_isp.preparation.content_reference import spread
from nas_isp.preparation.look import Look
from nas_isp.preparation.network_inputs import multiplied
from nas_isp.raw.levels import subtract_black
from nas_isp.raw.network_input import MOST_EXPOSURE, NetworkInput, log_brightness
from nas_isp.raw.packing import pack_values
from nas_isp.raw.sensor import Gains
from nas_isp.raw.synthesis import SyntheticCamera, capture_light

Floats = NDArray[np.float32]

TEST_PAIRS = 48

LIGHT_ERROR = 0.06
"""Standard deviation of the natural logarithm of red and blue gains: what a camera's white balance errs by."""

HALVINGS = 16
WHITE_FROM = 0.9
"""Photo value above which a pixel passes to white, and its samples to saturation."""


@dataclass(frozen=True)
class SyntheticPairs:
    """RAW of photo patches, made once, with the photos as wanted pictures.

    Attributes:
        packed: uint16 `(N, 4, S/2, S/2)` in the levels of `camera`; row i belongs to photo patch i.
        gains: float32 `(N, 3)`, the white balance that a camera would tell of each, with its errors, G = 1.
        factors: float32 `(N, 3)`, what a network's input is multiplied by; see `NetworkInputs`.
        seed: of the order in which they are seen.
    """

    packed: NDArray[np.uint16]
    gains: Floats
    factors: Floats
    photos: PhotoPatches
    camera: SyntheticCamera
    seed: int

    def batch(self, step: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Network inputs `(B, 4, h, w)` and their photos `(B, 3, 2h, 2w)`, a function of seed and step alone."""
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
        """What a network is given of photo patches' RAW, scaled on the device."""
        return multiplied(self.unbalanced(indices, device), self.factors[indices])

    def unbalanced(self, indices: NDArray[np.intp], device: torch.device) -> Tensor:
        """Packed RAW of photo patches, (value - black) / (white - black)."""
        packed = torch.from_numpy(self.packed[indices]).to(device, torch.float32, non_blocking=True)
        return subtract_black(packed, self.camera.black, self.camera.white)


def make_synthetic(
    photos: PhotoPatches,
    look: Look,
    camera: SyntheticCamera,
    network_input: NetworkInput,
    seed: int,
    packed: NDArray[np.uint16],
    gains: Floats,
    factors: Floats,
) -> None:
    """Fill the arrays of `SyntheticPairs` with RAW of every photo patch, each in its own light, exposure and noise.

    The photo's look is undone; then a light and an exposure are drawn, such that the network's input is what the look
    asks for but for the errors of white balance and metering.
    """
    for index in range(len(photos)):
        rng = np.random.default_rng([seed, index])
        picture = photos.pixels[index].astype(np.float32) / 255
        whole = look.scene(photos.glance[index].astype(np.float32) / 255)
        drawn = _drawn_light(camera, rng)
        exposure = float(rng.uniform(*camera.exposure)) / metered_exposure(network_input, whole)
        light = look.scene(picture) * (np.float32(exposure) / np.array(drawn, np.float32))[:, None, None]
        if camera.saturates:
            light = _saturated(light, picture)
        raw = capture_light(np.ascontiguousarray(light.transpose(1, 2, 0)), drawn, None, rng, camera)
        packed[index] = pack_values(raw.mosaic, raw.cfa)
        seen = np.minimum(whole * np.float32(exposure) / np.array(drawn, np.float32)[:, None, None], 1)
        errors = np.exp(LIGHT_ERROR * rng.standard_normal(2))
        taken = (drawn[0] * errors[0], 1.0, drawn[2] * errors[1])
        gains[index], factors[index] = taken, network_input.factors(seen[[0, 1, 1, 2]], taken)


def metered_exposure(network_input: NetworkInput, scene: Floats) -> float:
    """The exposure that metering gives the capture of a scene that already has it, balanced colors `(3, n, n)`."""
    low, high = -math.log(MOST_EXPOSURE), math.log(MOST_EXPOSURE)
    if not network_input.slope:
        return 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        taken = scene[[0, 1, 1, 2]] * np.float32(math.exp(-middle))
        given = network_input.slope * (log_brightness(taken, (1.0, 1.0, 1.0)) - network_input.brightness)
        low, high = (middle, high) if given > middle else (low, middle)
    return math.exp((low + high) / 2)


def _drawn_light(camera: SyntheticCamera, rng: np.random.Generator) -> Gains:
    red, blue = camera.lights[rng.integers(len(camera.lights))]
    return red, 1.0, blue


def _saturated(light: Floats, picture: Floats) -> Floats:
    """Light `(3, H, W)` that saturates all colors where the picture is white, all by the same factor on the way."""
    white = np.clip((picture.mean(axis=0) - WHITE_FROM) / (1 - WHITE_FROM), 0, 1) ** 2
    missing = 1 / np.maximum(light.min(axis=0), 1e-3)
    more: Floats = light * (1 + white * np.maximum(missing - 1, 0))
    return more
