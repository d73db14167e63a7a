"""A training starts alive, improves, resumes to the same history, and stops with a reason when it breaks."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_pairs, load_unpaired
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.bundle import network_of
from nas_isp.generators.published import PUBLISHED
from nas_isp.preparation.paired import prepare_paired
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import save_prepared
from nas_isp.raw.synthesis import SyntheticCamera
from nas_isp.recipe import TrainSettings, WarmStartSettings, load_recipe
from nas_isp.training import trainer as trainer_module
from nas_isp.training.scoring import score
from nas_isp.training.trainer import Trainer, TrainingDiverged
from nas_isp.training.training_run import TrainingRun

KILLED_TRAINING = """
import sys
from pathlib import Path
import torch
from nas_isp.training import trainer
from nas_isp.training.training_run import TrainingRun
from nas_isp.preparation.prepared_files import load_prepared
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.recipe import TrainSettings

torch.set_num_threads(1)
trainer.CHECKPOINT_SECONDS = 0.1
folder, name = Path(sys.argv[1]), sys.argv[2]
settings = TrainSettings.model_validate_json((folder / "settings.json").read_text())
architecture = PlainArchitecture(blocks=(Block(kind="conv3", channels=8),))
trainer.Trainer(architecture, load_prepared(folder / "prepared"), settings, TrainingRun(folder / name)).train()
"""

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=8),))
QUICK = TrainSettings(patch=64, batch=2, warm_start=WarmStartSettings(steps=20), steps=10, selections=0)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return demo_folders(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def data(demo: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    raw, rgb, pairs = demo
    unpaired = load_unpaired(raw, rgb, tmp_path_factory.mktemp("cache"), QUICK.patch, val_dir=pairs, limit=64)
    return prepare(unpaired, QUICK, seed=0, score_with_pairs=False)


def _history(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def _assert_goes_on(resumed: Trainer, step: int, whole: Trainer) -> None:
    """A training taken up at a step comes to the history and weights of one without a break."""
    assert resumed.step == step
    resumed.train()
    assert _history(resumed.folder) == _history(whole.folder)
    for name, value in whole.averaged.state_dict().items():
        torch.testing.assert_close(resumed.averaged.state_dict()[name], value, rtol=1e-4, atol=1e-7)


def test_regression_then_adversarial_steps_leave_history_sample_and_checkpoint(data: Prepared, tmp_path: Path) -> None:
    outcome = Trainer(SMALL, data, QUICK, TrainingRun(tmp_path)).train()
    assert outcome.step == 30
    assert outcome.score_kind == "reference-free"
    assert outcome.quality == outcome.scores["reference_free"]
    steps = [row["step"] for row in _history(tmp_path)]
    assert steps == [20, 30]
    assert {"texture_fine", "texture_coarse", "color", "content", "pixel"} <= _history(tmp_path)[1].keys()
    assert (tmp_path / "sample.png").is_file()
    assert (tmp_path / "checkpoint.pt").is_file()


def test_a_longer_training_scores_better_than_the_start(data: Prepared, tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"warm_start": WarmStartSettings(steps=120), "steps": 0})
    trainer = Trainer(SMALL, data, settings, TrainingRun(tmp_path))
    start = trainer.score()
    end = trainer.train()
    assert end.quality > start.quality + 0.1
    assert end.scores["psnr"] > start.scores["psnr"] + 1


def test_an_interrupted_training_resumes_to_the_same_history_and_weights(data: Prepared, tmp_path: Path) -> None:
    whole = Trainer(SMALL, data, QUICK, TrainingRun(tmp_path / "whole", seed=3))
    whole.train()

    def interrupt(done: int, total: int) -> None:
        if done == 25:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer(SMALL, data, QUICK, TrainingRun(tmp_path / "parts", seed=3), interrupt).train()
    _assert_goes_on(Trainer(SMALL, data, QUICK, TrainingRun(tmp_path / "parts", seed=3)), 25, whole)


def test_a_training_interrupted_within_a_step_resumes_to_the_same_history_and_weights(
    data: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "CHECKPOINT_SECONDS", 0.0)
    whole = Trainer(SMALL, data, QUICK, TrainingRun(tmp_path / "whole", seed=3))
    whole.train()
    interrupted = Trainer(SMALL, data, QUICK, TrainingRun(tmp_path / "parts", seed=3))
    average = interrupted.learner.average
    follow = average.follow

    def interrupt(generator: nn.Module) -> None:
        follow(generator)
        if interrupted.step == 25:  # Adam's step 26 is done, but not yet counted
            raise KeyboardInterrupt

    monkeypatch.setattr(average, "follow", interrupt)
    with pytest.raises(KeyboardInterrupt):
        interrupted.train()
    _assert_goes_on(Trainer(SMALL, data, QUICK, TrainingRun(tmp_path / "parts", seed=3)), 25, whole)


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_history_and_scores(
    demo: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    raw, rgb, _ = demo
    settings = QUICK.model_copy(update={"steps": 50, "selections": 2})
    prepared = prepare(load_unpaired(raw, rgb, tmp_path / "cache", 64, limit=32), settings, seed=0)
    save_prepared(prepared, tmp_path / "prepared")
    (tmp_path / "settings.json").write_text(settings.model_dump_json())
    run = [sys.executable, "-c", KILLED_TRAINING, str(tmp_path)]
    subprocess.run([*run, "whole"], check=True)
    process = subprocess.Popen([*run, "killed"])
    checkpoint, begun = tmp_path / "killed" / "checkpoint.pt", time.monotonic()
    try:
        while not (checkpoint.is_file() and (tmp_path / "killed" / "history.jsonl").is_file()):
            assert process.poll() is None
            assert time.monotonic() < begun + 120
            time.sleep(0.01)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "sample.png").exists()
    subprocess.run([*run, "killed"], check=True)
    for name in ("history.jsonl", "scores.jsonl"):
        assert (tmp_path / "killed" / name).read_text() == (tmp_path / "whole" / name).read_text()


def test_a_checkpoint_of_other_settings_is_refused(data: Prepared, tmp_path: Path) -> None:
    Trainer(SMALL, data, QUICK, TrainingRun(tmp_path)).save()
    with pytest.raises(InputError, match="another architecture, seed, settings or data"):
        Trainer(SMALL, data, QUICK, TrainingRun(tmp_path, seed=1))


def test_a_damaged_checkpoint_is_one_clear_error(data: Prepared, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="not a readable checkpoint"):
        Trainer(SMALL, data, QUICK, TrainingRun(tmp_path))


def test_weights_that_are_not_numbers_end_the_training_with_the_reason(data: Prepared, tmp_path: Path) -> None:
    trainer = Trainer(SMALL, data, QUICK, TrainingRun(tmp_path))
    with torch.no_grad():
        next(trainer.generator.parameters()).fill_(float("nan"))
    with pytest.raises(TrainingDiverged, match=r"l1_.* is not a finite number"):
        trainer.train()


def test_a_training_whose_picture_is_lost_stops(data: Prepared, tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"learning_rate": 5.0, "steps": 40})
    with pytest.raises(TrainingDiverged, match=r"away from the reference|not a finite number"):
        Trainer(SMALL, data, settings, TrainingRun(tmp_path)).train()


def test_the_best_weights_are_kept_with_their_score(data: Prepared, tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"selections": 2, "steps": 40, "learning_rate": 0.3})
    trainer = Trainer(SMALL, data, settings, TrainingRun(tmp_path))
    outcome = trainer.train()
    rows = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [20, 40, 60]
    assert {row["score_kind"] for row in rows} == {"reference-free"}
    best = max(rows, key=lambda row: row["quality"])
    assert outcome.step == best["step"] < 60  # so large a rate makes the regression's result worse
    assert outcome.quality == pytest.approx(best["quality"], rel=1e-4)
    net, cpu = network_of(trainer.bundle({}), "kept"), torch.device("cpu")
    kept = score(net, data.scoring, trainer.features, 0, cpu, "reference-free")
    assert kept.quality == pytest.approx(outcome.quality, rel=1e-4)
    resumed = Trainer(SMALL, data, settings, TrainingRun(tmp_path))
    assert resumed.score() == outcome


class _FlatGray:
    """Synthetic pairs that say that any RAW belongs to a gray picture."""

    camera = SyntheticCamera()

    def batch(self, step: int, size: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        packed = torch.rand(size, 4, 32, 32, generator=torch.Generator().manual_seed(step))
        return packed, torch.full((size, 3, 64, 64), 0.5)

    def test_batch(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        return self.batch(1000, 4, device)


def _with_synthetic(data: Prepared, pairs: Any) -> Prepared:
    training, scoring = replace(data.training, synthetic=pairs), replace(data.scoring, synthetic=pairs)
    return replace(data, training=training, scoring=scoring)


def test_synthetic_pairs_take_part_in_regression_and_adversarial_steps(data: Prepared, tmp_path: Path) -> None:
    warm_start = QUICK.warm_start.model_copy(update={"synthetic_share": 0.5})
    weights = QUICK.weights | {"synthetic": 5.0}
    settings = QUICK.model_copy(update={"warm_start": warm_start, "weights": weights, "steps": 20})
    trainers = {
        name: Trainer(SMALL, prepared, settings, TrainingRun(tmp_path / name))
        for name, prepared in (("without", _with_synthetic(data, None)), ("with", _with_synthetic(data, _FlatGray())))
    }
    for trainer in trainers.values():
        trainer.train()
    rows = _history(tmp_path / "with")
    assert {"l1_synthetic", "l1_reference"} <= rows[0].keys()
    assert "synthetic" in rows[1]
    assert "l1_synthetic" not in _history(tmp_path / "without")[0]
    packed, wanted = _FlatGray().batch(100, 4, torch.device("cpu"))
    with torch.no_grad():
        far, near = ((trainer.averaged(packed) - wanted).abs().mean() for trainer in trainers.values())
    assert near < 0.7 * far


def test_the_published_recipe_trains_with_lite_features_and_resumes_exactly(data: Prepared, tmp_path: Path) -> None:
    recipe = load_recipe("arhire2025").train.overridden(steps=24, batch=2, features="lite")
    settings = recipe.model_copy(update={"patch": 64})
    whole = Trainer(SMALL, data, settings, TrainingRun(tmp_path / "whole"))
    dense = whole.adversarial.judges.discriminators["texture_fine"].dense.weight.clone()
    whole.train()
    assert torch.equal(whole.adversarial.judges.discriminators["texture_fine"].dense.weight, dense)
    first = Trainer(SMALL, data, settings, TrainingRun(tmp_path / "parts"))
    first.advance(15)
    first.save()
    second = Trainer(SMALL, data, settings, TrainingRun(tmp_path / "parts"))
    second.train()
    for name, value in whole.adversarial.judges.discriminators.state_dict().items():
        torch.testing.assert_close(
            second.adversarial.judges.discriminators.state_dict()[name], value, rtol=1e-5, atol=1e-7
        )
    for name, value in whole.generator.state_dict().items():
        torch.testing.assert_close(second.averaged.state_dict()[name], value, rtol=1e-4, atol=1e-6)


def test_paired_training_takes_the_photo_of_the_same_patch(demo: tuple[Path, Path, Path], tmp_path: Path) -> None:
    pairs = load_pairs(demo[2])
    paired = prepare_paired(pairs, size=64, seed=0, input_kind="balanced")
    packed, reference, photos, indices = paired.training.batch(0, 3, torch.device("cpu"))
    torch.testing.assert_close(reference, photos)
    whole = next(pair for pair in pairs if pair.stem == paired.training.inputs.raw.stems[int(indices[0])])
    corner = (reference[0] * 255).round().byte().permute(1, 2, 0).numpy()
    places = np.ndindex(whole.photo.shape[0] // 64, whole.photo.shape[1] // 64)
    assert any(np.array_equal(whole.photo[64 * r : 64 * r + 64, 64 * c : 64 * c + 64], corner) for r, c in places)
    assert packed.shape == (3, 4, 32, 32)
    outcome = Trainer(SMALL, paired, QUICK, TrainingRun(tmp_path)).train(10)
    assert outcome.score_kind == "psnr"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_every_published_network_trains_adversarially(name: str, data: Prepared, tmp_path: Path) -> None:
    outcome = Trainer(PUBLISHED[name], data, QUICK, TrainingRun(tmp_path)).train()
    assert np.isfinite(outcome.quality)


def test_a_training_ends_at_its_deadline_with_the_weights_it_has(data: Prepared, tmp_path: Path) -> None:
    def too_late(done: int, total: int) -> None:
        if done == 7:
            trainer.deadline = 0.0

    trainer = Trainer(SMALL, data, QUICK, TrainingRun(tmp_path), too_late)
    assert trainer.train().step == 7
    for name, value in trainer.generator.state_dict().items():
        torch.testing.assert_close(trainer.averaged.state_dict()[name], value)


def test_a_checkpoint_of_other_data_or_other_start_weights_is_refused(data: Prepared, tmp_path: Path) -> None:
    first = Trainer(SMALL, data, QUICK, TrainingRun(tmp_path))
    first.save()
    other = data.taught_by(255 - np.asarray(data.training.references))
    with pytest.raises(InputError, match="settings or data"):
        Trainer(SMALL, other, QUICK, TrainingRun(tmp_path))
    with pytest.raises(InputError, match="settings or data"):
        Trainer(SMALL, data, QUICK, TrainingRun(tmp_path, initial_weights=first.generator.state_dict()))


def test_steps_in_reduced_precision_run_and_stay_finite(data: Prepared, tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"frozen_precision": "bfloat16"})
    trainer = Trainer(SMALL, data, settings, TrainingRun(tmp_path))
    assert {weight.dtype for network in trainer.viewer.networks.values() for weight in network.parameters()} == {
        torch.bfloat16
    }
    outcome = trainer.train()
    assert np.isfinite(outcome.quality)
    assert "texture_fine" in _history(tmp_path)[1]


def test_paired_training_without_adversarial_terms_has_none(demo: tuple[Path, Path, Path], tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"mode": "paired-no-adv"})
    trainer = Trainer(
        SMALL, prepare_paired(load_pairs(demo[2]), 64, seed=0, input_kind="balanced"), settings, TrainingRun(tmp_path)
    )
    assert trainer.viewer.names == ("content",)
    assert not list(trainer.adversarial.judges.discriminators)
    trainer.train()
    assert {"content", "pixel", "total_variation"} <= _history(tmp_path)[-1].keys()
    assert not {"texture_fine", "texture_coarse", "color", "discriminators"} & _history(tmp_path)[-1].keys()


def test_a_loss_that_is_no_number_is_found_at_the_deadline_too(data: Prepared, tmp_path: Path) -> None:
    def break_and_end(done: int, total: int) -> None:
        with torch.no_grad():
            next(trainer.generator.parameters()).fill_(float("nan"))
        trainer.deadline = trainer.deadline if done < 3 else 0.0

    trainer = Trainer(SMALL, data, QUICK, TrainingRun(tmp_path), break_and_end)
    with pytest.raises(TrainingDiverged, match="l1"):
        trainer.train()


@pytest.mark.parametrize("change", [{"step": -1}, {"step": "x"}, {"learner": {}}, {"selection": None}])
def test_a_checkpoint_of_this_training_with_damaged_parts_is_refused(
    data: Prepared, tmp_path: Path, change: dict[str, object]
) -> None:
    Trainer(SMALL, data, QUICK, TrainingRun(tmp_path)).save()
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    torch.save(state | change, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt: a damaged checkpoint"):
        Trainer(SMALL, data, QUICK, TrainingRun(tmp_path))
