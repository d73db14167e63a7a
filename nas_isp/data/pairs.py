"""True pairs: a RAW file and the finished photo of the same pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.capture_groups import of_group
from nas_isp.data.dataset_folders import SPLITS, Split, find_pairs
from nas_isp.data.left_out import left_out, without_a_row
from nas_isp.data.photos import is_photo_candidate, list_photos, read_photo
from nas_isp.errors import InputError
from nas_isp.raw.image import RawImage
from nas_isp.raw.layouts import PUBLISHED_LAYOUTS
from nas_isp.raw.orientation import turned_back
from nas_isp.raw.packing import align_to_rggb
from nas_isp.raw.readers import is_raw_candidate, list_raw_files, read_raw
from nas_isp.raw.sensor import SensorDescription


class Pair(NamedTuple):
    """One pair, both in sensor orientation, pixel on pixel.

    `raw` is aligned to RGGB and shown whole; `photo` is uint8 sRGB `(H, W, 3)` of exactly the mosaic's pixels.
    """

    stem: str
    raw: RawImage
    photo: NDArray[np.uint8]


class PairFiles(NamedTuple):
    """The two files of a pair."""

    stem: str
    raw: Path
    photo: Path


@dataclass(frozen=True)
class Pairs(Sequence[Pair]):
    """The pairs of a folder, each read from its files when it is asked for, so that any number of them fits.

    Attributes:
        folder: as the user gave it.
        files: of the pairs, sorted by stem.
        size: pictures with a longer side are cut to the central `size` x `size` pixels; None keeps them whole.
        sensor: given description for bare mosaics.
        skipped: one line for each file that has no partner.
        notes: lines for the user on what was recognized.
        shading: apply the gain maps that RAW files bring against lens shading.
    """

    folder: Path
    files: list[PairFiles] = field(repr=False)
    size: int | None
    sensor: SensorDescription | None
    skipped: list[str]
    notes: list[str]
    shading: bool = True

    def of_group(self, group: str) -> "Pairs":
        """The pairs whose RAW is of one sensor; see `raw.groups.chosen`.

        Raises:
            InputError: no such group.
        """
        wanted, skipped = of_group([files.raw for files in self.files], group, self.folder, self.sensor)
        chosen = set(wanted)
        return replace(
            self, files=[files for files in self.files if files.raw in chosen], skipped=[*self.skipped, *skipped]
        )

    @property
    def left_out(self) -> list[str]:
        """Lines for the user on files that are not read."""
        raw, photos = self.files[0].raw.parent, self.files[0].photo.parent
        return [
            *left_out(raw, "RAW files", is_raw_candidate, self.skipped, len(self.files) + len(self.skipped)),
            *without_a_row(raw),
            *(left_out(photos, "photos", is_photo_candidate, [], len(self.files)) if photos != raw else []),
        ]

    @property
    def stems(self) -> list[str]:
        """Names of the pairs."""
        return [files.stem for files in self.files]

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Pair]:
        return (self[index] for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> Pair: ...

    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...

    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        """Read a pair, or several.

        Raises:
            InputError: a file cannot be read, or a photo and its mosaic differ in size.
        """
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        return _cropped(_read(self.files[index], self.sensor, self.shading), self.size)


def load_pairs(
    folder: Path,
    size: int | None = None,
    sensor: SensorDescription | None = None,
    limit: int | None = None,
    use: Split = "test",
    shading: bool = True,
) -> Pairs:
    """Find the pairs of a folder: files with equal stems in `raw/` and `rgb/`, or in a known data set's folders.

    A photo has the size of its mosaic. It is upright, as photos are; where the RAW file says that the camera was
    turned, the photo is turned back to the sensor's orientation. The first pair is read as a check.

    Args:
        folder: holds `raw/` and `rgb/`, or is a data set or a split of one; see `layouts.find_pairs`.
        size: pictures with a longer side are cut to the central `size` x `size` pixels (even); None keeps them whole.
        sensor: description for bare mosaics; without it what `find_sensor` finds.
        limit: only so many pairs, spread evenly over the sorted stems.
        use: what the pairs are for, which decides the split of a whole data set.
        shading: apply the gain maps that RAW files bring against lens shading.

    Raises:
        InputError: a folder is missing, no stem occurs in both, two files share a stem, or the first pair cannot be
            read or differs in size.
    """
    found = find_pairs(folder, use)
    raw_folder, photo_folder = (_existing(place, folder, use) for place in (found.raw, found.rgb))
    raw_files, photos = _by_stem(list_raw_files(raw_folder)), _by_stem(list_photos(photo_folder))
    stems = sorted(raw_files.keys() & photos.keys())
    if not stems:
        raise InputError(
            f"{folder}: no file of {raw_folder.name}/ (e.g. {next(iter(raw_files.values())).name}) has the stem of "
            f"one of {photo_folder.name}/ (e.g. {next(iter(photos.values())).name}); pairs have equal stems"
        )
    unpaired = {*raw_files.values(), *photos.values()} - {
        files[stem] for files in (raw_files, photos) for stem in stems
    }
    skipped = [f"{file}: no partner of that stem" for file in sorted(unpaired)]
    if limit is not None and len(stems) > limit:
        stems = [stems[index] for index in np.linspace(0, len(stems) - 1, limit).round().astype(int)]
    files = [PairFiles(stem, raw_files[stem], photos[stem]) for stem in stems]
    pairs = Pairs(folder, files, size, sensor, skipped, [found.note] if found.note else [], shading)
    first = pairs[0].raw
    pairs.notes.extend(f"{first.source}, as the first of the pairs: {line}" for line in (*first.applied, *first.left))
    return pairs


def _existing(wanted: Path, folder: Path, use: Split) -> Path:
    if not wanted.is_dir():
        known = ", ".join(f"{layout.raw}/ and {layout.rgb}/" for layout in PUBLISHED_LAYOUTS if layout.paired)
        splits = " or ".join(f"{split}/" for split in SPLITS[use])
        raise InputError(
            f"{folder}: holds no folder {wanted.name}/; pairs of equal stems lie in raw/ and rgb/ ({known} of a "
            f"published data set), there or in {splits}"
        )
    return wanted


def _by_stem(files: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in files:
        if file.stem in found:
            raise InputError(f"{file}: {found[file.stem].name} has the same stem; keep one of them")
        found[file.stem] = file
    return found


def _read(files: PairFiles, sensor: SensorDescription | None, shading: bool) -> Pair:
    raw, upright_photo = replace(read_raw(files.raw, sensor, shading), crop=None), read_photo(files.photo)
    photo = turned_back(upright_photo, raw.flip)
    height, width = raw.mosaic.shape
    if (photo.shape[0] // 2 * 2, photo.shape[1] // 2 * 2) != (height, width):
        tall, wide = (width, height) if raw.flip & 4 else (height, width)
        raise InputError(
            f"{files.photo}: {upright_photo.shape[1]}x{upright_photo.shape[0]} pixels, but its mosaic "
            f"{files.raw.name} gives {wide}x{tall}; a pair has equal sizes"
        )
    aligned = align_to_rggb(raw)
    top, left = (height - aligned.mosaic.shape[0]) // 2, (width - aligned.mosaic.shape[1]) // 2
    return Pair(files.stem, aligned, np.ascontiguousarray(photo[top : height - top, left : width - left]))


def _cropped(pair: Pair, size: int | None) -> Pair:
    if size is None:
        return pair
    height, width = (min(side, size // 2 * 2) for side in pair.raw.mosaic.shape)
    top, left = ((whole - part) // 4 * 2 for whole, part in zip(pair.raw.mosaic.shape, (height, width), strict=True))
    rows, columns = slice(top, top + height), slice(left, left + width)
    mosaic = np.ascontiguousarray(pair.raw.mosaic[rows, columns])
    return Pair(pair.stem, replace(pair.raw, mosaic=mosaic), np.ascontiguousarray(pair.photo[rows, columns]))
