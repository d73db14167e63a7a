"""Packed pictures on which an exported file is compared with PyTorch."""

from collections.abc import Collection, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.raw.network_input import NetworkInput, balanced, factors_in_light, factors_of
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.readers import read_raw
from nas_isp.raw.saturation import packed_saturation
from nas_isp.raw.sensor import SensorDescription
from nas_isp.raw.synthesis import SyntheticCamera, synthesize_raw

Floats = NDArray[np.float32]

PICTURES = 3
"""RAW files that a file is compared on: enough for a largest error that does not hang on one scene."""

BRIGHT = 4.0
"""Two stops more: most of an ordinary picture is then cut at white."""

SENSOR_INPUT = NetworkInput()

TINT = 1.4
"""Of the red gain and the inverse of the blue one: about from daylight to shade, or to bulbs."""

BELOW_BLACK = 0.05
"""Further below black than noise takes the samples of a dark picture."""


class RealPictures(NamedTuple):
    """The middles of RAW files.

    Attributes:
        pictures: packed `(4, height, width)` each.
        files: where they are from, in the same order.
        left_out: a line about each file that could not be read.
        factors: what each picture's planes are multiplied by before a network sees them, `(3,)`; None for nothing.
    """

    pictures: list[Floats]
    files: list[Path]
    left_out: list[str]
    factors: list[Floats | None]

    @property
    def given(self) -> list[Floats]:
        """The pictures as a network is given them."""
        return [balanced(picture, factors) for picture, factors in zip(self.pictures, self.factors, strict=True)]


def real_pictures(
    there: Sequence[Path],
    height: int,
    width: int,
    sensor: SensorDescription | None = None,
    limit: int = PICTURES,
    unless: Collection[Path] = (),
    shading: bool = True,
    network_input: NetworkInput = SENSOR_INPUT,
) -> RealPictures:
    """The middles of RAW files, packed; smaller pictures are mirrored up to the size.

    A file that cannot be read is left out and another one takes its place.

    Args:
        there: RAW files; `limit` of them, evenly spread, are read.
        height: rows, packed pixels.
        width: columns.
        sensor: description for bare mosaics; None takes the one beside them.
        limit: files at most.
        unless: files not to read, if there are others.
        shading: apply the gain maps that files bring against lens shading.
        network_input: what the network is given of a capture; its factors are those of the whole capture, in its own
            light.

    Raises:
        InputError: no readable RAW file among them.
    """
    files = [file for file in there if file not in unless] or there
    spread = [files[index * len(files) // limit] for index in range(limit)] if len(files) > limit else files
    found = RealPictures([], [], [], [])
    damaged: list[InputError] = []
    for file in (*spread, *(file for file in files if file not in spread)):
        if len(found.pictures) == limit:
            break
        try:
            raw = align_to_rggb(read_raw(file, sensor, shading))
            packed = pack(raw)
            found.factors.append(factors_of(raw, packed, network_input, saturation=packed_saturation(raw)))
            found.pictures.append(_middle(packed, height, width))
            found.files.append(file)
        except InputError as error:
            damaged.append(error)
            found.left_out.append(f"left out: {error}")
    if not found.pictures:
        raise damaged[0]
    return found


def synthetic_pictures(height: int, width: int, seed: int = 0) -> list[Floats]:
    """Packed `(4, height, width)` pictures of a procedural scene: as taken, overexposed, and dark.

    Together they hold noise, clipped highlights and values below black.
    """
    rng = np.random.default_rng(seed)
    scene = synthetic_scene(2 * height, 2 * width, rng)
    as_taken = pack(synthesize_raw(scene, rng, SyntheticCamera(cfa="RGGB")))
    dark = as_taken / np.float32(BRIGHT) - np.float32(BELOW_BLACK)
    return [as_taken, brighter(as_taken), dark]


def factors_in_several_lights(pictures: Sequence[Floats], network_input: NetworkInput) -> list[Floats | None]:
    """Factors for pictures as if they were taken in the light of the training captures, a redder and a bluer one."""
    red, green, blue = network_input.white_balance
    tints = (1.0, 1 / TINT, TINT)
    return [
        factors_in_light(picture, network_input, (red / green * tint, 1.0, blue / green / tint))
        for picture, tint in zip(pictures, cycle(tints), strict=False)
    ]


def brighter(packed: Floats) -> Floats:
    """The picture four times as bright, cut at the white level."""
    picture: Floats = np.minimum(packed * np.float32(BRIGHT), 1)
    return picture


def synthetic_scene(height: int, width: int, rng: np.random.Generator) -> Floats:
    """An sRGB picture `(height, width, 3)` of slopes, waves of many widths, hard edges and a light."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    scene = np.stack([x / width, y / height, 1 - x / width], axis=-1) * 0.5
    for wavelength in (4, 16, 64, 256):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength + phase)
        scene += 0.15 * wave[..., None] * rng.uniform(0.3, 1, 3)
    stripes = ((x // 40 + y // 24) % 2)[..., None]
    light = np.exp(-((x - width / 3) ** 2 + (y - height / 3) ** 2) / (0.02 * height * width))[..., None]
    picture: Floats = np.clip(scene + 0.15 * stripes + light, 0, 1).astype(np.float32)
    return picture


def _middle(packed: Floats, height: int, width: int) -> Floats:
    _, rows, columns = packed.shape
    top, left = max(rows - height, 0) // 2, max(columns - width, 0) // 2
    middle = packed[:, top : top + height, left : left + width]
    missing = ((0, 0), (0, height - middle.shape[1]), (0, width - middle.shape[2]))
    return np.ascontiguousarray(np.pad(middle, missing, mode="symmetric"))
