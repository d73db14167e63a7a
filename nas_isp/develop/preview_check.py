"""Measures ways to develop pictures against the pictures that the camera itself made of the same captures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nas_isp.data.raw_previews import Preview, read_preview
from nas_isp.develop.evaluate import Developer
from nas_isp.errors import InputError
from nas_isp.evaluation.metrics import Image8, delta_e00, psnr, ssim
from nas_isp.evaluation.registration import NotRegisteredError, Placement, covered, reduced, register
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.classical import render_image
from nas_isp.raw.image import RawImage
from nas_isp.raw.libraw_rendering import DEFAULT_GAMMA, Gamma, render_by_libraw
from nas_isp.raw.orientation import upright
from nas_isp.raw.readers import read_raw

CLASSICAL, LIBRAW = "classical", "LibRaw"

MOST_SIDE = 1024
"""A larger preview is reduced by a whole factor: colors and tones are measured, not the finest detail, in which lens
corrections and sharpening would count more."""

USUAL_CAPTURES, USUAL_PIXELS = 8, 1e8
"""So many captures, and of large ones so many pixels, tell what a training is worth."""


@dataclass(frozen=True)
class PreviewScores:
    """How near a picture is to the camera's: PSNR in dB, SSIM, mean CIEDE2000."""

    psnr: float
    ssim: float
    delta_e00: float


@dataclass(frozen=True)
class CameraPicture:
    """The camera's picture of a capture.

    Attributes:
        pixels: sRGB, uint8 `(h, w, 3)`, upright.
        placement: of it in a developed picture.
        shape: rows and columns of the developed picture.
    """

    pixels: Image8
    placement: Placement
    shape: tuple[int, int]

    def scores(self, picture: Image8) -> PreviewScores:
        """Of a developed picture `(H, W, 3)`, reduced to the camera's by means over areas.

        Raises:
            ValueError: a picture of another size than the one in which the camera's was placed.
        """
        if picture.shape[:2] != self.shape:
            raise ValueError(f"a picture of {picture.shape[:2]} where {self.shape} was expected")
        size = (self.pixels.shape[0], self.pixels.shape[1])
        part = _inner(covered(self.placement, self.shape, size))
        ours = np.rint(reduced(picture, self.placement, size)[part]).astype(np.uint8)
        theirs = np.ascontiguousarray(self.pixels[part])
        return PreviewScores(psnr(ours, theirs), ssim(ours, theirs), delta_e00(ours, theirs))


@dataclass(frozen=True)
class PreviewReport:
    """Scores against the camera's pictures.

    Attributes:
        captures: names of the files that were measured.
        rows: scores by way to develop, a value for each capture.
        left_out: why captures were not measured, a line each.
    """

    captures: tuple[str, ...]
    rows: dict[str, tuple[PreviewScores, ...]]
    left_out: tuple[str, ...] = ()

    def mean(self, name: str) -> PreviewScores:
        """Of a row over the captures."""
        return PreviewScores(*np.mean([list(asdict(one).values()) for one in self.rows[name]], axis=0).tolist())

    def below(self, name: str, than: str = CLASSICAL) -> tuple[int, int]:
        """In how many captures a row is worse than another: by PSNR, and by CIEDE2000."""
        pairs = list(zip(self.rows[name], self.rows[than], strict=True))
        return sum(a.psnr < b.psnr for a, b in pairs), sum(a.delta_e00 > b.delta_e00 for a, b in pairs)

    def verdict(self, name: str) -> str:
        """A line: the means of a row, those of the classical rendering, and in how many captures it is worse."""
        ours, classical = self.mean(name), self.mean(CLASSICAL)
        by_psnr, by_color = self.below(name)
        is_worse = ours.psnr < classical.psnr or ours.delta_e00 > classical.delta_e00
        warning = "; WORSE than the classical rendering" if is_worse else ""
        return (
            f"against the camera's pictures of {len(self.captures)} captures: {ours.psnr:.2f} dB, CIEDE2000 "
            f"{ours.delta_e00:.2f}; classical rendering {classical.psnr:.2f} dB, {classical.delta_e00:.2f}; below it "
            f"in {by_psnr} by PSNR, in {by_color} by CIEDE2000{warning}"
        )

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        means = {name: asdict(self.mean(name)) for name in self.rows}
        each = {
            capture: {name: asdict(row[at]) for name, row in self.rows.items()}
            for at, capture in enumerate(self.captures)
        }
        return {"captures": len(self.captures), **means, "each": each, "left_out": list(self.left_out)}


