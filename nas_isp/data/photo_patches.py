"""Photo patches of equal size, cut once from a folder of photos into a memory-mapped cache."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.cache import cached_folder, file_facts
from nas_isp.data.cutting import check_patch_size, choose, detail, grid_positions
from nas_isp.data.patch_files import read_array, read_facts
from nas_isp.data.photo_writer import GLANCE, PhotoWriter, photo_glance
from nas_isp.data.photos import list_photos, read_photo
from nas_isp.data.raw_patches import (
    CUT_VERSION,
    Indices,
    drawn,
    none_usable,
    too_small,
)
from nas_isp.data.raw_writer import ABOUT_FILE
from nas_isp.data.sampling import MOST_PATCHES
from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress, unseen

if TYPE_CHECKING:
    import torch

LUMA = np.array([0.299 / 255, 0.587 / 255, 0.114 / 255], np.float32)


@dataclass(frozen=True)
class PhotoPatches:
    """M upright photo patches of S x S pixels.

    Attributes:
        folder: the cache folder that `open` reads again; what other processes should be given instead of the array.
        pixels: uint8 `(M, 3, S, S)` sRGB; memory-mapped.
        glance: uint8 `(M, 3, 24, 24)`, the whole photo that each patch is from, averaged in linear light; see
            `raw.glance`.
        stems: for each patch the file it is from, without suffix.
        skipped: one line for each file that could not be used.
    """

    folder: Path
    pixels: NDArray[np.uint8] = field(repr=False)
    glance: NDArray[np.uint8] = field(repr=False)
    stems: list[str] = field(repr=False)
    skipped: list[str]

    def __len__(self) -> int:
        return len(self.pixels)

    def tensor(
        self, indices: Indices, device: "str | torch.device" = "cpu", flip: NDArray[np.bool_] | None = None
    ) -> "torch.Tensor":
        """Photos, float32 `(B, 3, S, S)`, sRGB 0..1; those where `flip` `(B,)` is true are mirrored left-right.

        Bytes travel to the device and become numbers there.
        """
        pixels = self.pixels[np.asarray(indices, np.intp)]
        if flip is not None:
            pixels[flip] = pixels[flip, ..., ::-1]
        return as_pictures(pixels, device)

    @staticmethod
    def open(folder: Path) -> "PhotoPatches":
        """Open a cache folder; only the patches that are used are read from disk.

        Raises:
            InputError: no cache there, or a damaged one.
        """
        try:
            facts = read_facts(folder)
            pixels = read_array(folder / "pixels.npy", "|u1", (len(facts.stems), 3, None, None))
            seen = read_array(folder / "photo_glance.npy", "|u1", (len(facts.stems), *GLANCE))
            return PhotoPatches(folder, pixels, seen, facts.stems, facts.skipped)
        except InputError as error:
            raise InputError(f"{folder}: damaged patch cache ({error}); delete the folder to cut it anew") from error


def as_pictures(pixels: NDArray[np.uint8], device: "str | torch.device" = "cpu") -> "torch.Tensor":
    """Bytes as float32 pictures of the same shape, 0..1, on a device that need not have finished its work."""
    import torch

    return torch.from_numpy(pixels).to(device, non_blocking=True).float().div_(255)


def cut_photo_patches(
    folder: Path,
    cache_dir: Path,
    size: int,
    limit: int = MOST_PATCHES,
    seed: int = 0,
    max_side: int | None = None,
    progress: ReportsProgress = unseen,
) -> PhotoPatches:
    """Cut patches from every photo of a folder, or open those of an earlier run with the same files and settings.

    Each photo gives at most `limit / number of photos` patches, spread over it without overlap, or overlapping by half
    where the limit leaves room. Flat patches (sky, walls; see `cutting.FLAT_BELOW`) are left out, unless a photo has
    nothing else: they say little about what makes a photo.

    Args:
        folder: photos; other files are ignored.
        cache_dir: where the cut patches are kept, made if need be.
        size: patch side in pixels, even.
        limit: most patches of all photos together. With more photos than that, a random choice.
        seed: of the choice among places and photos.
        max_side: reduce larger photos to this side first; see `read_photo`.
        progress: told (photos done, photos, text).

    Raises:
        InputError: no folder, no photo in it, no photo that can be used and is at least a patch in size, or a cache
            that cannot be written. Single unusable files only become lines of `skipped`.
    """
    check_patch_size(size)
    files = list_photos(folder)
    key = {
        "version": CUT_VERSION,
        "folder": str(folder.resolve()),
        "files": file_facts(files),
        "size": size,
        "limit": limit,
        "seed": seed,
        "max_side": max_side,
    }
    cut = _PhotoCutter(folder, files, size, limit, seed, max_side, progress)
    return PhotoPatches.open(cached_folder(cache_dir, "rgb", key, cut.fill))


@dataclass
class _PhotoCutter:
    folder: Path
    files: list[Path]
    size: int
    limit: int
    seed: int
    max_side: int | None
    progress: ReportsProgress
    stems: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def fill(self, target: Path) -> None:
        rng = np.random.default_rng([self.seed, 2])
        files, quota = drawn(self.files, self.limit, rng)
        with PhotoWriter(target, self.size) as writer:
            for number, file in enumerate(files):
                self._cut(file, quota, rng, writer)
                self.progress(number + 1, len(files), "photo patches")
        if not self.stems:
            raise none_usable(self.folder, self.skipped)
        about = {"stems": self.stems, "skipped": self.skipped}
        (target / ABOUT_FILE).write_text(json.dumps(about), encoding="utf-8")

    def _cut(self, file: Path, quota: int, rng: np.random.Generator, writer: PhotoWriter) -> None:
        try:
            photo = read_photo(file, self.max_side)
        except InputError as error:
            self.skipped.append(str(error))
            return
        height, width = photo.shape[:2]
        places = grid_positions(height, width, self.size, quota)
        if not places:
            self.skipped.append(too_small(file, width, height, self.size))
            return
        seen = photo_glance(photo)
        patches = [photo[top : top + self.size, left : left + self.size] for top, left in places]
        for index in choose(
            [detail((patch @ LUMA).astype(np.float32)) for patch in patches], quota, rng, drop_flat=True
        ):
            writer.append(patches[index], seen)
            self.stems.append(file.stem)
