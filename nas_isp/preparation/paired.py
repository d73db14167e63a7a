"""Preparation of true pairs, for the paired modes and for scoring by PSNR."""

from pathlib import Path

from nas_isp.data.patches import Pairs, UnpairedData, cut_pair_patches
from nas_isp.data.sampling import MOST_PATCHES
from nas_isp.preparation.anchors import make_anchors
from nas_isp.preparation.classical_baseline import ClassicalBaseline
from nas_isp.preparation.color_transport import identity_transport
from nas_isp.preparation.content_reference import (
    common_color_matrix,
    common_white_balance,
    look_of,
    matching_exposure,
    white_balance_of_patches,
)
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.preparation.training_data import TrainingData
from nas_isp.preparation.validation_pairs import validation_pairs
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.scratch import scratch_folder


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
        with scratch_folder() as scratch:
            return prepare_paired(pairs, size, seed, tested, scratch, limit, progress)
    raw, photos = cut_pair_patches(pairs, cache_dir, size, limit, seed, progress)
    tested = tested if tested is not None else pairs
    scored = validation_pairs(tested)
    white_balance, color_matrix = common_white_balance(raw), common_color_matrix(raw)
    exposure = matching_exposure(UnpairedData(raw, photos), look_of(white_balance, color_matrix))
    baseline = ClassicalBaseline(white_balance, color_matrix, exposure, identity_transport())
    training = TrainingData(raw, photos, photos.pixels, seed, paired=True)
    scoring = ScoringSet(raw, photos.pixels, photos, None, scored, bool(scored))
    scoring.anchors = make_anchors(scoring, white_balance_of_patches(raw, white_balance), baseline, tested)
    return Prepared(training, scoring, baseline)
