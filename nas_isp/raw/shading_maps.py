"""Gain maps against lens shading that lie beside bare mosaics, and what they make of them (docs/captures.md)."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas_isp.errors import InputError
from nas_isp.files import read_text
from nas_isp.raw.dng.opcodes import MOST_GAIN, MOST_POINTS, GainMap
from nas_isp.raw.dng.tag_levels import BlackPlane
from nas_isp.raw.flattening import Shadings, flattened, pedestal_of
from nas_isp.raw.image import RawHeader, RawImage
from nas_isp.raw.packing import CANONICAL_SITES
from nas_isp.raw.sensor import Cfa

Raw = TypeVar("Raw", RawHeader, RawImage)

MOST_BYTES = 8 << 20
APPLIED = "lens shading corrected by the gain map beside it"
LEFT = "the lens shading gain map beside it is not applied"
FORM = "gains above 0, rows x columns or rows x columns x 4 (R, green of red rows, green of blue rows, B)"


def read_shading_map(path: Path) -> NDArray[np.float32]:
    """Gains `(rows, columns, 4)` of the planes R, G1 (red row), G2 (blue row), B, from edge to edge of a picture.

    An `.npy` array of that form, or of two axes for all planes alike. A `.tsv` holds rows of numbers between tabs: one
    block for all planes, or four with empty lines between.

    Raises:
        InputError: missing, damaged, or of another form.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such gain map; the table of captures names it as `shading`")
    status = path.stat()
    return _read(path, status.st_size, status.st_mtime_ns)


def without_shading(raw: Raw, gains: NDArray[np.float32], shading: bool = True) -> Raw:
    """The mosaic divided by what the lens takes, with one black level for all; or only a line that it is not.

    Args:
        raw: a bare mosaic, or its header.
        gains: of its map; see `read_shading_map`.
        shading: apply it.
    """
    if not shading:
        return replace(raw, left=(*raw.left, LEFT))
    height, width = raw.size
    plane = BlackPlane(np.array(raw.black).reshape(2, 2), np.zeros(height), np.zeros(width))
    level = pedestal_of(plane)
    changes: dict[str, Any] = {"black": (level, level, level, level), "applied": (*raw.applied, APPLIED)}
    if isinstance(raw, RawImage):
        maps = Shadings(maps_of_sites(gains, raw.cfa, raw.size), raw.size)
        changes["mosaic"] = flattened(raw.mosaic, plane, maps, raw.white)
    return replace(raw, **changes)


def maps_of_sites(gains: NDArray[np.float32], cfa: Cfa, size: tuple[int, int]) -> list[GainMap]:
    """The same as a DNG file says it: a map for each site of the cell of a mosaic.

    Args:
        gains: `(rows, columns, 4)` of the planes R, G1, G2, B.
        cfa: of the mosaic.
        size: its rows and columns.
    """
    rows, columns, _ = gains.shape
    spacing = (1 / max(rows - 1, 1), 1 / max(columns - 1, 1))
    return [
        GainMap((*site, *size), (2, 2), spacing, (0.0, 0.0), gains[..., plane])
        for plane, site in enumerate(CANONICAL_SITES[cfa])
    ]


@lru_cache(maxsize=16)
def _read(path: Path, size_bytes: int, changed_ns: int) -> NDArray[np.float32]:
    """`changed_ns` tells versions of the file apart."""
    if size_bytes > MOST_BYTES:
        raise InputError(f"{path}: {size_bytes} bytes; a gain map has at most {MOST_BYTES}")
    try:
        gains = np.array(_of_array(path) if path.suffix.lower() == ".npy" else _of_text(path), np.float32)
    except InputError:
        raise
    except Exception as error:
        # numpy fails on damaged files in too many ways to list.
        raise InputError(f"{path}: not a readable gain map; give {FORM}") from error
    if gains.ndim == 2:
        gains = np.repeat(gains[..., None], 4, axis=-1)
    if gains.ndim != 3 or gains.shape[2] != 4 or not 1 <= min(gains.shape) <= max(gains.shape) <= MOST_POINTS:
        raise InputError(f"{path}: shape {'x'.join(map(str, gains.shape))}; give {FORM}")
    if not np.isfinite(gains).all() or gains.min() <= 0 or gains.max() > MOST_GAIN:
        raise InputError(
            f"{path}: gains {gains.min():g} to {gains.max():g}; they are above 0 and at most {MOST_GAIN:g}"
        )
    gains.flags.writeable = False
    return gains


def _of_array(path: Path) -> NDArray[np.float64]:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "uif":
        raise InputError(f"{path}: holds no numbers; give {FORM}")
    if array.nbytes > MOST_BYTES:
        raise InputError(f"{path}: claims {array.nbytes} bytes; a gain map has at most {MOST_BYTES}")
    return np.array(array, np.float64)


def _of_text(path: Path) -> NDArray[np.float64]:
    blocks: list[list[list[float]]] = [[]]
    for line in read_text(path, MOST_BYTES, "gain map").splitlines():
        if line.strip():
            blocks[-1].append([float(cell) for cell in line.split("\t")])
        elif blocks[-1]:
            blocks.append([])
    planes = np.array([block for block in blocks if block], np.float64)
    return planes[0] if len(planes) == 1 else planes.transpose(1, 2, 0)