def measure_previews(
    files: Sequence[Path],
    developers: Mapping[str, Developer],
    most: int | None = None,
    most_pixels: float = math.inf,
    shading: bool = True,
    progress: ReportsProgress = unseen,
) -> PreviewReport:
    """Develop captures and compare with the camera's pictures in their files.

    Args:
        files: RAW files; those without a preview, and bare mosaics, are passed over.
        developers: ways to develop, by name; see `renderings` for those without a network.
        most: measure at most so many captures, spread evenly over the files.
        most_pixels: measure no further capture once so many pixels were developed.
        shading: apply the gain maps that RAW files bring against lens shading.
        progress: told (captures done, captures).

    Returns:
        No captures where no file has a preview that fits.

    Raises:
        InputError: a developer cannot develop a capture.
    """
    chosen = _spread(files, most)
    names: list[str] = []
    scores: list[list[PreviewScores]] = []
    left_out: list[str] = []
    pixels = 0
    for done, file in enumerate(chosen):
        progress(done, len(chosen))
        preview = read_preview(file)
        if preview is None or (names and pixels > most_pixels):
            continue
        try:
            raw = read_raw(file, shading=shading)
            camera = camera_picture(raw, preview)
        except InputError as error:
            left_out.append(str(error))
            continue
        names.append(file.name)
        pixels += raw.mosaic.size
        scores.append([camera.scores(develop(raw)) for develop in developers.values()])
    rows = {name: tuple(one[at] for one in scores) for at, name in enumerate(developers)}
    return PreviewReport(tuple(names), rows, tuple(left_out))


def camera_picture(raw: RawImage, preview: Preview) -> CameraPicture:
    """Turn the camera's picture upright and find where it lies in developed ones.

    Raises:
        InputError: it shows something else than the capture.
    """
    picture = render_image(raw, "bilinear", auto_exposure=True)
    reason = ""
    for flip in dict.fromkeys((preview.flip, 0, raw.flip)):  # cameras turn the pixels, or only say how to
        pixels = _at_most(upright(preview.pixels, flip), MOST_SIDE)
        try:
            placement = register(picture, pixels)
        except NotRegisteredError as error:
            reason = reason or str(error)
            continue
        return CameraPicture(pixels, placement, (picture.shape[0], picture.shape[1]))
    raise InputError(f"{raw.source}: its preview does not fit the capture ({reason}); it is not measured")


def renderings(gamma: Gamma = DEFAULT_GAMMA) -> dict[str, Developer]:
    """The ways without a network: our classical rendering and LibRaw's, both in the light that the file says.

    Args:
        gamma: LibRaw's curve. Its own makes pictures like a camera's; that of sRGB shows colors as they are.
    """
    return {CLASSICAL: render_image, LIBRAW: lambda raw: render_by_libraw(np.uint8, raw, gamma)}


def _spread(files: Sequence[Path], most: int | None) -> Sequence[Path]:
    """At most so many, evenly over all."""
    if most is None or len(files) <= most:
        return files
    return [files[at * len(files) // most] for at in range(most)]


def _at_most(pixels: Image8, most_side: int) -> Image8:
    """Reduced by a whole factor to at most so many pixels a side."""
    factor = -(-max(pixels.shape[:2]) // most_side)
    if factor <= 1:
        return pixels
    height, width = (side // factor for side in pixels.shape[:2])
    blocks = pixels[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return np.rint(blocks.mean((1, 3))).astype(np.uint8)


def _inner(inside: Any) -> tuple[slice, slice]:
    """Rows and columns of which nearly all pixels are inside."""
    rows, columns = (np.flatnonzero(inside.mean(axis) > 0.5) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
