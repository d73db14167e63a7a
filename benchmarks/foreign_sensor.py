"""Scores a network trained for one camera on RAW of another: as it comes, by white balance, and with both matrices.

Run: python benchmarks/foreign_sensor.py TRAINING_PHOTOS TEST_PHOTOS [--steps 800] [--limit 24]
Two synthetic cameras, told apart by crosstalk and light, take the same photos. EfficientISP is trained on true pairs of
the first camera alone. Prints one JSON object: PSNR and CIEDE2000 of `develop` on the test photos for RAW of the first
camera, and for RAW of the second one unadapted, with its gains only, with an estimated light, and fully adapted.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nas_isp.data.pairs import Pairs, load_pairs
from nas_isp.data.synthesize import synthesize_pairs
from nas_isp.develop.pipeline import develop
from nas_isp.evaluation.metrics import mean_scores
from nas_isp.generators.published import PUBLISHED
from nas_isp.preparation.paired import prepare_paired
from nas_isp.raw.image import RawImage
from nas_isp.raw.sensor import SensorDescription
from nas_isp.raw.synthesis import Matrix, SyntheticCamera
from nas_isp.recipe import load_recipe
from nas_isp.runtimes.torch_runner import TorchRunner
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

FIRST_CROSSTALK: Matrix = ((0.66, 0.30, 0.04), (0.16, 0.68, 0.16), (0.03, 0.39, 0.58))
SECOND_CROSSTALK: Matrix = ((0.85, 0.10, 0.05), (0.05, 0.80, 0.15), (0.00, 0.12, 0.88))


def main() -> None:
    """Make the pairs, train, and score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path, help="folder of photos")
    parser.add_argument("test", type=Path, help="folder of other photos")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--limit", type=int, default=24, help="photos of the test at most")
    settings = parser.parse_args()
    first = _camera("first", FIRST_CROSSTALK, red=2.3, blue=1.4)
    second = _camera("second", SECOND_CROSSTALK, red=1.5, blue=2.1)
    with tempfile.TemporaryDirectory(prefix="foreign-sensor-") as scratch:
        folder = Path(scratch)
        training = _taken(first, settings.training, folder / "training", None)
        train = load_recipe("default").train.overridden("paired-no-adv", 0, settings.steps, None, None, None)
        prepared = prepare_paired(training, train.patch, 0, train.input)
        trainer = Trainer(PUBLISHED["efficient-isp"], prepared, train, TrainingRun(folder / "run"))
        trainer.train()
        runner = TorchRunner(trainer.bundle({}), "model")
        own, foreign = (
            _taken(camera, settings.test, folder / camera.name, settings.limit) for camera in (first, second)
        )
        cases: dict[str, tuple[Pairs, bool, Callable[[RawImage], RawImage]]] = {
            "own": (own, True, lambda raw: raw),
            "unadapted": (foreign, False, lambda raw: raw),
            "gains": (foreign, True, lambda raw: replace(raw, color_matrix=None)),
            "estimated": (foreign, True, lambda raw: replace(raw, white_balance=None)),
            "adapted": (foreign, True, lambda raw: raw),
        }
        result = {}
        for name, (pairs, adapt, changed) in cases.items():
            scores = mean_scores((develop(runner, changed(pair.raw), adapt=adapt), pair.photo) for pair in pairs)
            result[name] = {"psnr": round(scores.psnr, 2), "delta_e00": round(scores.delta_e00, 2)}
    assert runner.sensor is not None
    print(json.dumps({"light": _gains(first), "taken_for_neutral": runner.sensor.white_balance, **result}, indent=2))


def _camera(name: str, crosstalk: Matrix, red: float, blue: float) -> SyntheticCamera:
    fixed = {"red_gain": (red, red), "blue_gain": (blue, blue), "tone_strength": (0.75, 0.75), "exposure": (0.8, 0.8)}
    return SyntheticCamera(name=name, warm_crosstalk=crosstalk, cool_crosstalk=crosstalk, vignetting=(0, 0), **fixed)


def _gains(camera: SyntheticCamera) -> tuple[float, float, float]:
    return camera.red_gain[0], 1.0, camera.blue_gain[0]


def _taken(camera: SyntheticCamera, photos: Path, into: Path, limit: int | None) -> Pairs:
    """Pairs whose sensor description says what a camera file would: as-shot gains and matrix."""
    import numpy as np

    synthesize_pairs(photos, into, limit=limit, camera=camera)
    matrix = np.linalg.inv(np.array(camera.cool_crosstalk))
    colors = {"white_balance": _gains(camera), "color_matrix": matrix / matrix.sum(1, keepdims=True)}
    described: SensorDescription = camera.sensor()
    facts = {**described.model_dump(), **colors, "color_matrix": colors["color_matrix"].tolist()}
    return load_pairs(into, sensor=SensorDescription.model_validate(facts))


if __name__ == "__main__":
    main()
