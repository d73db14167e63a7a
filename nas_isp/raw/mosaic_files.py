"""Bare mosaics: PNG, TIFF, `.npy` and headerless `.raw` files that a sensor description explains."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nas_isp.errors import InputError
from nas_isp.files import whole_file
from nas_isp.raw.capture import Capture
from nas_isp.raw.image import RawHeader, RawImage
from nas_isp.raw.packing import LEAST_SIDE, unpack_values
from nas_isp.raw.sensor import SensorDescription
from nas_isp.raw.stored_bytes import Stored, check_size, stored_values
from nas_isp.raw.tiff_directory import silent_tifffile
from nas_isp.raw.tiff_pages import full_page, list_pages
from nas_isp.raw.whole_files import ends_early

MAX_VALUES = 210_000_000
"""More values than any camera has; what claims more is damaged or hostile."""

ROWS_AT_ONCE = 256
"""Values are checked in strips, so that wide types do not take several times the memory of the mosaic."""

MAX_SHARE_OUT_OF_RANGE = 0.01
"""Resampled captures overshoot in single pixels; a wrong `bits` or `shift` moves whole parts of the picture."""


def read_mosaic_file(path: Path, sensor: SensorDescription) -> RawImage:
    """Read a bare mosaic and bring it to true values (stored values >> shift).

    Raises:
        InputError: unreadable, not one plane (or four, for `packed-rggb`) of whole numbers, or values and size at
            odds with the description.
    """
    mosaic = _laid_out(_read(path, sensor, pixels=True), sensor, path)
    return RawImage(mosaic=_true_values(mosaic, sensor, path), **_facts(path, sensor))


def read_mosaic_header(path: Path, sensor: SensorDescription) -> RawHeader:
    """The same without its values, which may still be at odds with the description, or damaged.

    Raises:
        InputError: as far as the header of the file shows it.
    """
    if ends_early(path):
        raise InputError(f"{path}: ends early; give a whole file")
    stand_in = _laid_out(_read(path, sensor, pixels=False), sensor, path)
    _check_kind(stand_in, path)
    return RawHeader(size=(stand_in.shape[0], stand_in.shape[1]), **_facts(path, sensor))


def _read(path: Path, sensor: SensorDescription, pixels: bool) -> Stored:
    """Stored values; without `pixels` an array of that form and type may hold anything."""
    try:
        stored = READERS[path.suffix.lower()](path, sensor, pixels)
    except InputError:
        raise
    except Exception as error:
        # The parsers of foreign formats fail on damaged files in too many ways to list.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a readable {path.suffix} file ({reason}); give a whole one") from error
    stored = stored_values(stored, sensor, path)
    check_size(stored, sensor, path)
    return stored


def _facts(path: Path, sensor: SensorDescription) -> dict[str, Any]:
    """Fields of `RawFacts` that a description says."""
    return {
        "cfa": sensor.cfa,
        "black": sensor.black_sites,
        "white": sensor.white,
        "white_balance": sensor.white_balance,
        "color_matrix": None if sensor.color_matrix is None else np.array(sensor.color_matrix, np.float32),
        "capture": Capture(model=sensor.name if sensor.is_named else ""),
        "source": str(path),
    }


def write_mosaic_png(path: Path, mosaic: NDArray[np.uint16]) -> None:
    """Write a mosaic `(H, W)` as 16-bit grayscale PNG, whole or not at all.

    Raises:
        InputError: the folder cannot be written.
    """
    from PIL import Image

    with whole_file(path) as part:
        Image.fromarray(mosaic).save(part, format="PNG")


def _read_png(path: Path, sensor: SensorDescription, pixels: bool) -> Stored:
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow warns above 89 megapixels, which sensors have; `MAX_VALUES` is the limit here.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path, formats=("PNG", "JPEG", "WEBP", "TIFF", "BMP")) as image:
            if image.format != "PNG":
                raise InputError(f"{path}: a {image.format} file by content; give a 16-bit grayscale PNG mosaic")
            if image.mode not in ("I;16", "I", "L"):
                raise InputError(f"{path}: a color image (mode {image.mode}), not a mosaic; give a grayscale PNG")
            _refuse_size(image.width * image.height, path)
            kind = {"L": "u1", "I;16": "<u2", "I": "<i4"}[image.mode]
            return np.asarray(image) if pixels else _stand_in((image.height, image.width), kind)


def _read_tiff(path: Path, sensor: SensorDescription, pixels: bool) -> Stored:
    import tifffile

    samples = 4 if sensor.layout == "packed-rggb" else 1
    with silent_tifffile(), tifffile.TiffFile(path) as tiff:
        pages = list_pages(tiff, lambda page: page.samplesperpixel == samples)
        _, page = pages[full_page([facts for facts, _ in pages])]
        _refuse_size(page.size, path)
        if not pixels and page.dtype is not None:
            return _stand_in(page.shape, page.dtype)
        return np.asarray(page.asarray())


def _read_npy(path: Path, sensor: SensorDescription, pixels: bool) -> Stored:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: an archive of arrays; give a .npy file of one array")
    _refuse_size(array.size, path)
    return np.asarray(array)


def _read_headerless(path: Path, sensor: SensorDescription, pixels: bool) -> Stored:
    if sensor.type not in (None, "uint16"):
        _refuse_size(path.stat().st_size, path)
        return np.fromfile(path, np.uint8) if pixels else _stand_in((path.stat().st_size,), np.uint8)
    if sensor.width is None or sensor.height is None:
        raise InputError(f"{path}: a headerless file needs `width` and `height` in its sensor description")
    planes = 4 if sensor.layout == "packed-rggb" else 1
    shape = (sensor.height, sensor.width) if planes == 1 else (sensor.height // 2, sensor.width // 2, planes)
    expected, given = 2 * int(np.prod(shape, dtype=np.int64)), path.stat().st_size
    if given != expected and sensor.type is not None:
        # rows may be filled up
        return np.fromfile(path, np.uint8) if pixels else _stand_in((given,), np.uint8)
    if given != expected:
        raise InputError(
            f"{path}: {given} bytes, but {sensor.width}x{sensor.height} values of 16 bits are {expected}; "
            "correct `width` and `height` of the sensor description or give a whole file"
        )
    return np.fromfile(path, "<u2").reshape(shape) if pixels else _stand_in(shape, "<u2")


def _stand_in(shape: tuple[int, ...], kind: DTypeLike) -> Stored:
    """An array that takes no memory."""
    return np.broadcast_to(np.zeros((), kind), shape)


Reader = Callable[[Path, SensorDescription, bool], Stored]

READERS: dict[str, Reader] = {
    ".png": _read_png,
    ".tif": _read_tiff,
    ".tiff": _read_tiff,
    ".npy": _read_npy,
    ".raw": _read_headerless,
}
"""Suffix -> how the stored values are read, or what they are like."""

MOSAIC_SUFFIXES = frozenset(READERS)


def _refuse_size(values: int, path: Path) -> None:
    if values > MAX_VALUES:
        raise InputError(f"{path}: claims {values} values; at most {MAX_VALUES} are read")


def _laid_out(stored: Stored, sensor: SensorDescription, path: Path) -> Stored:
    """One plane `(H, W)` of even size, cropped by an odd last row or column."""
    shape = "x".join(str(side) for side in stored.shape)
    if sensor.layout == "packed-rggb":
        if stored.ndim != 3 or stored.shape[2] != 4:
            raise InputError(f"{path}: shape {shape}; layout 'packed-rggb' means four planes last (height, width, 4)")
        stored = unpack_values(stored.transpose(2, 0, 1), sensor.cfa)
    elif stored.ndim != 2:
        hint = "; for four planes the sensor's layout is 'packed-rggb'" if stored.shape[-1:] == (4,) else ""
        raise InputError(f"{path}: shape {shape}; a mosaic has one plane (height, width){hint}")
    height, width = stored.shape[0] // 2 * 2, stored.shape[1] // 2 * 2
    if min(height, width) < LEAST_SIDE:
        raise InputError(f"{path}: {stored.shape[1]}x{stored.shape[0]} pixels; at least {LEAST_SIDE}x{LEAST_SIDE}")
    return stored[:height, :width]


def _true_values(stored: Stored, sensor: SensorDescription, path: Path) -> NDArray[np.uint16]:
    """Stored values with the shift removed, checked against the description."""
    values = _whole_numbers(stored, path)
    if sensor.shift and (values & ((1 << sensor.shift) - 1)).any():
        raise InputError(
            f"{path}: values are not multiples of {1 << sensor.shift}, so they are not stored << {sensor.shift}; "
            "correct `shift` of the sensor description"
        )
    true = np.right_shift(values, sensor.shift, out=values)
    share = float(np.mean(true > (1 << sensor.bits) - 1))
    if share > MAX_SHARE_OUT_OF_RANGE:
        raise InputError(
            f"{path}: {share:.0%} of the values exceed {sensor.bits} bits (largest {int(true.max())}); "
            "correct `bits` or `shift` of the sensor description"
        )
    return np.ascontiguousarray(true)


def _whole_numbers(stored: Stored, path: Path) -> NDArray[np.uint16]:
    """The same numbers as uint16."""
    _check_kind(stored, path)
    values = np.empty(stored.shape, np.uint16)
    for top in range(0, len(stored), ROWS_AT_ONCE):
        strip = stored[top : top + ROWS_AT_ONCE]
        _check_whole_numbers(strip, path)
        values[top : top + ROWS_AT_ONCE] = strip
    return values


def _check_kind(stored: Stored, path: Path) -> None:
    if stored.dtype.kind not in "uif":
        raise InputError(f"{path}: holds {str(stored.dtype)[:40]}; a mosaic holds whole numbers 0..65535")


def _check_whole_numbers(stored: Stored, path: Path) -> None:
    if stored.dtype.kind == "f" and not np.isfinite(stored.astype(np.float64)).all():
        raise InputError(f"{path}: holds NaN or infinite values; a mosaic holds whole numbers 0..65535")
    if stored.dtype.kind != "u" or stored.dtype.itemsize > 2:
        low, high = float(stored.min()), float(stored.max())
        if low < 0 or high > 65535:
            raise InputError(f"{path}: values {low:g}..{high:g}; a mosaic holds whole numbers 0..65535")
        if stored.dtype.kind == "f" and (stored != np.rint(stored)).any():
            raise InputError(f"{path}: holds fractions ({low:g}..{high:g}); store true sensor values as uint16")
