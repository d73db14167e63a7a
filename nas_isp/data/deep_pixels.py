"""The values of photos of 16 bits a channel, of which Pillow keeps the upper 8.

Pillow takes the first byte of values that it is told to be big-endian, and the second of little-endian ones. Told the
opposite of the truth, it gives the lower bytes: the same file decoded twice has all bits.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from nas_isp.data.photo_files import opened
from nas_isp.errors import InputError

NATIVE_OPPOSITE = "16B" if np.little_endian else "16L"
OPPOSITE = {"16B": "16L", "16L": "16B", "16N": NATIVE_OPPOSITE}
STRIP_PIXELS = 1 << 20
"""Put together at a time, so that memory does not grow with the photo."""

MODES = ("RGB", "RGBA")
BITS_PER_SAMPLE, PLANAR_CONFIGURATION = 258, 284
SEPARATE = 2


def is_deep(image: Image.Image, path: Path) -> bool:
    """Whether an open photo is one of 16 bits a channel.

    Raises:
        InputError: a TIFF file with a plane of 16 bits for each color, which Pillow takes for one of 8.
    """
    if _opposite(image) is not None:
        return True
    _refuse_planes(image, path)
    return False


def deep_strips(image: Image.Image, path: Path) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """The values `(rows, W, 3 or 4)` of an open photo that `is_deep`, strip by strip, and the first row of each.

    Args:
        image: as it was opened, not read yet; its size is that of the values once it has been.
        path: its file, which is opened again.
    """
    with opened(path) as again:
        setattr(again, "tile", _opposite(again))  # noqa: B010 - of every file that Pillow opens
        again.load()
        image.load()
        rows = max(1, STRIP_PIXELS // image.width)
        for top in range(0, image.height, rows):
            box = (0, top, image.width, min(top + rows, image.height))
            values: NDArray[np.uint16] = np.asarray(image.crop(box)).astype(np.uint16)
            yield top, values << 8 | np.asarray(again.crop(box))


def as_levels(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The same in 8 bits, rounded."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _opposite(image: Image.Image) -> Any:
    """What Pillow is to decode, in the opposite order of bytes; None unless that is RGB of 16 bits."""
    if not isinstance(image, ImageFile) or image.format not in ("PNG", "TIFF") or image.mode not in MODES:
        return None
    turned = []
    for tile in image.tile:
        first, *others = (tile.args,) if isinstance(tile.args, str) else tile.args or ("",)
        mode, _, order = str(first).partition(";")
        if mode != image.mode or order not in OPPOSITE:
            return None
        other = f"{mode};{OPPOSITE[order]}"
        turned.append(tile._replace(args=other if isinstance(tile.args, str) else (other, *others)))
    return turned or None


def _refuse_planes(image: Image.Image, path: Path) -> None:
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None or tags.get(PLANAR_CONFIGURATION) != SEPARATE:
        return
    bits = tags.get(BITS_PER_SAMPLE, (8,))
    if max(bits if isinstance(bits, tuple) else (bits,)) > 8:
        raise InputError(
            f"{path}: a TIFF photo of more than 8 bits with a plane for each color, which is not read; save it "
            "interleaved (PlanarConfiguration 1)"
        )
