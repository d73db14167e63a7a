"""Preparation of true pairs, for the paired modes and for scoring by PSNR."""

import tempfile
from pathlib import Path

from nas_isp.data.patches import Pairs, cut_pair_patches
from nas_isp.data.sampling import MOST_PATCHES
from nas_isp.preparation.color_transport import identity_transport
from nas_isp.preparation.content_reference import common_color_matrix, common_white_balance
from nas_isp.preparation.prepare import Prepared, PreparedRecord
from nas_isp.preparation.validation_pairs import validation_pairs
from nas_isp.progress import ReportsProgress, unseen


def prepare_paired(
    pairs: Pairs,
    size: int,
    seed: int,
    tested: Pairs | None = None,
    cache_dir: Path | None = None,
    limit: int = MOST_PATCHES,
    progress: ReportsProgress = unseen,
) -> Prepared:
    """Patches of `size` pixels from true pairs; the content reference of a patch is its photo.

    Args:
        tested: pairs for scoring; the training pairs themselves if None.
        cache_dir: where the cut patches are kept; None keeps them until the process ends.
        limit: most patches; see `cut_pair_patches`.
        progress: told (pairs done, pairs, text).

    Raises:
        InputError: no pair holds a patch.
    """
    if cache_dir is None:
        # What is memory-mapped stays readable after its file's name is gone.
        with tempfile.TemporaryDirectory(prefix="nas-isp-") as scratch:
            return prepare_paired(pairs, size, seed, tested, Path(scratch), limit, progress)
    raw, photos = cut_pair_patches(pairs, cache_dir, size, limit, seed, progress)
    record = PreparedRecord(
        raw="",
        photos="",
        seed=seed,
        paired=True,
        score_with_pairs=True,
        white_balance=common_white_balance(raw),
        color_matrix=common_color_matrix(raw),
        transport=identity_transport().coefficients.tolist(),
    )
    scored = validation_pairs(tested if tested is not None else pairs)
    return Prepared(record, raw, photos, photos.pixels, scored)
