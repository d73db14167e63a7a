"""RAW patches of equal size, cut once from a folder of RAW files into a memory-mapped cache."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.cache import cached_folder, file_facts
from nas_isp.data.capture_groups import of_group
from nas_isp.data.cutting import check_patch_size, choose, detail, grid_positions
from nas_isp.data.patch_files import GroupCount, read_array, read_facts
from nas_isp.data.raw_writer import LEVELS, RawWriter
from nas_isp.data.sampling import MOST_PATCHES
from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.capture_table import maps_beside, table_of
from nas_isp.raw.levels import subtract_black
from nas_isp.raw.packing import align_to_rggb, canonical_black, pack_values, storable
from nas_isp.raw.readers import find_sensor, list_raw_files, read_raw
from nas_isp.raw.sensor import SensorDescription

if TYPE_CHECKING:
    import torch

File = TypeVar("File")
Indices = Sequence[int] | NDArray[np.intp]
CUT_VERSION = 6


@dataclass(frozen=True)
class RawPatches:
    """N RAW patches of S x S mosaic pixels, aligned to RGGB, in sensor orientation.

    Attributes:
        folder: the cache folder that `open` reads again; what other processes should be given instead of the arrays.
        packed: uint16 `(N, 4, S/2, S/2)`, true values in plane order R, G1 (red row), G2 (blue row), B; memory-mapped.
            Those of flattened mosaics are multiples of true values, and so are their levels.
        black: float32 `(N, 4)` black levels in plane order.
        white: float32 `(N,)` saturation levels.
        white_balance: float32 `(N, 3)` as-shot gains of R, G, B, NaN where the file does not say.
        color_matrix: float32 `(N, 3, 3)` white-balanced camera RGB to linear sRGB, NaN where the file does not say.
        glance: float32 `(N, 4, 24, 24)`, cells of the whole capture that each patch is from; see `raw.glance`.
        noise: float32 `(N, 2)` shot and read noise as the file says them (see `RawImage`), NaN where it does not.
        stems: for each patch the file it is from, without suffix.
        sensor: of most of the files that were cut: a bare mosaic's given or found description; a camera file's own.
        skipped: one line for each file that could not be used.
        corrections: what files ask to be done to their mosaics, done or not, and how many of them.
        groups: which sensors the files are of; see `raw.groups`.
    """

    folder: Path
    packed: NDArray[np.uint16] = field(repr=False)
    black: NDArray[np.float32] = field(repr=False)
    white: NDArray[np.float32] = field(repr=False)
    white_balance: NDArray[np.float32] = field(repr=False)
    color_matrix: NDArray[np.float32] = field(repr=False)
    noise: NDArray[np.float32] = field(repr=False)
    glance: NDArray[np.float32] = field(repr=False)
    stems: list[str] = field(repr=False)
    sensor: SensorDescription
    skipped: list[str]
    groups: list[GroupCount]
    corrections: dict[str, int] = field(default_factory=dict)

    @property
    def notes(self) -> list[str]:
        """`corrections` as lines for the user."""
        return [f"{files} RAW {'file' if files == 1 else 'files'}: {line}" for line, files in self.corrections.items()]

    def __len__(self) -> int:
        return len(self.packed)

    def tensor(self, indices: Indices, device: "str | torch.device" = "cpu") -> "torch.Tensor":
        """Packed tensor, float32 `(B, 4, S/2, S/2)`: (value - black) / (white - black), not clipped.

        Sensor values travel to the device as they are stored and are scaled there. There is no augmentation: a flip
        would change which color is where in the cell.
        """
        import torch

        chosen = np.asarray(indices, np.intp)
        values, black, white = (
            torch.from_numpy(part[chosen]).to(device, torch.float32, non_blocking=True)
            for part in (self.packed, self.black, self.white)
        )
        black, white = black[:, :, None, None], white[:, None, None, None]
        return subtract_black(values, black, white)

    @staticmethod
    def open(folder: Path) -> "RawPatches":
        """Open a cache folder; only the patches that are used are read from disk.

        Raises:
            InputError: no cache there, or a damaged one.
        """
        try:
            facts = read_facts(folder)
            count = len(facts.stems)
            levels = {
                name: np.array(read_array(folder / f"{name}.npy", "<f4", (count, *shape)))
                for name, shape in LEVELS.items()
            }
            packed = read_array(folder / "packed.npy", "<u2", (count, 4, None, None))
            if facts.sensor is None or not (levels["black"] < levels["white"][:, None]).all():
                raise InputError("no sensor, or black levels that are not below white")
        except InputError as error:
            raise InputError(f"{folder}: damaged patch cache ({error}); delete the folder to cut it anew") from error
        return RawPatches(
            folder,
            packed,
            levels["black"],
            levels["white"],
            levels["white_balance"],
            levels["color_matrix"],
            levels["noise"],
            levels["glance"],
            stems=facts.stems,
            sensor=facts.sensor,
            skipped=facts.skipped,
            groups=facts.groups,
            corrections=facts.corrections,
        )


def cut_raw_patches(
    folder: Path,
    cache_dir: Path,
    size: int,
    sensor: SensorDescription | None = None,
    limit: int = MOST_PATCHES,
    seed: int = 0,
    progress: ReportsProgress = unseen,
    shading: bool = True,
    group: str | None = None,
) -> RawPatches:
    """Cut patches from every RAW file of a folder, or open those of an earlier run with the same files and settings.

    Each file gives at most `limit / number of files` patches, spread over the picture at even coordinates without
    overlap, or overlapping by half where the limit leaves room. Where there are more places than that, those with
    detail are drawn first; flat ones fill up, because a sensor's noise shows best there.

    Args:
        folder: RAW files; other files are ignored.
        cache_dir: where the cut patches are kept, made if need be.
        size: patch side in mosaic pixels, even.
        sensor: description for bare mosaics; without it what `find_sensor` finds for the first file.
        limit: most patches of all files together. With more files than that, a random choice of them.
        seed: of the choice among places and files.
        progress: told (files done, files, text).
        shading: apply the gain maps that files bring against lens shading.
        group: take the captures of one sensor only: its number or a part of its name; see `raw.groups.chosen`.

    Raises:
        InputError: no folder, no RAW in it, no such group, no file that can be used and is at least a patch in size, or
            a cache that cannot be written. Single unusable files only become lines of `skipped`.
    """
    check_patch_size(size)
    files = list_raw_files(folder)
    described = sensor or find_sensor(files[0])
    key = {
        "version": CUT_VERSION,
        "folder": str(folder.resolve()),
        "files": file_facts(files),
        "sensor": described.model_dump(mode="json") if described else None,
        "captures": table_facts(folder),
        "size": size,
        "limit": limit,
        "seed": seed,
        "shading": shading,
        "group": group,
    }
    cut = _RawCutter(folder, files, size, limit, seed, described, progress, shading, group)
    return RawPatches.open(cached_folder(cache_dir, "raw", key, cut.fill))


def table_facts(folder: Path) -> list[list[Any]]:
    """What tells versions of the table of a folder's captures apart, and of gain maps; see `capture_table`."""
    table = table_of(folder)
    files = [] if table is None else [table, *sorted(file for file in maps_beside(folder) if file.is_file())]
    return [[str(file.resolve()), *file_facts([file])[0]] for file in files]


