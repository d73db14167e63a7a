"""RAW and photos that share no scene, loaded together, with what the file names say about that."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nas_isp.data.capture_groups import group_notes
from nas_isp.data.dataset_folders import find_photos, find_raw
from nas_isp.data.left_out import left_out, without_a_row
from nas_isp.data.pairs import Pairs, load_pairs
from nas_isp.data.photo_patches import PhotoPatches, cut_photo_patches
from nas_isp.data.photos import is_photo_candidate, list_photos
from nas_isp.data.raw_patches import RawPatches, cut_raw_patches
from nas_isp.data.sampling import MOST_PATCHES
from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.readers import is_raw_candidate, list_raw_files
from nas_isp.raw.sensor import SensorDescription

PATCH_NUMBER = re.compile(r"_\d+$")
NUMBERS = re.compile(r"[\d_\-\s]+")


@dataclass(frozen=True)
class UnpairedData:
    """What an unpaired training takes in.

    Attributes:
        raw: the RAW patches.
        photos: the photo patches, of other scenes.
        pairs: true pairs for a displayed PSNR, never trained on, or None.
        notes: lines for the user: what cannot be known about scenes, and files that were skipped.
    """

    raw: RawPatches
    photos: PhotoPatches
    pairs: Pairs | None = None
    notes: list[str] = field(default_factory=list)


def load_unpaired(
    raw_dir: Path,
    rgb_dir: Path,
    cache_dir: Path,
    size: int,
    val_dir: Path | None = None,
    sensor: SensorDescription | None = None,
    scene_disjoint: bool = False,
    limit: int = MOST_PATCHES,
    max_photo_side: int | None = None,
    seed: int = 0,
    progress: ReportsProgress = unseen,
    shading: bool = True,
    group: str | None = None,
) -> UnpairedData:
    """Cut (or open, see `cut_raw_patches`) the patches of both folders and read the validation pairs.

    Args:
        raw_dir: RAW files, or a data set (or a split of it) with such a folder; see `layouts.find_raw`.
        rgb_dir: photos, likewise.
        cache_dir: where cut patches are kept.
        size: patch side in mosaic and photo pixels, even.
        val_dir: true pairs, see `load_pairs`, or None.
        sensor: description for bare mosaics.
        scene_disjoint: refuse folders in which the same scene occurs on both sides, as far as stems tell.
        limit: most patches of each side.
        max_photo_side: reduce larger photos to this side before cutting.
        seed: of the choice of patches.
        progress: told (done, total, text).
        shading: apply the gain maps that RAW files bring against lens shading.
        group: of RAW files, take those of one sensor only; see `cut_raw_patches`.

    Raises:
        InputError: see `cut_raw_patches`, `cut_photo_patches` and `load_pairs`; or shared scenes.
    """
    found_raw, found_photos = find_raw(raw_dir), find_photos(rgb_dir)
    raw_files, photo_files = list_raw_files(found_raw.raw), list_photos(found_photos.rgb)
    notes = [note for note in (found_raw.note, found_photos.note) if note is not None]
    if found_raw.layout is None or found_raw.layout.paired:
        notes += scene_notes(_stems(raw_files), _stems(photo_files), scene_disjoint)
    else:
        notes.append(f"the names of {found_raw.layout.name} do not tell whether RAW and photos share scenes")
    raw = cut_raw_patches(found_raw.raw, cache_dir, size, sensor, limit, seed, progress, shading, group)
    photos = cut_photo_patches(found_photos.rgb, cache_dir, size, limit, seed, max_photo_side, progress)
    notes += [*group_notes(found_raw.raw, raw.groups), *raw.notes]
    notes += limit_notes({"RAW files": len(raw_files), "photos": len(photo_files)}, limit)
    pairs = load_pairs(val_dir, sensor=sensor, use="val", shading=shading) if val_dir is not None else None
    if pairs is not None:
        notes += pairs.notes
        same_folder = pairs.files[0].raw.parent.resolve() == found_raw.raw.resolve()
        trained = {_scene(stem) for stem in {*raw.stems, *photos.stems} if same_folder or not stem.isdigit()}
        seen = sorted({_scene(stem) for stem in pairs.stems} & trained)
        if seen:
            notes.append(f"{len(seen)} validation scenes (e.g. {seen[0]}) also occur in training: their PSNR flatters")
    notes += left_out(found_raw.raw, "RAW files", is_raw_candidate, raw.skipped, min(limit, len(raw_files)))
    notes += without_a_row(found_raw.raw)
    notes += left_out(found_photos.rgb, "photos", is_photo_candidate, photos.skipped, min(limit, len(photo_files)))
    notes += pairs.left_out if pairs else []
    return UnpairedData(raw, photos, pairs, notes)


def limit_notes(counts: Mapping[str, int], limit: int) -> list[str]:
    """What is left out because there are more of something than there may be patches."""
    return [
        f"{limit} of {count} {things} are used, one patch each; a larger number of patches uses more"
        for things, count in counts.items()
        if count > limit
    ]


def scene_notes(raw_stems: Sequence[str], photo_stems: Sequence[str], enforce: bool = False) -> list[str]:
    """What file stems tell about scenes that are on both sides.

    A scene is a stem without a trailing `_<number>`, which numbers the patches of a photo; where all files of a folder
    differ by such numbers only (IMG_0001, IMG_0002), the number names the picture and the whole stem is the scene.

    Raises:
        InputError: `enforce`, and a scene is on both sides.
    """
    raw_scenes, photo_scenes = scenes(raw_stems), scenes(photo_stems)
    shared = sorted(raw_scenes & photo_scenes)
    if shared and enforce:
        raise InputError(
            f"{len(shared)} scenes are both in the RAW and in the photo folder (e.g. '{shared[0]}'); "
            "remove them from one folder, or allow scenes on both sides",
            "scene_disjoint",
        )
    if shared:
        return [f"{len(shared)} scenes are both in the RAW and in the photo folder (e.g. '{shared[0]}')"]
    unnamed = [side for side, stems in (("RAW", raw_stems), ("photo", photo_stems)) if _only_counted(stems)]
    if unnamed:
        files = " and ".join(unnamed)
        return [f"the {files} files are only numbered: whether RAW and photos share scenes cannot be known from names"]
    return []


def scenes(stems: Sequence[str]) -> set[str]:
    """The scenes that stems name; see `scene_notes`."""
    found = {_scene(stem) for stem in stems}
    return set(stems) if len(found) == 1 and len(set(stems)) > 1 else found


def _scene(stem: str) -> str:
    return PATCH_NUMBER.sub("", stem)


def _only_counted(stems: Sequence[str]) -> bool:
    """Whether stems differ in numbers only."""
    return len({NUMBERS.sub("", stem) for stem in stems}) == 1 and (len(set(stems)) > 1 or stems[0].isdigit())


def _stems(files: Sequence[Path]) -> list[str]:
    return [file.stem for file in files]
