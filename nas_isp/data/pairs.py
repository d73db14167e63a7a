"""True pairs: a RAW file and the finished photo of the same pixels."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.photos import list_photos, read_photo
from nas_isp.errors import InputError
from nas_isp.raw.image import RawImage
from nas_isp.raw.orientation import turned_back
from nas_isp.raw.packing import align_to_rggb
from nas_isp.raw.readers import list_raw_files, read_raw
from nas_isp.raw.sensor import SensorDescription


class Pair(NamedTuple):
    """One pair, both in sensor orientation, pixel on pixel.

    `raw` is aligned to RGGB; `photo` is uint8 sRGB `(H, W, 3)` of exactly the mosaic's pixels.
    """

    stem: str
    raw: RawImage
    photo: NDArray[np.uint8]


@dataclass(frozen=True)
class Pairs:
    """The pairs of a folder, and one line for each file that has no partner."""

    folder: Path
    items: list[Pair] = field(repr=False)
    skipped: list[str]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.items)


def load_pairs(
    folder: Path, size: int | None = None, sensor: SensorDescription | None = None, limit: int | None = None
) -> Pairs:
    """Read the pairs of a folder: files with equal stems in `raw/` and `rgb/`.

    A photo has the size of its mosaic. It is upright, as photos are; where the RAW file says that the camera was
    turned, the photo is turned back to the sensor's orientation.

    Args:
        folder: holds `raw/` and `rgb/`.
        size: pictures with a longer side are cut to the central `size` x `size` pixels (even); None keeps them whole.
        sensor: description for bare mosaics; without it the `sensor.json` in `raw/`.
        limit: read only so many pairs, spread evenly over the sorted stems.

    Raises:
        InputError: a folder is missing, no stem occurs in both, a file cannot be read, two files share a stem, or a
            photo and its mosaic differ in size.
    """
    raw_files, photos = _by_stem(list_raw_files(_inside(folder, "raw"))), _by_stem(list_photos(_inside(folder, "rgb")))
    stems = sorted(raw_files.keys() & photos.keys())
    if not stems:
        raise InputError(
            f"{folder}: no file of raw/ (e.g. {next(iter(raw_files.values())).name}) has the stem of one of rgb/ "
            f"(e.g. {next(iter(photos.values())).name}); pairs have equal stems"
        )
    unpaired = {*raw_files.values(), *photos.values()} - {
        files[stem] for files in (raw_files, photos) for stem in stems
    }
    skipped = [f"{file}: no partner of that stem" for file in sorted(unpaired)]
    if limit is not None and len(stems) > limit:
        stems = [stems[index] for index in np.linspace(0, len(stems) - 1, limit).round().astype(int)]
    items = [_cropped(_read(stem, raw_files[stem], photos[stem], sensor), size) for stem in stems]
    return Pairs(folder, items, skipped)


def _inside(folder: Path, name: str) -> Path:
    if not (folder / name).is_dir():
        raise InputError(f"{folder}: holds no folder {name}/; pairs lie in raw/ and rgb/ with equal stems")
    return folder / name


def _by_stem(files: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in files:
        if file.stem in found:
            raise InputError(f"{file}: {found[file.stem].name} has the same stem; keep one of them")
        found[file.stem] = file
    return found


def _read(stem: str, raw_file: Path, photo_file: Path, sensor: SensorDescription | None) -> Pair:
    raw, upright_photo = read_raw(raw_file, sensor), read_photo(photo_file)
    photo = turned_back(upright_photo, raw.flip)
    height, width = raw.mosaic.shape
    if (photo.shape[0] // 2 * 2, photo.shape[1] // 2 * 2) != (height, width):
        tall, wide = (width, height) if raw.flip & 4 else (height, width)
        raise InputError(
            f"{photo_file}: {upright_photo.shape[1]}x{upright_photo.shape[0]} pixels, but its mosaic {raw_file.name} "
            f"gives {wide}x{tall}; a pair has equal sizes"
        )
    aligned = align_to_rggb(raw)
    top, left = (height - aligned.mosaic.shape[0]) // 2, (width - aligned.mosaic.shape[1]) // 2
    return Pair(stem, aligned, np.ascontiguousarray(photo[top : height - top, left : width - left]))


def _cropped(pair: Pair, size: int | None) -> Pair:
    if size is None:
        return pair
    height, width = (min(side, size // 2 * 2) for side in pair.raw.mosaic.shape)
    top, left = ((whole - part) // 4 * 2 for whole, part in zip(pair.raw.mosaic.shape, (height, width), strict=True))
    rows, columns = slice(top, top + height), slice(left, left + width)
    mosaic = np.ascontiguousarray(pair.raw.mosaic[rows, columns])
    return Pair(pair.stem, replace(pair.raw, mosaic=mosaic), np.ascontiguousarray(pair.photo[rows, columns]))
