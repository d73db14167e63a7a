"""A student learns its teacher's pictures, not the reference it was born from."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_unpaired
from nas_isp.distillation.distill import Distilled, pictures_of, train_student
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.bundle import network_of
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.prepared import Prepared
from nas_isp.progress import unseen
from nas_isp.recipe import TrainSettings, WarmStartSettings
from nas_isp.training.scoring import score
from nas_isp.training.train_to_bundle import train_in
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=8),))
LARGER = PlainArchitecture(blocks=(Block(kind="conv3", channels=16), Block(kind="conv3", channels=16)))
QUICK = TrainSettings(patch=64, batch=4, warm_start=WarmStartSettings(steps=40), steps=5)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    raw, rgb, pairs = demo_folders(tmp_path_factory.mktemp("demo"))
    unpaired = load_unpaired(raw, rgb, tmp_path_factory.mktemp("cache"), QUICK.patch, val_dir=pairs, limit=48)
    return prepare(unpaired, QUICK, seed=0, score_with_pairs=False)


@pytest.fixture
def candidate(data: Prepared, tmp_path: Path) -> Trainer:
    return Trainer(SMALL, data, QUICK, TrainingRun(tmp_path / "candidate"))


def test_the_student_comes_closer_to_its_teacher(data: Prepared, candidate: Trainer, tmp_path: Path) -> None:
    teacher = train_in(TrainingRun(tmp_path / "t"), LARGER, data, QUICK, {}).bundle
    teacher.weights["tail.conv.bias"] += 0.1  # a teacher that differs from the reference everywhere
    warm_start = WarmStartSettings(steps=80, feature_weight=0.1, synthetic_share=0.0)
    settings = QUICK.model_copy(update={"steps": 0, "warm_start": warm_start})
    before = candidate.bundle({})
    taught = data.taught_by(pictures_of(teacher, data, "cpu", unseen))
    student = train_student(before, taught, settings, TrainingRun(tmp_path / "s"), {"command": "test"})

    packed, _ = data.scoring.test_batch(torch.device("cpu"))
    with torch.no_grad():
        wanted, old, new = (network_of(bundle, "test")(packed) for bundle in (teacher, before, student.bundle))
    assert (new - wanted).abs().mean() < 0.6 * (old - wanted).abs().mean()
    assert student.bundle.record.origin["role"] == "student"
    assert student.bundle.record.scores["quality"] == student.outcome.quality


def test_the_students_score_compares_with_its_teachers(data: Prepared, candidate: Trainer, tmp_path: Path) -> None:
    before = candidate.bundle({})
    black = data.taught_by(np.zeros_like(data.training.references))
    settings = QUICK.model_copy(update={"steps": 0, "warm_start": WarmStartSettings(steps=20, synthetic_share=0.0)})
    student = train_student(before, black, settings, TrainingRun(tmp_path / "s"), {"command": "test"})
    net, cpu = network_of(student.bundle, "test"), torch.device("cpu")
    measured = score(net, data.scoring, candidate.features, 0, cpu, "reference-free")
    assert student.outcome.quality == pytest.approx(measured.quality, rel=1e-4)


def test_teacher_pictures_are_its_outputs_in_eight_bits(data: Prepared, candidate: Trainer) -> None:
    bundle = candidate.bundle({})
    pictures = pictures_of(bundle, data, "cpu", unseen)
    assert pictures.shape == data.training.references.shape
    with torch.no_grad():
        expected = (
            (network_of(bundle, "test")(data.training.inputs.tensor([7], torch.device("cpu"))).clamp(0, 1) * 255)
            .round()[0]
            .numpy()
        )
    assert np.abs(pictures[7].astype(float) - expected).max() <= 1


@pytest.mark.parametrize(
    ("before", "after", "kept"), [(2.0, 3.0, "student"), (3.0, 2.0, "candidate"), (2.0, 2.0, "student")]
)
def test_the_candidate_is_kept_where_it_scores_higher(
    candidate: Trainer, before: float, after: float, kept: str
) -> None:
    old, new = (
        candidate.bundle({}, {"quality": quality, "score_kind": "reference-free"}) for quality in (before, after)
    )
    assert Distilled(old, old, new).best is {"candidate": old, "student": new}[kept]


def test_scores_of_two_kinds_do_not_compare_and_the_student_is_taken(candidate: Trainer) -> None:
    old = candidate.bundle({}, {"quality": 30.0, "score_kind": "psnr"})
    new = candidate.bundle({}, {"quality": 2.0, "score_kind": "reference-free"})
    assert Distilled(old, old, new).best is new


def test_scores_have_the_classical_rendering_as_a_role_of_its_own(candidate: Trainer) -> None:
    recorded = candidate.recorded(candidate.score())
    bundle = candidate.bundle({}, recorded)
    older = candidate.bundle({}, {"quality": 2.0, "score_kind": "reference-free"})
    distilled = Distilled(bundle, older, bundle)
    assert list(distilled.scores()) == ["candidate", "teacher", "student", "classical"]
    assert distilled.scores()["classical"] == recorded["classical"]
    assert "classical" not in distilled.scores()["candidate"]
    assert bundle.record.scores["classical"] == recorded["classical"]
    said = distilled.said()
    assert said[0].startswith("the student, beside the classical rendering: cast: ")
    assert list(Distilled(older, older, older).scores()) == ["candidate", "teacher", "student"]
