"""Steps are fitted to a time by one factor."""

from pathlib import Path

import pytest

from nas_isp.adversarial import pace
from nas_isp.adversarial.prepare import prepare_paired
from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_pairs
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.recipe import TrainSettings, WarmStartSettings

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=4),))


def test_steps_grow_together_up_to_the_largest_stretch(tmp_path: Path) -> None:
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0)
    settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=100), steps=50)
    fitted = pace.fitted_to(10_000.0, SMALL, data, settings, "cpu")
    assert (fitted.warm_start.steps, fitted.steps) == (400, 200)


def test_steps_shrink_together_down_to_the_fewest(tmp_path: Path) -> None:
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0)
    many = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=2_000_000), steps=1_000_000)
    fitted = pace.fitted_to(0.01, SMALL, data, many, "cpu")
    assert fitted.warm_start.steps == pytest.approx(2 * fitted.steps, abs=2) or fitted.steps == pace.SMALLEST_STEPS


def test_a_training_without_adversarial_steps_stays_without(tmp_path: Path) -> None:
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0)
    settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=100), steps=0)
    assert pace.fitted_to(1.0, SMALL, data, settings, "cpu").steps == 0
