"""LibRaw's own rendering of a camera file, to set beside a model's."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.quiet import without_native_lines
from nas_isp.raw.camera_files import libraw_source
from nas_isp.raw.image import RawImage
from nas_isp.raw.orientation import as_meant
from nas_isp.raw.packing import align_to_rggb

if TYPE_CHECKING:
    from rawpy import RawPy

Level = TypeVar("Level", bound=np.unsignedinteger[Any])

Gamma = tuple[float, float]
"""The power of a curve and its slope near black."""

SRGB_GAMMA: Gamma = (2.4, 12.92)
"""LibRaw's default is the curve of BT.709; the picture is saved as sRGB."""

DEFAULT_GAMMA: Gamma = (2.222, 4.5)
"""LibRaw's own: darker than sRGB, and so nearer to what cameras make."""


def render_by_libraw(level: type[Level], raw: RawImage, gamma: Gamma = SRGB_GAMMA) -> NDArray[Level]:
    """LibRaw's rendering (AHD, as-shot white balance, its automatic brightness) of the pixels that a model develops.

    Args:
        level: uint8 for values 0..255, uint16 for 0..65535.
        raw: as read from a camera file, which is read again. Where the file says no white balance LibRaw's automatic
            one is taken.
        gamma: of the picture.

    Raises:
        InputError: the file cannot be read any more.
    """
    import rawpy

    try:
        with without_native_lines(), rawpy.imread(libraw_source(Path(raw.source))) as file:
            gains = raw.white_balance  # ours, since LibRaw has none where a DNG file says a chromaticity
            levels = _with_our_mosaic(file, raw) if raw.applied or raw.mosaic.dtype != np.uint16 else {}
            rgb = file.postprocess(
                demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD,
                user_wb=None if gains is None else [gains[0], gains[1], gains[2], gains[1]],
                use_auto_wb=gains is None,
                gamma=gamma,
                output_color=rawpy.ColorSpace.sRGB,
                output_bps=8 * np.dtype(level).itemsize,
                user_flip=0,
                **levels,
            )
    except (rawpy.LibRawError, OSError) as error:
        raise InputError(
            f"{raw.source}: cannot be rendered by LibRaw ({error}); develop without the comparison", "compare"
        ) from error
    aligned = align_to_rggb(raw)
    height, width = aligned.mosaic.shape
    top, left = (raw.mosaic.shape[0] - height) // 2, (raw.mosaic.shape[1] - width) // 2
    return as_meant(rgb[top : top + height, left : left + width].astype(level, copy=False), aligned)


def _with_our_mosaic(file: "RawPy", raw: RawImage) -> dict[str, Any]:
    """Put a mosaic that was corrected for the file into LibRaw's place of it; gives the levels that hold for it."""
    visible = file.raw_image_visible
    height, width = raw.mosaic.shape
    visible[:height, :width] = np.clip(np.rint(raw.mosaic), 0, 65535).astype(np.uint16)
    sites = [int(index) for index in np.asarray(file.raw_pattern).ravel()]
    lowest = round(min(raw.black))
    black = [0, 0, 0, 0]
    for index, level in zip(sites, raw.black, strict=True):
        black[index] = round(level) - lowest
    return {"user_black": lowest, "user_cblack": black, "user_sat": round(raw.white)}


def libraw_name() -> str:
    """Name and version, for messages and the saved picture."""
    import rawpy

    return f"LibRaw {'.'.join(map(str, rawpy.libraw_version))} (AHD)"
