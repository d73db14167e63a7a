"""Renders what trainings are scored on classically, each picture in its own light: the anchor of looks, and the rival.

Gains are the capture's own where it names any, and else what content references take; matrix and exposure are those of
the whole set.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from nas_isp.data.patches import Pairs
from nas_isp.evaluation.metrics import Image8, psnr_and_difference, to_8_bit
from nas_isp.preparation.classical_baseline import ClassicalBaseline
from nas_isp.preparation.content_reference import chunks, to_bytes
from nas_isp.preparation.scoring_set import Anchors, ScoringSet
from nas_isp.preparation.synthetic_pairs import SyntheticPairs
from nas_isp.preparation.validation_pairs import central_pair, chosen_pairs
from nas_isp.raw.packing import pack

Floats = NDArray[np.float32]


def make_anchors(scoring: ScoringSet, gains: Floats, baseline: ClassicalBaseline, pairs: Pairs | None) -> Anchors:
    """Render the test patches, the synthetic test pairs and the true pairs of a scoring set.

    Args:
        scoring: whose material is rendered.
        gains: of every RAW patch `(N, 3)`.
        baseline: matrix and exposure of the renderings, and the gains of pairs that name none.
        pairs: the true pairs, as `validation_pairs` took them.
    """
    parts = chunks(scoring.test_indices)
    raw = scoring.inputs.raw
    captures = [to_bytes(baseline.render(raw.tensor(part), torch.from_numpy(gains[part]))) for part in parts]
    synthetic = None if scoring.synthetic is None else _of_synthetic(scoring.synthetic, baseline)
    return Anchors(np.concatenate(captures), synthetic, on_pairs(pairs, baseline))


def on_pairs(pairs: Pairs | None, baseline: ClassicalBaseline) -> dict[str, float]:
    """`psnr` and `delta_e00` of the rendering on true pairs; empty without any."""
    return psnr_and_difference(_of_pairs(pairs, baseline)) if pairs else {}


def _of_synthetic(synthetic: SyntheticPairs, baseline: ClassicalBaseline) -> NDArray[np.uint8]:
    rendered = []
    for part in chunks(synthetic.test_indices):
        packed = synthetic.unbalanced(part, torch.device("cpu"))
        rendered.append(to_bytes(baseline.render(packed, torch.from_numpy(synthetic.gains[part]))))
    return np.concatenate(rendered)


def _of_pairs(pairs: Pairs, baseline: ClassicalBaseline) -> Iterator[tuple[Image8, Image8]]:
    for pair in chosen_pairs(pairs):
        packed, photo = central_pair(pack(pair.raw), pair.photo)
        gains = None if pair.raw.white_balance is None else torch.tensor(pair.raw.white_balance)
        yield to_8_bit(baseline.render(packed[None], gains))[0], photo
