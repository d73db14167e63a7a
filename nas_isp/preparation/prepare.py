"""Prepares unpaired data once for all trainings on it: classical baseline, content references, synthetic pairs."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.patch_files import new_array
from nas_isp.data.patches import RawPatches, UnpairedData
from nas_isp.preparation.anchors import make_anchors
from nas_isp.preparation.camera_fit import fit_camera
from nas_isp.preparation.classical_baseline import ClassicalBaseline
from nas_isp.preparation.content_reference import (
    classical_pictures,
    common_white_balance,
    fill_looks,
    rendering_of,
    white_balance_of_patches,
)
from nas_isp.preparation.fitted_baseline import fitted_baseline
from nas_isp.preparation.network_inputs import NetworkInputs, network_inputs
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import REFERENCES, SYNTHETIC, SYNTHETIC_FACTORS, SYNTHETIC_GAINS
from nas_isp.preparation.published_reference import published_pictures
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.preparation.synthetic_pairs import SyntheticPairs, make_synthetic
from nas_isp.preparation.training_data import TrainingData
from nas_isp.preparation.validation_pairs import validation_pairs
from nas_isp.progress import ReportsProgress, unseen
from nas_isp.raw.light import AS_SHOT, LightChoice
from nas_isp.raw.network_input import NetworkInput
from nas_isp.recipe import ReferenceKind, TrainSettings
from nas_isp.scratch import scratch_folder

Floats = NDArray[np.float32]


def prepare(
    data: UnpairedData,
    settings: TrainSettings,
    seed: int,
    score_with_pairs: bool = True,
    folder: Path | None = None,
    progress: ReportsProgress = unseen,
    light: LightChoice = AS_SHOT,
) -> Prepared:
    """Make the content references of unpaired data (see `TrainSettings.reference`) and, if wanted, synthetic pairs.

    The default reference is a classical rendering with the look of the photos.

    Args:
        score_with_pairs: whether PSNR on the pairs of `data`, if it has some, is the quality of trainings whose recipe
            leaves that open.
        folder: where the large arrays are made, memory-mapped; `save_prepared` into it writes only what is missing.
            None keeps them until the process ends.
        light: which light is neutral in a capture.

    Raises:
        InputError: the folder cannot be written or has no room, or the recipe wants a score that needs true pairs.
    """
    if folder is None:
        # What is memory-mapped stays readable after its file's name is gone.
        with scratch_folder() as scratch:
            return prepare(data, settings, seed, score_with_pairs, scratch, progress, light)
    progress(0, 3, "light, exposure and look")
    raw, common = data.raw, common_white_balance(data.raw, light)
    gains = white_balance_of_patches(raw, common, light)
    baseline = fitted_baseline(raw, data.photos, gains, common, light, metered=settings.input == "balanced")
    inputs = network_inputs(raw, gains, baseline.network_input if settings.input == "balanced" else NetworkInput())
    progress(1, 3, "content references")
    side = 2 * raw.packed.shape[-1]
    references = new_array(folder / REFERENCES, "|u1", (len(raw), 3, side, side))
    _fill_references(raw, settings.reference, baseline, gains, references)
    progress(2, 3, "synthetic pairs")
    synthetic = (
        _synthetic_pairs(data, baseline, gains, inputs, seed, folder) if settings.wants_synthetic_pairs else None
    )
    progress(3, 3, None)
    training = TrainingData(inputs, data.photos, references, seed, synthetic=synthetic)
    pairs = validation_pairs(data.pairs, inputs.kind)
    scoring = ScoringSet(inputs, references, data.photos, synthetic, pairs, score_with_pairs and bool(pairs))
    scoring.chosen_score(settings.score)
    scoring.anchors = make_anchors(scoring, gains, baseline, data.pairs)
    return Prepared(training, scoring, baseline)


def _fill_references(
    raw: RawPatches,
    kind: ReferenceKind,
    baseline: ClassicalBaseline,
    gains: Floats,
    references: NDArray[np.uint8],
) -> None:
    """Fill `(N, 3, S, S)` with references of a kind."""
    if kind in ("published", "published-gray-world"):
        published_pictures(raw, kind == "published-gray-world", references)
    elif kind == "plain":
        rendering = rendering_of(baseline.white_balance, baseline.color_matrix)
        classical_pictures(raw, rendering, gains, baseline.exposure, references)
    else:
        fill_looks(raw, network_inputs(raw, gains, baseline.network_input).factors, baseline.look, references)


def _synthetic_pairs(
    data: UnpairedData, baseline: ClassicalBaseline, gains: Floats, inputs: NetworkInputs, seed: int, folder: Path
) -> SyntheticPairs:
    """Synthetic RAW of all photos, by the look undone and a camera fitted to the captures."""
    camera = fit_camera(data.raw, data.photos, gains)
    packed = new_array(folder / SYNTHETIC, "<u2", (len(data.photos), *data.raw.packed.shape[1:]))
    taken, factors = (
        new_array(folder / name, "<f4", (len(data.photos), 3)) for name in (SYNTHETIC_GAINS, SYNTHETIC_FACTORS)
    )
    make_synthetic(data.photos, baseline.look, camera, inputs.kind, seed, packed, taken, factors)
    return SyntheticPairs(packed, taken, factors, data.photos, camera, seed)
