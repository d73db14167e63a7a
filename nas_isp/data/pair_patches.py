"""Patches of equal size from true pairs, cut once into memory-mapped files."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nas_isp.data.cache import cached_folder, file_facts
from nas_isp.data.cutting import check_patch_size, grid_positions
from nas_isp.data.pairs import Pair, Pairs
from nas_isp.data.photo_patches import PhotoPatches
from nas_isp.data.photo_writer import PhotoWriter, photo_glance
from nas_isp.data.raw_patches import CUT_VERSION, RawPatches, drawn, table_facts, too_small
from nas_isp.data.raw_writer import RawWriter
from nas_isp.data.sampling import MOST_PATCHES
from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.packing import pack_values, storable
from nas_isp.raw.readers import find_sensor
from nas_isp.raw.sensor import SensorDescription


def cut_pair_patches(
    pairs: Pairs,
    cache_dir: Path,
    size: int,
    limit: int = MOST_PATCHES,
    seed: int = 0,
    progress: ReportsProgress = unseen,
) -> tuple[RawPatches, PhotoPatches]:
    """Cut patches from true pairs, or open those of an earlier run with the same files and settings.

    The RAW and the photo patch of one index show the same pixels. Each pair gives at most `limit / number of pairs`
    patches, which do not overlap; flat ones are kept, because their noise and color are wanted too.

    Args:
        pairs: see `load_pairs`.
        cache_dir: where the cut patches are kept, made if need be.
        size: patch side in mosaic pixels, even.
        limit: most patches of all pairs together. With more pairs than that, a random choice of them.
        seed: of the choice among pairs and places.
        progress: told (pairs done, pairs, text).

    Raises:
        InputError: no pair holds a patch, a pair cannot be read, or a cache that cannot be written.
    """
    check_patch_size(size)
    described = pairs.sensor or find_sensor(pairs.files[0].raw)
    key = {
        "version": CUT_VERSION,
        "folder": str(pairs.folder.resolve()),
        "raw": file_facts([files.raw for files in pairs.files]),
        "photos": file_facts([files.photo for files in pairs.files]),
        "sensor": described.model_dump(mode="json") if described else None,
        "captures": table_facts(pairs.files[0].raw.parent),
        "cut_to": pairs.size,
        "size": size,
        "limit": limit,
        "seed": seed,
        "shading": pairs.shading,
    }
    cut = _PairCutter(pairs, size, limit, seed, described, progress)
    folder = cached_folder(cache_dir, "pairs", key, cut.fill)
    return RawPatches.open(folder), PhotoPatches.open(folder)


@dataclass
class _PairCutter:
    pairs: Pairs
    size: int
    limit: int
    seed: int
    described: SensorDescription | None
    progress: ReportsProgress
    skipped: list[str] = field(default_factory=list)

    def fill(self, target: Path) -> None:
        rng = np.random.default_rng([self.seed, 3])
        indices, quota = drawn(range(len(self.pairs)), self.limit, rng)
        side = self.size
        with RawWriter(target, side, self.pairs.shading) as raw, PhotoWriter(target, side) as photos:
            for number, index in enumerate(indices):
                self._cut(self.pairs[index], quota, rng, raw, photos)
                self.progress(number + 1, len(indices), "pairs")
        if not raw.stems:
            raise InputError(
                f"{self.pairs.folder}: no pair of {side}x{side} pixels or more; give larger ones or a smaller patch"
            )
        raw.finish([*self.pairs.skipped, *self.skipped])

    def _cut(self, pair: Pair, quota: int, rng: np.random.Generator, raw: RawWriter, photos: PhotoWriter) -> None:
        height, width = pair.photo.shape[:2]
        places = grid_positions(height, width, self.size, wanted=1)
        if not places:
            self.skipped.append(too_small(Path(pair.raw.source), width, height, self.size))
            return
        stored, scale = storable(pair.raw)
        seen = photo_glance(pair.photo)
        planes, side = pack_values(stored.mosaic, stored.cfa), self.size
        for index in sorted(rng.permutation(len(places))[:quota]):
            top, left = places[index]
            cell = planes[:, top // 2 : (top + side) // 2, left // 2 : (left + side) // 2]
            raw.append(cell, pair.raw, self.described, scale)
            photos.append(pair.photo[top : top + side, left : left + side], seen)
