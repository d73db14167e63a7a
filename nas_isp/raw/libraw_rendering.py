"""LibRaw's own rendering of a camera file, to set beside a model's."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.quiet import without_native_lines
from nas_isp.raw.image import RawImage
from nas_isp.raw.orientation import as_meant
from nas_isp.raw.packing import align_to_rggb

Level = TypeVar("Level", bound=np.unsignedinteger[Any])

SRGB_GAMMA = (2.4, 12.92)
"""LibRaw's default is the curve of BT.709; the picture is saved as sRGB."""


def render_by_libraw(level: type[Level], raw: RawImage) -> NDArray[Level]:
    """LibRaw's rendering (AHD, as-shot white balance, its automatic brightness) of the pixels that a model develops.

    Args:
        level: uint8 for values 0..255, uint16 for 0..65535.
        raw: as read from a camera file, which is read again. Where the file says no white balance LibRaw's automatic
            one is taken.

    Raises:
        InputError: the file cannot be read any more.
    """
    import rawpy

    try:
        with without_native_lines(), rawpy.imread(raw.source) as file:
            known = raw.white_balance is not None
            rgb = file.postprocess(
                demosaic_algorithm=rawpy.DemosaicAlgorithm.AHD,
                use_camera_wb=known,
                use_auto_wb=not known,
                gamma=SRGB_GAMMA,
                output_color=rawpy.ColorSpace.sRGB,
                output_bps=8 * np.dtype(level).itemsize,
                user_flip=0,
            )
    except (rawpy.LibRawError, OSError) as error:
        raise InputError(
            f"{raw.source}: cannot be rendered by LibRaw ({error}); develop without the comparison", "compare"
        ) from error
    aligned = align_to_rggb(raw)
    height, width = aligned.mosaic.shape
    top, left = (raw.mosaic.shape[0] - height) // 2, (raw.mosaic.shape[1] - width) // 2
    return as_meant(rgb[top : top + height, left : left + width].astype(level, copy=False), aligned)


def libraw_name() -> str:
    """Name and version, for messages and the saved picture."""
    import rawpy

    return f"LibRaw {'.'.join(map(str, rawpy.libraw_version))} (AHD)"
