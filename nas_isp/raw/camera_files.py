"""Camera RAW formats through LibRaw."""

import math
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.quiet import without_native_lines
from nas_isp.raw.capture import Capture, capture_of
from nas_isp.raw.dng.color import XYZ_OF_SRGB, DngColor, dng_color, rows_to_one
from nas_isp.raw.dng.correction import CorrectedLevels, corrected
from nas_isp.raw.dng.kinds import refuse_other_kinds
from nas_isp.raw.dng.tags import DngTags, read_dng_tags
from nas_isp.raw.image import Crop, Mosaic, RawImage
from nas_isp.raw.levels import Levels
from nas_isp.raw.mosaic_files import MAX_VALUES
from nas_isp.raw.packing import LEAST_SIDE
from nas_isp.raw.sensor import Cfa, Gains
from nas_isp.raw.tiff_directory import Matrix

if TYPE_CHECKING:
    from rawpy import ImageSizes, RawPy

CAMERA_SUFFIXES = frozenset(
    {
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".k25", ".kdc"),
        *(".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw"),
        ".x3f",
    }
)

Pattern = NDArray[np.uint8]
_Colors = tuple[Gains | None, NDArray[np.float32] | None, NDArray[np.float32] | None]
"""As-shot gains, color matrix and that of daylight."""


MAX_ASPECT_ERROR = 0.01
MAX_MATRIX_ENTRY = 8.0


def read_camera_file(path: Path, shading: bool = True) -> RawImage:
    """Read the visible area of a camera RAW file.

    Pixels are LibRaw's. Levels, gains and matrix of a DNG file are those of its tags, and what it asks to be done to
    its mosaic is done. As-shot gains stay None where the file has none: LibRaw's daylight gains describe the sensor,
    not the light.

    Args:
        path: the file.
        shading: apply the gain maps of a DNG file against lens shading.

    Raises:
        InputError: LibRaw cannot decode it, data is missing, or it is no Bayer mosaic with square pixels.
    """
    import rawpy

    tags = read_dng_tags(path)
    if tags is not None:
        refuse_other_kinds(tags, path)
    try:
        # LibRaw prints about damaged files; the error that is raised says it already.
        with without_native_lines(), rawpy.imread(libraw_source(path)) as raw:
            _refuse_size(raw.sizes, path)
            return _convert(raw, path, _bayer_pattern(raw, path), tags, shading)
    except rawpy.LibRawIOError as error:
        raise InputError(f"{path}: ends early or is damaged; give a whole camera RAW file") from error
    except (rawpy.LibRawError, OSError, ValueError, MemoryError) as error:
        first = error.args[0] if error.args else error
        reason = first.decode(errors="replace") if isinstance(first, bytes) else first
        raise InputError(f"{path}: not a camera RAW file that can be decoded ({reason}); give another") from error


def libraw_source(path: Path) -> str | BytesIO:
    """What LibRaw opens a file by: its name, or its bytes where the name is no UTF-8, which rawpy cannot pass on."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return BytesIO(path.read_bytes())
    return str(path)


def _bayer_pattern(raw: "RawPy", path: Path) -> Pattern:
    """LibRaw's color indices `(2, 2)` at the corner of the visible area."""
    import rawpy

    pattern = raw.raw_pattern
    if raw.raw_type != rawpy.RawType.Flat or pattern is None or pattern.shape != (2, 2):
        raise InputError(f"{path}: {_kind(raw)}; give a Bayer mosaic")
    colors = raw.color_desc.decode(errors="replace")
    if raw.num_colors != 3 or colors != "RGBG" or _cfa(pattern) not in get_args(Cfa):
        cell = "".join(colors[index] if index < len(colors) else "?" for index in pattern.ravel())
        raise InputError(f"{path}: color filters {cell} in each 2x2 cell; give a Bayer mosaic of red, green and blue")
    if abs(raw.sizes.pixel_aspect - 1) > MAX_ASPECT_ERROR:
        raise InputError(f"{path}: pixels with sides 1:{raw.sizes.pixel_aspect:.2f}; only square pixels are read")
    return pattern


def _kind(raw: "RawPy") -> str:
    """What a picture is that has no 2x2 cell."""
    import rawpy

    if raw.raw_type != rawpy.RawType.Flat:
        return "already demosaiced (a linear DNG), or of a Foveon sensor"
    if raw.raw_pattern is not None and raw.raw_pattern.shape == (6, 6):
        return "X-Trans color filters (6x6)"
    return "monochrome, of a sensor without color filters" if raw.num_colors == 1 else "no Bayer color filters"


