"""Prepares unpaired data once for all trainings on it: classical baseline, content references, synthetic pairs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.data.patch_files import new_array
from nas_isp.data.patches import UnpairedData
from nas_isp.preparation.anchors import make_anchors
from nas_isp.preparation.camera_fit import fit_camera
from nas_isp.preparation.classical_baseline import ClassicalBaseline
from nas_isp.preparation.color_transport import identity_transport
from nas_isp.preparation.content_reference import (
    chunks,
    classical_pictures,
    common_color_matrix,
    common_white_balance,
    fitted_transport,
    look_of,
    matching_exposure,
    transported_pictures,
    white_balance_of_patches,
)
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import REFERENCES, SYNTHETIC
from nas_isp.preparation.published_reference import published_pictures
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.preparation.synthetic_pairs import SyntheticPairs, synthetic_mosaics
from nas_isp.preparation.training_data import TrainingData
from nas_isp.preparation.validation_pairs import validation_pairs
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.recipe import ReferenceKind, TrainSettings
from nas_isp.scratch import scratch_folder


def prepare(
    data: UnpairedData,
    settings: TrainSettings,
    seed: int,
    score_with_pairs: bool = True,
    folder: Path | None = None,
    progress: ReportsProgress = unseen,
) -> Prepared:
    """Make the content references of unpaired data (see `TrainSettings.reference`) and, if wanted, synthetic pairs.

    The default reference is a classical rendering, its colors transported to the photos.

    Args:
        score_with_pairs: whether PSNR on the pairs of `data`, if it has some, is the quality of trainings whose recipe
            leaves that open.
        folder: where the large arrays are made, memory-mapped; `save_prepared` into it writes only what is missing.
            None keeps them until the process ends.

    Raises:
        InputError: the folder cannot be written or has no room, or the recipe wants a score that needs true pairs.
    """
    if folder is None:
        # What is memory-mapped stays readable after its file's name is gone.
        with scratch_folder() as scratch:
            return prepare(data, settings, seed, score_with_pairs, scratch, progress)
    progress(0, 3, "white balance and exposure")
    baseline = _plain_baseline(data)
    gains = white_balance_of_patches(data.raw, baseline.white_balance)
    progress(1, 3, "content references")
    side = 2 * data.raw.packed.shape[-1]
    references = new_array(folder / REFERENCES, "|u1", (len(data.raw), 3, side, side))
    baseline = _fill_references(data, settings.reference, baseline, gains, seed, references)
    progress(2, 3, "synthetic pairs")
    synthetic = _synthetic_pairs(data, baseline, gains, seed, folder) if settings.wants_synthetic_pairs else None
    progress(3, 3, None)
    training = TrainingData(data.raw, data.photos, references, seed, synthetic=synthetic)
    pairs = validation_pairs(data.pairs)
    scoring = ScoringSet(data.raw, references, data.photos, synthetic, pairs, score_with_pairs and bool(pairs))
    scoring.chosen_score(settings.score)
    scoring.anchors = make_anchors(scoring, gains, baseline, data.pairs)
    return Prepared(training, scoring, baseline)


def _plain_baseline(data: UnpairedData) -> ClassicalBaseline:
    """White balance, matrix and exposure of the captures, without a transport."""
    white_balance, color_matrix = common_white_balance(data.raw), common_color_matrix(data.raw)
    exposure = matching_exposure(data, look_of(white_balance, color_matrix))
    return ClassicalBaseline(white_balance, color_matrix, exposure, identity_transport())


def _fill_references(
    data: UnpairedData,
    kind: ReferenceKind,
    baseline: ClassicalBaseline,
    gains: Tensor,
    seed: int,
    references: NDArray[np.uint8],
) -> ClassicalBaseline:
    """Fill `(N, 3, S, S)` with references of a kind; the baseline with the transport that was fitted for them."""
    if kind in ("published", "published-gray-world"):
        published_pictures(data.raw, kind == "published-gray-world", references)
        return baseline
    look = look_of(baseline.white_balance, baseline.color_matrix)
    classical_pictures(data.raw, look, gains, baseline.exposure, references)
    if kind != "transported":
        return baseline
    transport = fitted_transport(references, data.photos, seed, captures=len(set(data.raw.stems)))
    for part in chunks(references):
        part[:] = transported_pictures(part, transport)
    return replace(baseline, transport=transport)


def _synthetic_pairs(
    data: UnpairedData, baseline: ClassicalBaseline, gains: Tensor, seed: int, folder: Path
) -> SyntheticPairs:
    """Synthetic RAW of all photos, by a camera fitted to the captures."""
    look = baseline.white_balance, baseline.exposure, baseline.color_matrix
    camera = fit_camera(data.raw, data.photos, *look, seed, gains)
    packed = new_array(folder / SYNTHETIC, "<u2", (len(data.photos), *data.raw.packed.shape[1:]))
    synthetic_mosaics(data.photos, camera, seed, packed)
    return SyntheticPairs(packed, data.photos, camera, seed)
