"""Writes a folder of true pairs whose RAW is made from photos."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.left_out import left_out
from nas_isp.data.photos import is_photo_candidate, list_photos, read_photo
from nas_isp.errors import InputError
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.mosaic_files import write_mosaic_png
from nas_isp.raw.readers import SENSOR_FILE
from nas_isp.raw.synthesis import SyntheticCamera, synthesize_raw

SMALLEST_PATCH = 16


@dataclass(frozen=True)
class Synthesized:
    """What was written: the folder, the number of pairs, and one line for each photo that was left out."""

    folder: Path
    pairs: int
    skipped: list[str]


def synthesize_pairs(
    photos: Path,
    into: Path,
    seed: int = 0,
    limit: int | None = None,
    patch: int | None = None,
    camera: SyntheticCamera | None = None,
    progress: ReportsProgress = unseen,
) -> Synthesized:
    """Make `into/raw/STEM.png` and `into/rgb/STEM.png`, equal in size and aligned to the pixel, from each photo.

    The mosaics are synthetic: 16-bit grayscale PNG that `into/raw/sensor.json` describes. The folder appears when it
    is complete, or not at all. The same photos, seed and settings give the same files.

    Args:
        photos: folder of photos.
        into: folder to make; it must not exist yet, or be empty.
        seed: of light, noise and patch places.
        limit: most pairs, spread evenly over the sorted photos.
        patch: side of one patch to cut from each photo, even; None keeps whole photos, less an odd row or column.
        camera: the camera to imitate; `SyntheticCamera()` by default.
        progress: told (photos done, photos).

    Raises:
        InputError: no photos, none usable, a bad patch size, or a folder that holds something or cannot be written.
    """
    if patch is not None and (patch < SMALLEST_PATCH or patch % 2):
        raise InputError(f"patch {patch}: give an even number of pixels, at least {SMALLEST_PATCH}")
    files = list_photos(photos)
    if limit is not None and len(files) > limit:
        files = [files[index * len(files) // limit] for index in range(limit)]
    if into.exists() and not (into.is_dir() and not any(into.iterdir())):
        raise InputError(f"{into}: is there already; give a new or empty folder")
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
        try:
            written = _write(files, partial, seed, patch, camera or SyntheticCamera(), progress)
            partial.chmod(0o755)
            partial.replace(into)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise InputError(f"{into}: cannot be written ({error.strerror}); give a writable folder") from error
    pairs, skipped = written
    return Synthesized(into, pairs, skipped + left_out(photos, "photos", is_photo_candidate, [], len(files)))


def _write(
    files: list[Path],
    folder: Path,
    seed: int,
    patch: int | None,
    camera: SyntheticCamera,
    progress: ReportsProgress,
) -> tuple[int, list[str]]:
    """Write the pairs; returns their number and a line for each photo left out."""
    from PIL import Image

    (folder / "raw").mkdir()
    (folder / "rgb").mkdir()
    skipped: list[str] = []
    stems: set[str] = set()
    for number, file in enumerate(files):
        rng = np.random.default_rng([seed, number])
        try:
            photo = _usable(file, patch, rng, stems)
        except InputError as error:
            skipped.append(str(error))
        else:
            stems.add(file.stem)
            raw = synthesize_raw(photo.astype(np.float32) / np.float32(255), rng, camera)
            write_mosaic_png(folder / "raw" / f"{file.stem}.png", raw.mosaic)
            Image.fromarray(photo).save(folder / "rgb" / f"{file.stem}.png")
        progress(number + 1, len(files))
    if not stems:
        raise InputError(f"no photo can be used: {skipped[0]}")
    description = camera.sensor().model_dump_json(indent=2, exclude_none=True)
    (folder / "raw" / SENSOR_FILE).write_text(description + "\n", encoding="utf-8")
    return len(stems), skipped


def _usable(file: Path, patch: int | None, rng: np.random.Generator, stems: set[str]) -> NDArray[np.uint8]:
    """The photo, or a patch of it at a random place, of even size."""
    if file.stem in stems:
        raise InputError(f"{file}: another photo has this name with another suffix; rename one")
    photo = read_photo(file)
    rows, columns = photo.shape[:2]
    height, width = rows // 2 * 2, columns // 2 * 2
    side = patch or SMALLEST_PATCH
    if min(height, width) < side:
        raise InputError(f"{file}: {columns}x{rows} pixels is smaller than {side}x{side}; give larger photos")
    if patch is None:
        return np.ascontiguousarray(photo[:height, :width])
    top, left = int(rng.integers(height - patch + 1)), int(rng.integers(width - patch + 1))
    return np.ascontiguousarray(photo[top : top + patch, left : left + patch])
