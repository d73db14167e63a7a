"""Steps are fitted to a time; the regression keeps its own as long as it can."""

import math
from pathlib import Path

import pytest

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_pairs
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.preparation.paired import prepare_paired
from nas_isp.recipe import TrainSettings, WarmStartSettings
from nas_isp.training import time_budget
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=4),))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (40.0, (100, 50)),  # what was planned: 100 x 0.1 s + 50 x 0.6 s
        (80.0, (200, 100)),  # twice the time
        (10_000.0, (400, 200)),  # the largest stretch
        (25.0, (100, 25)),  # 10 s of regression fit into 60 %; 15 s are left
        (10.0, (60, 20)),  # 60 % for the regression; the fewest adversarial steps
        (0.1, (20, 20)),
    ],
)
def test_less_time_is_taken_from_the_adversarial_steps_first(seconds: float, expected: tuple[int, int]) -> None:
    assert time_budget.fitted_steps(seconds, 100, 50, regression_s=0.1, adversarial_s=0.6) == expected


def test_measured_steps_grow_together_up_to_the_largest_stretch(tmp_path: Path) -> None:
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0, input_kind="balanced")
    settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=100), steps=50)
    fitted = time_budget.fitted_to(10_000.0, SMALL, data, settings, TrainingRun(tmp_path / "run"))
    assert (fitted.warm_start.steps, fitted.steps) == (400, 200)


def test_a_training_without_adversarial_steps_stays_without(tmp_path: Path) -> None:
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0, input_kind="balanced")
    settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=100), steps=0)
    assert time_budget.fitted_to(1.0, SMALL, data, settings, TrainingRun(tmp_path / "run")).steps == 0


def test_a_training_with_a_checkpoint_keeps_the_steps_it_was_given(tmp_path: Path) -> None:
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0, input_kind="balanced")
    settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=30), steps=0)
    first = time_budget.fitted_to(10_000.0, SMALL, data, settings, TrainingRun(tmp_path / "run"))
    Trainer(SMALL, data, first, TrainingRun(tmp_path / "run")).save()

    assert time_budget.fitted_to(0.001, SMALL, data, settings, TrainingRun(tmp_path / "run")) == first
    other = settings.model_copy(update={"batch": 2})
    time_budget.fitted_to(0.001, SMALL, data, other, TrainingRun(tmp_path / "run"))
    kept = time_budget.FittedSteps.model_validate_json((tmp_path / "run" / time_budget.PACE_FILE).read_text())
    assert kept.planned == other  # other settings were measured anew


def test_what_the_first_scoring_needs_once_is_made_while_the_pace_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it takes its time out of the middle of a training that was fitted without it."""
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0, input_kind="balanced")
    settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=100), steps=0)
    fitted = time_budget.fitted_to(1.0, SMALL, data, settings, TrainingRun(tmp_path / "run"))
    monkeypatch.delattr("nas_isp.preparation.scoring_set.target_statistics")
    trainer = Trainer(SMALL, data, fitted, TrainingRun(tmp_path / "run"))
    assert math.isfinite(trainer.score().scores["reference_free"])
