"""What a DNG file says of its mosaic in its tags, before any pixel is decoded."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from nas_isp.quiet import without_native_lines
from nas_isp.raw.camera_files import (
    MAX_ASPECT_ERROR,
    libraw_source,
    noise_of,
    plausible_matrix,
    shown_part,
    told_apart,
)
from nas_isp.raw.capture import Capture, capture_of_tags
from nas_isp.raw.dng.color import dng_color
from nas_isp.raw.dng.correction import corrected_levels
from nas_isp.raw.dng.kinds import refuse_other_kinds
from nas_isp.raw.dng.tag_levels import active_area
from nas_isp.raw.dng.tags import DngTags, read_dng_tags
from nas_isp.raw.image import RawHeader
from nas_isp.raw.mosaic_files import MAX_VALUES
from nas_isp.raw.packing import LEAST_SIDE
from nas_isp.raw.sensor import Cfa

if TYPE_CHECKING:
    from rawpy import ImageSizes


def read_camera_header(path: Path, shading: bool = True) -> RawHeader | None:
    """What `read_camera_file` says beside the pixels; None where only decoding tells it, or tells what is wrong.

    Told are whole DNG files whose tags name color filters, levels and a matrix. Of bad pixels the number is not known,
    of the capture no time and no exposure.

    Args:
        path: the file.
        shading: as for `read_camera_file`.

    Raises:
        InputError: a DNG file of another kind than a Bayer mosaic.
    """
    tags = read_dng_tags(path)
    if tags is None:
        return None
    refuse_other_kinds(tags, path)
    capture = capture_of_tags(path)
    sizes = _sizes(path) if _says_all(tags, capture) and tags.data_end <= path.stat().st_size else None
    return None if sizes is None else _header(path, tags, capture, sizes, shading)


def _says_all(tags: DngTags, capture: Capture) -> bool:
    """Whether LibRaw would add nothing: it knows some cameras, and reads data in the form of some makers."""
    levels = tags.black_pattern is not None and tags.white_level is not None
    light = tags.as_shot_neutral is not None or tags.as_shot_white_xy is not None
    added = capture.has_maker_note and not (light and capture.lens)
    return levels and tags.cfa_repeat == (2, 2) and not added


def _sizes(path: Path) -> "ImageSizes | None":
    """LibRaw's, which it knows before it decodes."""
    import rawpy

    try:
        with without_native_lines(), rawpy.imread(libraw_source(path)) as raw:
            sizes = raw.sizes
            if raw.num_colors != 3 or raw.color_desc != b"RGBG" or abs(sizes.pixel_aspect - 1) > MAX_ASPECT_ERROR:
                return None
            return sizes
    except (rawpy.LibRawError, OSError, ValueError, MemoryError):
        return None


def _header(path: Path, tags: DngTags, capture: Capture, sizes: "ImageSizes", shading: bool) -> RawHeader | None:
    size = (sizes.height // 2 * 2, sizes.width // 2 * 2)
    corner = (sizes.top_margin, sizes.left_margin)
    color, cfa = dng_color(tags), _cfa(tags, corner)
    matrix, of_daylight = color.color_matrix, color.sensor_matrix
    stored = (sizes.raw_height, sizes.raw_width)
    unfit = stored != (tags.height, tags.width) or stored[0] * stored[1] > MAX_VALUES or min(size) < LEAST_SIDE
    if unfit or cfa is None or matrix is None or of_daylight is None:
        return None
    levels = corrected_levels(tags, corner, size, (0.0, 0.0, 0.0, 0.0), 0.0, shading)
    if levels.white <= max(levels.black):
        return None
    return RawHeader(
        size=size,
        cfa=cfa,
        black=levels.black,
        white=levels.white,
        white_balance=color.white_balance,
        color_matrix=plausible_matrix(matrix),
        flip=int(sizes.flip),
        crop=shown_part(sizes, *size),
        capture=told_apart(capture, tags),
        source=str(path),
        noise=noise_of(tags),
        applied=levels.applied,
        left=levels.left,
        sensor_matrix=plausible_matrix(of_daylight),
    )


def _cfa(tags: DngTags, corner: tuple[int, int]) -> Cfa | None:
    """Colors of the cell at the corner of the mosaic; tags have those at the corner of the active area."""
    pattern = tags.cfa_pattern
    if pattern is None or len(pattern) != 4 or max(pattern) > 2:
        return None
    top, left, _, _ = active_area(tags)
    cell = np.roll(np.array(pattern).reshape(2, 2), (top - corner[0], left - corner[1]), axis=(0, 1))
    name = "".join("RGB"[color] for color in cell.ravel())
    return next((known for known in get_args(Cfa) if known == name), None)
