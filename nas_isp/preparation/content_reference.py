"""The content reference: a capture's white balance; color matrix, exposure and look of the whole set."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.data.patches import PhotoPatches, RawPatches
from nas_isp.evaluation.metrics import to_8_bit
from nas_isp.preparation.look import Look
from nas_isp.raw.classical import render, shades_of_gray
from nas_isp.raw.demosaic import demosaic_malvar

CHUNK = 32
CAPTURES = 256
LIGHT_PATCHES = 16
"""Patches of a capture that its light is estimated from."""

PATCHES_TO_TRUST = 64
"""With so many patches a capture's own light counts as much as that of all together."""

Item = TypeVar("Item", bound=np.generic)
Gains = tuple[float, float, float]
Floats = NDArray[np.float32]
Rendering = Callable[..., Tensor]
"""The classical rendering with fixed gains and matrix; takes packed RAW and the other options of `render`."""


def look_of(white_balance: Gains, color_matrix: list[list[float]] | None) -> Rendering:
    """The classical rendering with fixed gains and matrix; takes packed RAW and the other options of `render`."""
    matrix = None if color_matrix is None else torch.tensor(color_matrix)
    return partial(render, white_balance=torch.tensor(white_balance), color_matrix=matrix)


def common_color_matrix(raw: RawPatches) -> list[list[float]] | None:
    """The mean of the captures' color matrices, or None where no file has one."""
    known = raw.color_matrix[np.isfinite(raw.color_matrix).all((1, 2))]
    return known.mean(0).tolist() if len(known) else None


def common_white_balance(raw: RawPatches) -> Gains:
    """One set of gains for all: the geometric mean over captures of the as-shot gains, or of shades of gray."""
    all_captures = captures_of(raw)
    captures = [all_captures[index] for index in spread(len(all_captures), CAPTURES)]
    known = raw.white_balance[[capture[0] for capture in captures]]
    known = known[np.isfinite(known).all(1)]
    if len(known):
        return _gains(torch.from_numpy(known))
    gains = [
        shades_of_gray(raw.tensor([capture[at] for at in spread(len(capture), LIGHT_PATCHES)])) for capture in captures
    ]
    return _gains(torch.stack(gains))


def captures_of(raw: RawPatches) -> list[list[int]]:
    """The patches of each file."""
    places: dict[str, list[int]] = {}
    for index, stem in enumerate(raw.stems):
        places.setdefault(stem, []).append(index)
    return list(places.values())


def white_balance_of_patches(raw: RawPatches, common: Gains) -> Floats:
    """The gains `(N, 3)` with which each patch's reference is rendered: of its capture, as far as they can be told.

    As-shot gains are taken as they are. A capture that brings none has the common ones, moved towards shades of gray
    of its own by n / (n + 64) in logarithm, n being its patches: a whole photo tells its light, a crop the color of
    its object.
    """
    log_common = torch.tensor(common).log()
    gains = torch.empty(len(raw), 3)
    for capture in captures_of(raw):
        own, trust = torch.from_numpy(raw.white_balance[capture[0]]), 1.0
        if not own.isfinite().all():
            own = shades_of_gray(raw.tensor([capture[at] for at in spread(len(capture), LIGHT_PATCHES)]))
            trust = len(capture) / (len(capture) + PATCHES_TO_TRUST)
        gains[capture] = torch.lerp(log_common, own.log(), trust).exp()
    return (gains / gains[:, 1:2]).numpy()


def _gains(of_captures: Tensor) -> Gains:
    red, green, blue = of_captures.double().log().mean(0).exp().tolist()
    return red, green, blue


def matching_exposure(raw: RawPatches, photos: PhotoPatches, look: Rendering) -> float:
    """The factor, at least 1, that gives the renderings the photos' mean brightness, found by bisection."""
    packed = raw.tensor(spread(len(raw), 64))
    wanted = float(photos.tensor(spread(len(photos), 64)).mean())
    low, high = 1.0, 16.0
    for _ in range(12):
        middle = (low * high) ** 0.5
        brightness = float(look(packed, exposure=middle, demosaic="bilinear").mean())
        low, high = (middle, high) if brightness < wanted else (low, middle)
    return low


def classical_pictures(
    raw: RawPatches, look: Rendering, gains: Floats, exposure: float, pictures: NDArray[np.uint8]
) -> None:
    """Fill `(N, 3, S, S)` with the rendering of every patch with its own gains `(N, 3)`, as bytes."""
    for part in chunks(np.arange(len(raw))):
        balance = torch.from_numpy(gains[part])
        pictures[part] = to_bytes(look(raw.tensor(part), white_balance=balance, exposure=exposure))


def fill_looks(raw: RawPatches, factors: Floats, look: Look, pictures: NDArray[np.uint8]) -> None:
    """Fill `(N, 3, S, S)` with every patch as the look makes it, as bytes."""
    for part in chunks(np.arange(len(raw))):
        pictures[part] = to_bytes(look_pictures(raw.tensor(part), factors[part], look))


def look_pictures(packed: Tensor, factors: Floats, look: Look) -> Tensor:
    """sRGB pictures `(B, 3, 2h, 2w)` of packed RAW `(B, 4, h, w)`, multiplied by factors of R, G and B `(B, 3)`.

    Saturated samples become 1 in every color first, so that they are white.
    """
    planes = torch.from_numpy(np.ascontiguousarray(factors[:, [0, 1, 1, 2]]))[:, :, None, None]
    exposure = planes[:, 1:2]
    colors = demosaic_malvar((packed.clamp(max=1) * (planes / exposure)).clamp(max=1)) * exposure
    pictures = look.picture(colors.transpose(0, 1).numpy())
    return torch.from_numpy(pictures).transpose(0, 1)


def to_bytes(images: Tensor) -> NDArray[np.uint8]:
    """Pictures `(B, 3, H, W)` in 0..1 as bytes, rounded."""
    return to_8_bit(images).transpose(0, 3, 1, 2)


def chunks(array: NDArray[Item]) -> list[NDArray[Item]]:
    """Views of 32 rows each, and of what is left over."""
    return [array[start : start + CHUNK] for start in range(0, len(array), CHUNK)]


def spread(count: int, wanted: int) -> NDArray[np.intp]:
    """At most `wanted` indices, evenly spread over `count`."""
    return np.linspace(0, count - 1, min(count, wanted)).round().astype(np.intp)