def drawn(files: Sequence[File], limit: int, rng: np.random.Generator) -> tuple[Sequence[File], int]:
    """At most `limit` files, and how many patches each may give."""
    if len(files) > limit:
        files = [files[index] for index in sorted(rng.permutation(len(files))[:limit])]
    return files, limit // len(files)


def none_usable(folder: Path, skipped: list[str]) -> InputError:
    """The error for a folder without any usable file; the first reason stands for all."""
    reason = skipped[0] if skipped else "nothing in it"
    more = f" (and {len(skipped) - 1} more)" if len(skipped) > 1 else ""
    return InputError(f"{folder}: no file can be used: {reason}{more}")


def too_small(path: Path, width: int, height: int, size: int) -> str:
    """The reason to skip a picture smaller than a patch."""
    return f"{path}: {width}x{height} pixels is smaller than a patch of {size}x{size}; give larger pictures"


@dataclass
class _RawCutter:
    folder: Path
    files: list[Path]
    size: int
    limit: int
    seed: int
    described: SensorDescription | None
    progress: ReportsProgress
    shading: bool
    group: str | None = None
    skipped: list[str] = field(default_factory=list)

    def fill(self, target: Path) -> None:
        rng = np.random.default_rng([self.seed, 1])
        if self.group is not None:
            self.files, self.skipped = of_group(self.files, self.group, self.folder, self.described, self.progress)
        files, quota = drawn(self.files, self.limit, rng)
        with RawWriter(target, self.size, self.shading) as writer:
            for number, file in enumerate(files):
                self._cut(file, quota, rng, writer)
                self.progress(number + 1, len(files), "RAW patches")
        if not writer.stems:
            raise none_usable(self.folder, self.skipped)
        writer.finish(self.skipped)

    def _cut(self, file: Path, quota: int, rng: np.random.Generator, writer: RawWriter) -> None:
        try:
            read = read_raw(file, self.described, self.shading)
            raw, scale = storable(align_to_rggb(read))
        except InputError as error:
            self.skipped.append(str(error))
            return
        height, width = raw.mosaic.shape
        places = grid_positions(height, width, self.size, quota)
        if not places:
            self.skipped.append(too_small(file, width, height, self.size))
            return
        packed = pack_values(raw.mosaic, raw.cfa)
        black = np.array(canonical_black(raw), np.float32)
        cells = [self._cell(packed, place) for place in places]
        for index in choose([_brightness_detail(cell, black, raw.white) for cell in cells], quota, rng, False):
            writer.append(cells[index], read, self.described, scale)

    def _cell(self, packed: NDArray[np.uint16], place: tuple[int, int]) -> NDArray[np.uint16]:
        top, left, side = place[0] // 2, place[1] // 2, self.size // 2
        return packed[:, top : top + side, left : left + side]


def _brightness_detail(cell: NDArray[np.uint16], black: NDArray[np.float32], white: float) -> float:
    """Detail of the green planes, square root taken so that it compares with that of encoded photos."""
    green = subtract_black(cell[1:3].astype(np.float32).mean(axis=0), black[1:3].mean(), white)
    return detail(np.sqrt(np.clip(green, 0, 1)))
