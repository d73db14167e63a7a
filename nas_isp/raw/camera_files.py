"""Camera RAW formats through LibRaw."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.quiet import without_native_lines
from nas_isp.raw.capture import capture_of
from nas_isp.raw.dng_tags import read_dng_tags
from nas_isp.raw.image import Crop, RawImage
from nas_isp.raw.levels import Levels
from nas_isp.raw.mosaic_files import MAX_VALUES
from nas_isp.raw.packing import LEAST_SIDE
from nas_isp.raw.sensor import Cfa

if TYPE_CHECKING:
    from rawpy import ImageSizes, RawPy

CAMERA_SUFFIXES = frozenset(
    {
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".k25", ".kdc"),
        *(".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw"),
        ".x3f",
    }
)

Matrix = NDArray[np.floating]
Pattern = NDArray[np.uint8]

XYZ_OF_SRGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""Linear sRGB to CIE XYZ (D65), IEC 61966-2-1."""

MAX_ASPECT_ERROR = 0.01
MAX_MATRIX_ENTRY = 8.0


def read_camera_file(path: Path) -> RawImage:
    """Read the visible area of a camera RAW file.

    As-shot gains stay None where the file has none: LibRaw's daylight gains describe the sensor, not the light.

    Raises:
        InputError: LibRaw cannot decode it, data is missing, or it is no Bayer mosaic with square pixels.
    """
    import rawpy

    try:
        # LibRaw prints about damaged files; the error that is raised says it already.
        with without_native_lines(), rawpy.imread(str(path)) as raw:
            _refuse_size(raw.sizes, path)
            return _convert(raw, path, _bayer_pattern(raw, path))
    except rawpy.LibRawIOError as error:
        raise InputError(f"{path}: ends early or is damaged; give a whole camera RAW file") from error
    except (rawpy.LibRawError, OSError, ValueError, MemoryError) as error:
        first = error.args[0] if error.args else error
        reason = first.decode(errors="replace") if isinstance(first, bytes) else first
        raise InputError(f"{path}: not a camera RAW file that can be decoded ({reason}); give another") from error


def _bayer_pattern(raw: "RawPy", path: Path) -> Pattern:
    """LibRaw's color indices `(2, 2)` at the corner of the visible area."""
    import rawpy

    pattern = raw.raw_pattern
    if raw.raw_type != rawpy.RawType.Flat or pattern is None or pattern.shape != (2, 2):
        raise InputError(f"{path}: Foveon, X-Trans, monochrome or already demosaiced; give a Bayer mosaic")
    colors = raw.color_desc.decode(errors="replace")
    if raw.num_colors != 3 or colors != "RGBG" or _cfa(pattern) not in get_args(Cfa):
        raise InputError(f"{path}: color filters {colors}; give a Bayer mosaic of red, green and blue")
    if abs(raw.sizes.pixel_aspect - 1) > MAX_ASPECT_ERROR:
        raise InputError(f"{path}: pixels with sides 1:{raw.sizes.pixel_aspect:.2f}; only square pixels are read")
    return pattern


def _refuse_size(sizes: "ImageSizes", path: Path) -> None:
    """Before LibRaw takes memory for what a header claims."""
    if sizes.raw_height * sizes.raw_width > MAX_VALUES:
        raise InputError(f"{path}: claims {sizes.raw_width}x{sizes.raw_height} values; at most {MAX_VALUES} are read")


def _convert(raw: "RawPy", path: Path, pattern: Pattern) -> RawImage:
    visible = raw.raw_image_visible
    height, width = visible.shape[0] // 2 * 2, visible.shape[1] // 2 * 2
    if min(height, width) < LEAST_SIDE:
        raise InputError(f"{path}: {visible.shape[1]}x{visible.shape[0]} pixels; at least {LEAST_SIDE}x{LEAST_SIDE}")
    mosaic = np.array(visible[:height, :width], dtype=np.uint16)  # a copy: LibRaw's memory goes away
    levels = _black_of_sites(raw, path, pattern)
    white = float(raw.white_level)
    if white <= max(levels):
        raise InputError(f"{path}: its black level {max(levels):g} is not below its white level {white:g}")
    return RawImage(
        mosaic=mosaic,
        cfa=_cfa(pattern),
        black=levels,
        white=white,
        white_balance=_gains(raw.camera_whitebalance),
        color_matrix=_color_matrix(raw.color_matrix, raw.rgb_xyz_matrix),
        flip=int(raw.sizes.flip),
        crop=_crop(raw.sizes, height, width),
        capture=capture_of(raw, path),
        source=str(path),
    )


