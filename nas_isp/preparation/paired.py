"""Preparation of true pairs, for the paired modes and for scoring by PSNR."""

from pathlib import Path

from nas_isp.data.patches import Pairs, cut_pair_patches
from nas_isp.data.sampling import MOST_PATCHES
from nas_isp.preparation.anchors import make_anchors
from nas_isp.preparation.content_reference import common_white_balance, white_balance_of_patches
from nas_isp.preparation.fitted_baseline import fitted_baseline
from nas_isp.preparation.network_inputs import network_inputs
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.preparation.training_data import TrainingData
from nas_isp.preparation.validation_pairs import validation_pairs
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.light import AS_SHOT, LightChoice
from nas_isp.raw.network_input import InputKind, NetworkInput
from nas_isp.scratch import scratch_folder


def prepare_paired(
    pairs: Pairs,
    size: int,
    seed: int,
    input_kind: InputKind,
    tested: Pairs | None = None,
    cache_dir: Path | None = None,
    limit: int = MOST_PATCHES,
    progress: ReportsProgress = unseen,
    light: LightChoice = AS_SHOT,
) -> Prepared:
    """Patches of `size` pixels from true pairs; the content reference of a patch is its photo.

    Args:
        input_kind: what networks are given.
        tested: pairs for scoring; the training pairs themselves if None.
        cache_dir: where the cut patches are kept; None keeps them until the process ends.
        limit: most patches; see `cut_pair_patches`.
        light: which light is neutral in a capture.
        progress: told (pairs done, pairs, text).

    Raises:
        InputError: no pair holds a patch.
    """
    if cache_dir is None:
        # What is memory-mapped stays readable after its file's name is gone.
        with scratch_folder() as scratch:
            return prepare_paired(pairs, size, seed, input_kind, tested, scratch, limit, progress, light)
    raw, photos = cut_pair_patches(pairs, cache_dir, size, limit, seed, progress)
    common = common_white_balance(raw, light)
    gains = white_balance_of_patches(raw, common, light)
    baseline = fitted_baseline(raw, photos, gains, common, light, metered=input_kind == "balanced")
    inputs = network_inputs(raw, gains, baseline.network_input if input_kind == "balanced" else NetworkInput())
    tested = tested if tested is not None else pairs
    scored = validation_pairs(tested, inputs.kind)
    training = TrainingData(inputs, photos, photos.pixels, seed, paired=True)
    scoring = ScoringSet(inputs, photos.pixels, photos, None, scored, bool(scored))
    scoring.anchors = make_anchors(scoring, gains, baseline, tested)
    return Prepared(training, scoring, baseline)
