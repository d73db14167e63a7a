"""Scenes of known places, and DNG files that hold the camera's own JPEG of them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from nas_isp.raw.orientation import upright
from tests.dng_files import CFA_BYTES, XYZ_TO_CAMERA, fractions

Floats = NDArray[np.float64]

COMPRESSION, PHOTOMETRIC, STRIP_BYTES, PREVIEW_COLOR_SPACE = 259, 262, 279, 50970
JPEG_COMPRESSION, YCBCR = 7, 6
SAMPLES = 3
"""A side of a pixel, over which its light is averaged."""


HEIGHT, WIDTH = 240, 320
SIZE = (160, 120)
FLIP_OF = {1: 0, 3: 3, 6: 6, 8: 5}
"""Of captures, their previews (width, height), and LibRaw's codes of EXIF's orientations."""


class Scene:
    """A picture that is defined everywhere: colored bars with soft ends and blobs, of `(x, y)` from 0 to 1."""

    def __init__(self, seed: int = 0, parts: int = 60) -> None:
        rng = np.random.default_rng(seed)
        self.centers, self.colors = rng.uniform(0, 1, (parts, 2)), rng.uniform(-0.5, 0.5, (parts, 3))
        self.sizes, self.angles = rng.uniform(0.01, 0.12, (parts, 2)), rng.uniform(0, np.pi, parts)

    def light(self, x: Floats, y: Floats) -> Floats:
        """Values 0..1 `(..., 3)`."""
        total = np.full((*x.shape, 3), 0.45)
        for center, color, size, angle in zip(self.centers, self.colors, self.sizes, self.angles, strict=True):
            along = (x - center[0]) * np.cos(angle) + (y - center[1]) * np.sin(angle)
            beside = (y - center[1]) * np.cos(angle) - (x - center[0]) * np.sin(angle)
            inside = 0.5 - 0.5 * np.tanh((np.maximum(abs(along) / size[0], abs(beside) / size[1]) - 1) * 6)
            total += inside[..., None] * color
        return np.clip(total, 0.02, 0.98)

    def picture(self, rows: Floats, columns: Floats, bend: float = 0.0) -> Floats:
        """Pixels whose edges lie at these places of the scene `(h + 1,)`, `(w + 1,)`, each the mean of many samples.

        With `bend`, a point at the share r of the way to the corner is 1 + bend r^2 times as far from the middle.
        """
        inner = (np.arange(SAMPLES) + 0.5) / SAMPLES
        y = (rows[:-1, None] + np.diff(rows)[:, None] * inner).ravel()[:, None]
        x = (columns[:-1, None] + np.diff(columns)[:, None] * inner).ravel()[None, :]
        y, x = np.broadcast_arrays(y, x)
        middle = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
        down, across = y - middle[0], x - middle[1]
        tall, wide = rows[-1] - rows[0], columns[-1] - columns[0]
        stretch = 1 + bend * (down**2 + across**2) * 4 / (tall**2 + wide**2)
        found = self.light(middle[1] + across * stretch, middle[0] + down * stretch)
        height, width = len(rows) - 1, len(columns) - 1
        return found.reshape(height, SAMPLES, width, SAMPLES, 3).mean((1, 3))


def edges(start: float, step: float, count: int) -> Floats:
    """Of pixels in a row."""
    return start + step * np.arange(count + 1)


def levels(values: Floats) -> NDArray[np.uint8]:
    """8-bit levels of 0..1."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def jpeg_of(pixels: NDArray[np.uint8], **how: Any) -> bytes:
    """A JPEG file of a picture."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, **how)
    return buffer.getvalue()


def mosaic_of(linear: Floats, black: int = 60, white: int = 1023, gains: tuple[float, ...] = (0.5, 1.0, 0.6)) -> Any:
    """An RGGB mosaic of linear colors `(H, W, 3)`, of a camera that sees them times `gains`."""
    seen = black + (white - black) * np.asarray(linear) * np.array(gains)
    mosaic = seen[..., 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = seen[::2, ::2, 0], seen[1::2, 1::2, 2]
    return np.rint(mosaic).astype(np.uint16)


def write_dng_with_preview(
    path: Path,
    mosaic: NDArray[np.uint16],
    jpeg: bytes,
    size: tuple[int, int],
    orientation: int = 1,
    color_space: int | None = None,
) -> Path:
    """A DNG file with a JPEG of `size` (width, height) in a directory of its own, `color_space` as its color space."""
    width, height = size
    assert len(jpeg) <= 3 * width * height
    tags: list[tuple[Any, ...]] = [
        (50706, "B", 4, (1, 4, 0, 0), True),
        (50708, "s", 0, "Test camera", True),
        (50714, "H", 1, 60, True),
        (50717, "H", 1, 1023, True),
        (50721, "2i", 9, fractions(XYZ_TO_CAMERA), True),
        (50728, "2I", 3, (50, 100, 100, 100, 60, 100), True),
        (274, "H", 1, orientation, True),
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, CFA_BYTES["RGGB"], True),
    ]
    said = [] if color_space is None else [(PREVIEW_COLOR_SPACE, "I", 1, color_space, True)]
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(mosaic, photometric=32803, extratags=tags, metadata=None, subifds=1)
        room = np.zeros((height, width, 3), np.uint8)
        tiff.write(room, photometric="rgb", metadata=None, subfiletype=1, rowsperstrip=height, extratags=said)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        page = tiff.pages[0].pages[0]
        page.tags[COMPRESSION].overwrite(JPEG_COMPRESSION)
        page.tags[PHOTOMETRIC].overwrite(YCBCR)
        page.tags[STRIP_BYTES].overwrite(len(jpeg))
        tiff.filehandle.seek(page.dataoffsets[0])
        tiff.filehandle.write(jpeg)
    return path


def scene_light(scene: Scene, height: int, width: int) -> NDArray[Any]:
    """Linear colors of the whole scene, and the sRGB that shows them as `render` does with an identity matrix."""
    return scene.picture(edges(0, 0.75 / height, height), edges(0, 1 / width, width))


def encoded(light: NDArray[Any]) -> NDArray[Any]:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def write_capture(path: Path, orientation: int = 1, sensor_way: bool = False, seed: int = 0, gain: float = 1.0) -> Path:
    """A capture whose preview shows the upright scene, or the scene as the sensor saw it."""
    scene = Scene(seed)
    mosaic = mosaic_of(scene_light(scene, HEIGHT, WIDTH))
    shown = levels(encoded(scene_light(scene, SIZE[1], SIZE[0]) * gain))
    pixels = shown if sensor_way else upright(shown, FLIP_OF[orientation])
    return write_dng_with_preview(path, mosaic, jpeg_of(pixels), (pixels.shape[1], pixels.shape[0]), orientation)
