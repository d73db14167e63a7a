"""The evaluator of real trials: real training of a tiny network on the demo set."""

from pathlib import Path

import pytest

from nas_isp.generators.bundle import RAW_FOLDER, load_bundle
from nas_isp.recipe import TrainSettings, WarmStartSettings
from nas_isp.search.run import SearchRequest, open_search
from nas_isp.search.space import load_space
from nas_isp.search.trial import TrainerFactory
from nas_isp.search.workers import RungTask, TrialFailedError, TrialInterruptedError
from nas_isp.training.trainer import Trainer, TrainingDiverged

SETTINGS = TrainSettings(patch=32, batch=2, steps=2, warm_start=WarmStartSettings(steps=4))


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> TrainerFactory:
    folder = tmp_path_factory.mktemp("study")
    recipe = folder.parent / "recipe.yaml"
    recipe.write_text(
        "description: d\ntrain: {patch: 32, batch: 2}\n"
        "teacher: {architecture: {blocks: [{kind: conv3, channels: 4}]}}\n"
    )
    opened = open_search(SearchRequest(study=folder / "s", recipe=str(recipe)), lambda text: None)
    opened.study.close()
    return TrainerFactory(folder / "s" / "data" / "prepared", SETTINGS, seed=0, raw=folder)


def task(folder: Path, until_step: int, is_last: bool = False) -> RungTask:
    return RungTask(0, load_space("tiny").anchors[0].to_json(), folder, until_step, is_last)


@pytest.mark.slow
def test_two_stages_reach_what_one_reaches(factory: TrainerFactory, tmp_path: Path) -> None:
    evaluator, other = factory(), factory()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    evaluator.evaluate(task(tmp_path / "a", 3), lambda: False)
    halved = factory().evaluate(task(tmp_path / "a", 6, is_last=True), lambda: False)
    whole = other.evaluate(task(tmp_path / "b", 6, is_last=True), lambda: False)

    assert halved.step == whole.step == 6
    assert halved.quality == pytest.approx(whole.quality, abs=1e-4)
    bundle = load_bundle(tmp_path / "a" / "model.safetensors")
    assert bundle.record.origin[RAW_FOLDER] == str(factory.raw)


@pytest.mark.slow
def test_an_interrupted_training_has_saved_its_step(factory: TrainerFactory, tmp_path: Path) -> None:
    asked = iter([False, False, True])

    with pytest.raises(TrialInterruptedError):
        factory().evaluate(task(tmp_path, 6), lambda: next(asked))

    assert (tmp_path / "checkpoint.pt").is_file()
    assert not (tmp_path / "model.safetensors").exists()
    assert factory().evaluate(task(tmp_path, 6), lambda: False).step == 6


@pytest.mark.slow
def test_a_divergence_is_the_trials_failure(
    factory: TrainerFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(self: Trainer, until_step: int | None = None) -> None:
        raise TrainingDiverged("step 3: content is not a finite number")

    monkeypatch.setattr(Trainer, "train", diverge)

    with pytest.raises(TrialFailedError, match="step 3: content is not a finite number"):
        factory().evaluate(task(tmp_path, 6), lambda: False)
