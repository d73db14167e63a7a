"""What trainings on one data set are scored on: patches, pairs and photos that stay the same from step to step."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nas_isp.data.patches import PhotoPatches, as_pictures
from nas_isp.errors import InputError
from nas_isp.evaluation.reference_free import TargetStatistics, target_statistics
from nas_isp.perceptual.network import FeatureNetwork
from nas_isp.preparation.content_reference import spread
from nas_isp.preparation.network_inputs import NetworkInputs
from nas_isp.preparation.synthetic_pairs import SyntheticPairs
from nas_isp.preparation.validation_pairs import ValidationPair
from nas_isp.recipe.score_registry import AUTO, SCORES

TEST_PATCHES = 48
STATISTICS_PHOTOS = 192


@dataclass(frozen=True)
class Anchors:
    """Classical renderings of what a scoring set holds, each in its own light; see `preparation.anchors`.

    Attributes:
        captures: uint8 `(B, 3, S, S)`, of the test patches.
        synthetic: uint8 `(M, 3, S, S)`, of the synthetic test pairs; None where there are none.
        on_pairs: `psnr` in dB and `delta_e00` of the rendering on the true pairs; empty without any.
    """

    captures: NDArray[np.uint8] = field(repr=False)
    synthetic: NDArray[np.uint8] | None = field(default=None, repr=False)
    on_pairs: dict[str, float] = field(default_factory=dict)


@dataclass
class ScoringSet:
    """The fixed material of scores; read-only but for statistics that are computed once.

    Attributes:
        inputs: the training's RAW patches, of which some spread over all are the test patches.
        references: uint8 `(N, 3, S, S)`, the content reference of each RAW patch.
        photos: the target photos.
        synthetic: photos with synthetic RAW of them, if there is any.
        pairs: packed pictures `(4, h, w)` with their true photos `(2h, 2w, 3)`; often none.
        score_with_pairs: whether PSNR on the pairs is the quality, where a recipe leaves that open.
        anchors: the classical rendering of all this; None where nothing says how to render, or scores are older.
    """

    inputs: NetworkInputs
    references: NDArray[np.uint8]
    photos: PhotoPatches
    synthetic: SyntheticPairs | None = None
    pairs: list[ValidationPair] = field(default_factory=list)
    score_with_pairs: bool = False
    anchors: Anchors | None = None
    _statistics: dict[tuple[str, torch.device], TargetStatistics] = field(default_factory=dict, repr=False)

    def test_batch(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """The test patches: network inputs `(B, 4, h, w)` and its references, sRGB 0..1 `(B, 3, 2h, 2w)`."""
        indices = self.test_indices
        return self.inputs.tensor(indices, device), as_pictures(self.references[indices], device)

    @property
    def test_indices(self) -> NDArray[np.intp]:
        """Of the test patches."""
        return spread(len(self.inputs.raw), TEST_PATCHES)

    def chosen_score(self, wanted: str) -> str:
        """The member of `SCORES` that quality is from: the one that a recipe wants, or what `auto` stands for here.

        Raises:
            InputError: no such score, or one that needs true pairs where there are none.
        """
        if wanted == AUTO:
            return "psnr" if self.score_with_pairs else "reference-free"
        if SCORES[wanted].pairs and not self.pairs:
            raise InputError(f"score '{wanted}' needs true pairs: give some, or another score in the recipe", "val")
        return wanted

    def target_statistics(self, features: FeatureNetwork, device: torch.device) -> TargetStatistics:
        """Statistics of the target photos, computed once for a network and a device."""
        key = features.name, device
        if key not in self._statistics:
            photos = self.photos.tensor(spread(len(self.photos), STATISTICS_PHOTOS), device)
            with torch.no_grad():
                self._statistics[key] = target_statistics(photos, features)
        return self._statistics[key]
