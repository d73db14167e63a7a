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


@pytest.mark.parametrize(("seconds", "grows"), [(0.01, False), (10_000.0, True)])
def test_steps_shrink_and_grow_together_within_their_bounds(seconds: float, grows: bool, tmp_path: Path) -> None:
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0)
    settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=1_000_000), steps=500_000)
    if grows:
        settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=100), steps=50)
    fitted = pace.fitted_to(seconds, SMALL, data, settings, "cpu")
    expected = (400, 200) if grows else (fitted.warm_start.steps, fitted.steps)
    assert (fitted.warm_start.steps, fitted.steps) == expected
    assert fitted.warm_start.steps >= pace.SMALLEST_STEPS
    if not grows:
        assert fitted.warm_start.steps < 10_000


def test_a_training_without_adversarial_steps_stays_without(tmp_path: Path) -> None:
    data = prepare_paired(load_pairs(demo_folders(tmp_path)[2]), size=32, seed=0)
    settings = TrainSettings(patch=32, batch=1, warm_start=WarmStartSettings(steps=100), steps=0)
    assert pace.fitted_to(1.0, SMALL, data, settings, "cpu").steps == 0
