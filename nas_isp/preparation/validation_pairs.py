"""True pairs that a training is scored on: few, cut to one size at most, and kept beside its prepared data."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.data.patch_files import check_array
from nas_isp.data.patches import Pair, Pairs
from nas_isp.errors import InputError
from nas_isp.files import whole_file
from nas_isp.preparation.content_reference import spread
from nas_isp.raw.network_input import NetworkInput, input_of
from nas_isp.raw.packing import pack

PAIRS_LIMIT = 64
PAIR_SIDE = 512
MAX_PAIRS_BYTES = PAIRS_LIMIT * PAIR_SIDE**2 * 8
"""Of a pixel 4 bytes are its float32 sample and 3 its colors; the rest is left for headers."""

ValidationPair = tuple[Tensor, NDArray[np.uint8]]
"""A network's input `(4, h, w)` and its true photo `(2h, 2w, 3)`."""


def validation_pairs(pairs: Pairs | None, network_input: NetworkInput) -> list[ValidationPair]:
    """At most 64 pairs, each cut to the central 512 pixels, as network inputs and photos."""
    if not pairs:
        return []
    taken = ((input_of(pair.raw, pack(pair.raw), network_input), pair.photo) for pair in chosen_pairs(pairs))
    return [central_pair(*pair) for pair in taken]


def chosen_pairs(pairs: Pairs) -> Iterator[Pair]:
    """At most 64 pairs, spread over all."""
    return (pairs[int(index)] for index in spread(len(pairs), PAIRS_LIMIT))


def save_pairs(path: Path, pairs: list[ValidationPair]) -> None:
    """Write pairs into a `.npz` file."""
    arrays: dict[str, Any] = {f"raw_{at}": packed.numpy() for at, (packed, _) in enumerate(pairs)}
    arrays |= {f"rgb_{at}": photo for at, (_, photo) in enumerate(pairs)}
    with whole_file(path) as part:
        np.savez(part, **arrays)


def read_pairs(path: Path) -> list[ValidationPair]:
    """The pairs that `save_pairs` wrote.

    Raises:
        InputError: damaged, or unpacking to more than pairs can be.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked_bytes = sum(member.file_size for member in archive.infolist())
            if unpacked_bytes > MAX_PAIRS_BYTES:
                raise InputError(f"{path}: unpacks to {unpacked_bytes} bytes; pairs have at most {MAX_PAIRS_BYTES}")
        with np.load(path, allow_pickle=False) as stored:
            arrays = [(stored[f"raw_{at}"], stored[f"rgb_{at}"]) for at in range(len(stored.files) // 2)]
    except InputError:
        raise
    except Exception as error:
        # Archives and the arrays in them are damaged in too many ways to list.
        raise InputError(f"{path}: not a readable .npz file ({type(error).__name__})") from error
    for packed, photo in arrays:
        check_array(packed, path, "<f4", (4, None, None))
        check_array(photo, path, "|u1", (2 * packed.shape[1], 2 * packed.shape[2], 3))
        if not np.isfinite(packed).all():
            raise InputError(f"{path}: holds NaN or infinite values")
    return [(torch.from_numpy(packed), photo) for packed, photo in arrays]


def central_pair(packed: NDArray[np.float32], photo: NDArray[np.uint8]) -> ValidationPair:
    """The middle of a pair, with sides that are multiples of 4 pixels."""
    height, width = (min(side, PAIR_SIDE) // 4 * 4 for side in photo.shape[:2])
    top, left = (photo.shape[0] - height) // 4, (photo.shape[1] - width) // 4
    inner = packed[:, top : top + height // 2, left : left + width // 2]
    return torch.from_numpy(np.ascontiguousarray(inner)), photo[2 * top :, 2 * left :][:height, :width].copy()
