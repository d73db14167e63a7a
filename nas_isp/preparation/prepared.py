"""What all trainings on one data set share: what they learn from, are scored on, and have to beat."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nas_isp.preparation.classical_baseline import ClassicalBaseline
from nas_isp.preparation.content_reference import chunks
from nas_isp.preparation.scoring_set import ScoringSet
from nas_isp.preparation.training_data import TrainingData


@dataclass(frozen=True)
class Prepared:
    """A data set that is ready for one or many trainings; read-only and cheap to load."""

    training: TrainingData
    scoring: ScoringSet
    baseline: ClassicalBaseline

    @cached_property
    def digest(self) -> str:
        """Tells preparations of other data apart."""
        training, baseline, kind = self.training, self.baseline, self.training.inputs.kind
        camera = training.synthetic.camera.model_dump(mode="json") if training.synthetic else None
        facts = {
            "seed": training.seed,
            "paired": training.paired,
            "score_with_pairs": self.scoring.score_with_pairs,
            "input": kind.model_dump(mode="json"),
            "metering": baseline.network_input.model_dump(mode="json"),
            "color_matrix": baseline.color_matrix,
            "exposure": baseline.exposure,
            "look": baseline.look.model_dump(mode="json"),
            "camera": camera,
        }
        digest = hashlib.sha256(f"{json.dumps(facts)}{training.inputs.raw.stems}{training.photos.stems}".encode())
        for part in (*chunks(training.references), *(() if training.taught is None else chunks(training.taught))):
            digest.update(part.tobytes())
        return digest.hexdigest()

    def taught_by(self, pictures: NDArray[np.uint8]) -> "Prepared":
        """The same data to train on a teacher's pictures `(N, 3, S, S)` of the RAW patches.

        Scores stay towards the references, and so compare with those of other trainings.
        """
        return replace(self, training=replace(self.training, taught=pictures))
