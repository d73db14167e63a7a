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
from nas_isp.raw.classical import render
from nas_isp.raw.demosaic import demosaic_malvar
from nas_isp.raw.levels import subtract_black
from nas_isp.raw.light import AS_SHOT, LightChoice
from nas_isp.raw.light_estimator import COMMON_SENSOR, LightEstimate, infer_light
from nas_isp.raw.saturation import observed_saturation
from nas_isp.raw.sensor import Gains

CHUNK = 32
CAPTURES = 256
UNUSUAL = 0.35
"""Log gains by which a set's light may differ from a common sensor's before the sensor is taken for an unusual one."""

LIGHT_PATCHES = 16
"""Patches of a capture that its light is estimated from."""

Item = TypeVar("Item", bound=np.generic)
Floats = NDArray[np.float32]
Rendering = Callable[..., Tensor]
"""The classical rendering with fixed gains and matrix; takes packed RAW and the other options of `render`."""


def rendering_of(white_balance: Gains, color_matrix: list[list[float]] | None) -> Rendering:
    """The classical rendering with fixed gains and matrix; takes packed RAW and the other options of `render`."""
    matrix = None if color_matrix is None else torch.tensor(color_matrix)
    return partial(render, white_balance=torch.tensor(white_balance), color_matrix=matrix)


def common_color_matrix(raw: RawPatches) -> list[list[float]] | None:
    """The mean of the captures' color matrices, or None where no file has one."""
    known = raw.color_matrix[np.isfinite(raw.color_matrix).all((1, 2))]
    return known.mean(0).tolist() if len(known) else None


def common_white_balance(raw: RawPatches, light: LightChoice = AS_SHOT) -> Gains:
    """One set of gains for all captures: the geometric mean of the as-shot gains, or else of the estimated lights.

    The surer an estimate is the more it weighs. A set far from a common sensor is estimated once more from there, since
    an estimate keeps near to its prior. Where no capture says or shows its light it is a common sensor's.
    """
    if light.given is not None:
        return light.given
    all_captures = captures_of(raw)
    captures = [all_captures[index] for index in spread(len(all_captures), CAPTURES)]
    known = raw.white_balance[[capture[0] for capture in captures]]
    known = known[np.isfinite(known).all(1)]
    if len(known) and light.source != "estimated":
        red, green, blue = np.exp(np.log(known.astype(np.float64)).mean(0)).tolist()
        return red, green, blue
    common = _estimated(raw, captures, COMMON_SENSOR)
    unusual = np.abs(np.log(np.divide(common, COMMON_SENSOR))).max() > UNUSUAL
    return _estimated(raw, captures, common) if unusual else common


def _estimated(raw: RawPatches, captures: list[list[int]], prior: Gains) -> Gains:
    """The mean of the captures' estimated lights in logarithm; the prior where none tells any."""
    found = [one for capture in captures if (one := _inferred(raw, capture, prior)) is not None]
    if not found:
        return prior
    logs, weights = np.log([one.gains for one in found]), np.array([one.deviation for one in found]) ** -2
    red, green, blue = np.exp(np.average(logs, axis=0, weights=weights)).tolist()
    return red, green, blue


def captures_of(raw: RawPatches) -> list[list[int]]:
    """The patches of each file."""
    places: dict[str, list[int]] = {}
    for index, stem in enumerate(raw.stems):
        places.setdefault(stem, []).append(index)
    return list(places.values())


def white_balance_of_patches(raw: RawPatches, common: Gains, light: LightChoice = AS_SHOT) -> Floats:
    """The gains `(N, 3)`, G = 1, of each patch's capture, as far as they can be told.

    As-shot gains are taken as they are. A capture that brings none has its estimated light, for which the common gains
    are the prior; and these where it tells nothing.
    """
    gains = raw.white_balance.copy()
    if light.source == "fixed":
        gains[:] = common
    elif light.source == "estimated":
        gains[:] = np.nan
    for capture in captures_of(raw):
        if not np.isfinite(gains[capture[0]]).all():
            found = _inferred(raw, capture, common)
            gains[capture] = common if found is None else found.gains
    green_one: Floats = gains / gains[:, 1:2]
    return green_one


def _inferred(raw: RawPatches, capture: list[int], prior: Gains) -> LightEstimate | None:
    """The light of a capture by some of its patches; their samples may stop below the described white."""
    some = [capture[at] for at in spread(len(capture), LIGHT_PATCHES)]
    black, white = float(raw.black[some[0]].mean()), float(raw.white[some[0]])
    stops = observed_saturation(raw.packed[some], black, white)
    return infer_light(raw.tensor(some).numpy(), prior, subtract_black(stops, black, white))


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