def _refuse_size(sizes: "ImageSizes", path: Path) -> None:
    """Before LibRaw takes memory for what a header claims."""
    if sizes.raw_height * sizes.raw_width > MAX_VALUES:
        raise InputError(f"{path}: claims {sizes.raw_width}x{sizes.raw_height} values; at most {MAX_VALUES} are read")


def _convert(raw: "RawPy", path: Path, pattern: Pattern, tags: DngTags | None, shading: bool) -> RawImage:
    visible = raw.raw_image_visible
    height, width = visible.shape[0] // 2 * 2, visible.shape[1] // 2 * 2
    if min(height, width) < LEAST_SIDE:
        raise InputError(f"{path}: {visible.shape[1]}x{visible.shape[0]} pixels; at least {LEAST_SIDE}x{LEAST_SIDE}")
    mosaic = np.array(visible[:height, :width], dtype=np.uint16)  # a copy: LibRaw's memory goes away
    values: Mosaic = mosaic
    found = CorrectedLevels(_libraw_black(raw, pattern), float(raw.white_level))
    if tags is not None:
        corner = (raw.sizes.top_margin, raw.sizes.left_margin)
        values, found = corrected(mosaic, tags, corner, found.black, found.white, shading)
    if found.white <= max(found.black):
        raise InputError(f"{path}: its black level {max(found.black):g} is not below its white level {found.white:g}")
    gains, matrix, of_daylight = _colors(raw, tags)
    return RawImage(
        mosaic=values,
        cfa=_cfa(pattern),
        black=found.black,
        white=found.white,
        white_balance=gains,
        color_matrix=matrix,
        flip=int(raw.sizes.flip),
        crop=shown_part(raw.sizes, height, width),
        capture=told_apart(capture_of(raw, path), tags),
        source=str(path),
        noise=None if tags is None else noise_of(tags),
        applied=found.applied,
        left=found.left,
        sensor_matrix=of_daylight,
    )


def told_apart(capture: Capture, tags: DngTags | None) -> Capture:
    """A capture with what tells its sensor from others of the same make and model."""
    if tags is None:
        return capture
    given = (matrix for matrix in tags.color_matrices if matrix is not None)
    calibration = tuple(entry for matrix in given for entry in matrix.ravel().tolist())
    return replace(capture, unique_model=tags.unique_camera_model, calibration=calibration)


def _libraw_black(raw: "RawPy", pattern: Pattern) -> Levels:
    """LibRaw's black level of the sites (0,0), (0,1), (1,0), (1,1) of the visible area."""
    first, second, third, fourth = (float(raw.black_level_per_channel[index]) for index in pattern.ravel())
    return first, second, third, fourth


def _colors(raw: "RawPy", tags: DngTags | None) -> _Colors:
    """Those of the tags, else what LibRaw knows of the camera."""
    said = DngColor(None, None, None) if tags is None else dng_color(tags)
    gains = said.white_balance or _gains(raw.camera_whitebalance)
    if said.color_matrix is None or said.sensor_matrix is None:
        known = _color_matrix(raw.color_matrix, raw.rgb_xyz_matrix)
        return gains, known, known
    return gains, plausible_matrix(said.color_matrix), plausible_matrix(said.sensor_matrix)


def noise_of(tags: DngTags) -> tuple[float, float] | None:
    """The mean of all colors' noise, green twice; a variance is not negative."""
    if tags.noise_profile is None:
        return None
    pairs = np.array(tags.noise_profile)
    shot, read = np.average(pairs, axis=0, weights=(1, 2, 1) if len(pairs) == 3 else None)
    return float(shot), max(float(read), 0.0)


def shown_part(sizes: "ImageSizes", height: int, width: int) -> Crop | None:
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


def _gains(as_shot: list[float]) -> Gains | None:
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
    matrix: Matrix | None = camera_to_srgb[:, :3]
    if xyz_to_camera[:3].any():
        matrix = rows_to_one(xyz_to_camera[:3] @ XYZ_OF_SRGB)
        matrix = None if matrix is None or abs(np.linalg.det(matrix)) < 1e-3 else np.linalg.inv(matrix)
    return None if matrix is None else plausible_matrix(matrix)


def plausible_matrix(matrix: Matrix) -> NDArray[np.float32] | None:
    """A color matrix with rows that sum to 1; None for one that no sensor has."""
    normalized = rows_to_one(matrix)
    if normalized is None or np.abs(normalized).max() > MAX_MATRIX_ENTRY or np.diag(normalized).min() <= 0:
        return None
    return normalized.astype(np.float32)