def _black_of_sites(raw: "RawPy", path: Path, pattern: Pattern) -> Levels:
    """Black level of the sites (0,0), (0,1), (1,0), (1,1) of the visible area.

    The black levels of a DNG file are counted from the corner of its active area. LibRaw begins at an even row and
    column within it, and counts from there.
    """
    levels = np.array([raw.black_level_per_channel[index] for index in pattern.ravel()], np.float64).reshape(2, 2)
    tags = read_dng_tags(path) if np.ptp(levels) else None
    corner = None if tags is None or tags.active_area is None else tags.active_area[:2]
    if corner is not None:
        levels = np.roll(levels, (raw.sizes.top_margin - corner[0], raw.sizes.left_margin - corner[1]), axis=(0, 1))
    first, second, third, fourth = levels.ravel().tolist()
    return first, second, third, fourth


def _crop(sizes: "ImageSizes", height: int, width: int) -> Crop | None:
    """The part of the visible area `(height, width)` that the camera means to be shown; None for all of it.

    LibRaw counts its margins from the corner of the whole sensor, and has zeros where a file says nothing. Files
    exist with a crop that does not lie in the visible area; they are shown whole.
    """
    top, left = sizes.crop_top_margin - sizes.top_margin, sizes.crop_left_margin - sizes.left_margin
    tall, wide = min(sizes.crop_height, height - top), min(sizes.crop_width, width - left)
    if min(top, left) < 0 or min(tall, wide) < 4 or 2 * tall < height or 2 * wide < width:
        return None
    return None if (tall, wide) == (height, width) else (top, left, tall, wide)


def _cfa(pattern: Pattern) -> Cfa:
    """Colors of LibRaw's indices, where 1 and 3 are both green."""
    name: Cfa = "".join("RGBG"[index] for index in pattern.ravel())  # type: ignore[assignment]
    return name


def _gains(as_shot: list[float]) -> tuple[float, float, float] | None:
    """As-shot gains with G = 1; None where the file has none."""
    red, green, blue = as_shot[:3]
    if not all(math.isfinite(gain) and gain > 0 for gain in (red, green, blue)):
        return None
    return (red / green, 1.0, blue / green)


def _color_matrix(camera_to_srgb: Matrix, xyz_to_camera: Matrix) -> NDArray[np.float32] | None:
    """White-balanced camera RGB to linear sRGB with rows that sum to 1, or None without a plausible one.

    Args:
        camera_to_srgb: `(3, 4)` from the file (DNG); zeros if it has none.
        xyz_to_camera: `(4, 3)` from LibRaw's table of cameras; zeros for an unknown one.
    """
    if xyz_to_camera[:3].any():
        matrix = _rows_to_one(xyz_to_camera[:3] @ XYZ_OF_SRGB)
        matrix = None if matrix is None or abs(np.linalg.det(matrix)) < 1e-3 else np.linalg.inv(matrix)
    else:
        matrix = camera_to_srgb[:, :3]
    matrix = None if matrix is None else _rows_to_one(matrix)
    if matrix is None or np.abs(matrix).max() > MAX_MATRIX_ENTRY or np.diag(matrix).min() <= 0:
        return None
    return matrix.astype(np.float32)


def _rows_to_one(matrix: Matrix) -> Matrix | None:
    sums = matrix.sum(axis=1, keepdims=True)
    if not np.isfinite(matrix).all() or sums.min() < 1e-3:
        return None
    return matrix / sums
