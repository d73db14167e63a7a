"""A whole study, a preparation and a training that can go on, and reading them."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from nas_isp.data.patches import PhotoPatches, RawPatches
from nas_isp.evaluation.appearance import Appearance
from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.preparation.classical_baseline import ClassicalBaseline
from nas_isp.preparation.look import Look, usual_tone
from nas_isp.preparation.network_inputs import NetworkInputs
from nas_isp.preparation.prepared import Prepared
from nas_isp.preparation.prepared_files import load_prepared, save_prepared
from nas_isp.preparation.scoring_set import Anchors, ScoringSet
from nas_isp.preparation.synthetic_pairs import SyntheticPairs
from nas_isp.preparation.training_data import TrainingData
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.synthesis import SyntheticCamera
from nas_isp.recipe import TrainSettings, WarmStartSettings
from nas_isp.report.page import page_html
from nas_isp.search.journal import open_journal
from nas_isp.search.locking import drop_torn_line
from nas_isp.search.models import load_architecture
from nas_isp.search.records import ClassicalRecord, Rung, TrialRecord
from nas_isp.search.study import Study
from nas_isp.training.trainer import Trainer
from nas_isp.training.training_run import TrainingRun
from tests.hostile import hostile_pictures as pictures
from tests.hostile.hostile_parts import Contents
from tests.search.search_tools import config

SMALL = PlainArchitecture(blocks=(Block(kind="conv3", channels=4),))
QUICK = TrainSettings(patch=32, batch=2, warm_start=WarmStartSettings(steps=4), steps=0, selections=0)


def make_preparation(folder: Path) -> None:
    """With true pairs and synthetic ones."""
    pictures.make_caches(folder)
    raw, photos = RawPatches.open(folder / "raw"), PhotoPatches.open(folder / "photos")
    references = np.zeros((len(raw), 3, 32, 32), np.uint8)
    ones = np.ones((len(photos), 3), np.float32)
    made = np.full((len(photos), 4, 16, 16), 512, np.uint16)
    synthetic = SyntheticPairs(made, ones, ones, photos, SyntheticCamera(), seed=0)
    balanced = NetworkInput(kind="balanced", white_balance=(2.0, 1.0, 1.5))
    inputs = NetworkInputs(raw, np.ones((len(raw), 3), np.float32), balanced)
    look = Look(color_matrix=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), tone=usual_tone())
    pairs = [(torch.zeros(4, 16, 16), np.zeros((32, 32, 3), np.uint8))]
    tested = [np.zeros((min(len(patches), 48), 3, 32, 32), np.uint8) for patches in (raw, photos)]
    anchors = Anchors(tested[0], tested[1], {"psnr": 20.0, "delta_e00": 10.0})
    prepared = Prepared(
        TrainingData(inputs, photos, references, seed=0, synthetic=synthetic),
        ScoringSet(inputs, references, photos, synthetic, pairs, anchors=anchors),
        ClassicalBaseline(None, 1.0, look, balanced),
    )
    save_prepared(prepared, folder / "prepared")


def read_preparation(folder: Path) -> None:
    prepared = load_prepared(folder / "prepared")
    training, scoring = prepared.training, prepared.scoring
    pictures.check_patches(training.inputs.raw, training.photos)
    packed, reference = scoring.test_batch(torch.device("cpu"))
    assert reference.shape[-1] == 2 * packed.shape[-1]
    assert prepared.baseline.render_with_look(packed).shape == reference.shape
    assert training.synthetic is not None
    assert len(training.synthetic.packed) == len(training.photos)
    assert scoring.anchors is not None
    assert scoring.anchors.captures.shape == reference.shape
    assert all(math.isfinite(value) for value in scoring.anchors.on_pairs.values())
    for pair, photo in scoring.pairs:
        assert (2 * pair.shape[1], 2 * pair.shape[2], 3) == photo.shape


def make_training(folder: Path) -> None:
    make_preparation(folder)
    _trainer(folder).train(2)


def resume(folder: Path) -> None:
    _trainer(folder).train(3)


def _trainer(folder: Path) -> Trainer:
    return Trainer(SMALL, load_prepared(folder / "prepared"), QUICK, TrainingRun(folder / "training"))


def make_study(folder: Path) -> None:
    study = Study.begin(folder / "study", config())
    optuna_study, journal = open_journal(study.folder / "journal.log", "tpe", 0)
    for number in range(3):
        trial = optuna_study.ask()
        trial.suggest_int("block0.channels_index", 0, 1)
        optuna_study.tell(trial, [number + 1.0, 10.0 * (number + 1)])
        record = TrialRecord(
            trial=number,
            state="complete",
            digest=SMALL.digest(),
            latency_ms=10.0 * (number + 1),
            params=100,
            gmacs=0.1,
            quality=number + 1.0,
            score_kind="psnr",
            scores={"psnr": 20.0},
            rungs=(Rung(step=4, quality=number + 1.0),),
        )
        study.begin_trial(record, SMALL)
        Image.new("RGB", (8, 8)).save(study.trial_folder(number) / "sample.png")
        study.reject(record.model_copy(update={"digest": str(number), "state": "rejected", "trial": number + 3}))
    journal.sync()
    study.write_classical(ClassicalRecord(quality=19.0, score_kind="psnr", scores={"psnr": 19.0}))
    study.close()
    for path in (folder / "study").iterdir():
        path.rename(folder / path.name)
    (folder / "study").rmdir()


def read_study(folder: Path) -> None:
    """As `pareto --html` does, and `describe` of its knee."""
    study = Study.open(folder)
    json.dumps(study.summary(), allow_nan=False)
    assert "<html" in page_html(study)
    load_architecture(str(study.trial_folder(study.knee().trial) / "arch.json"))


def read_journal(folder: Path) -> None:
    """As `search` does when it goes on."""
    drop_torn_line(folder / "journal.log")
    study, journal = open_journal(folder / "journal.log", "tpe", 0)
    for trial in study.trials:
        assert all(math.isfinite(value) for value in trial.values or ())
    study.ask().suggest_int("block0.channels_index", 0, 1)
    journal.sync()


def crafted(folder: Path) -> Contents:
    """Records of this study with values that the format allows and a search never writes."""
    study = Study(folder, Study.open(folder).config)
    record = study.records[1].model_dump(mode="json")
    changes: list[dict[str, Any]] = [
        *({"quality": value} for value in (None, 1e308, -1e308)),
        *({"latency_ms": value} for value in (None, 1e-300, 1e300)),
        *({"trial": value} for value in (0, 2, 10**30)),
        *({"scores": value} for value in ({}, {"psnr": 1e308}, {"x" * 10_000: 1})),
        *({"score_kind": value} for value in (None, "x" * 1000)),
        *({"state": "failed", "reason": "<script>alert(1)</script>"}, {"params": 10**400}, {"rungs": [{"step": 1}]}),
    ]
    for change in changes:
        yield "trials/0001/result.json", json.dumps(record | change).encode()
    look = Appearance(0, 0, 0, 0, 1, 0, 0, 0, 1, 1).to_dict()
    for scores in ({"psnr": 1e308}, dict.fromkeys(look, 1e308), dict.fromkeys(look, -1e308), look):
        yield "trials/0001/result.json", json.dumps(record | {"scores": scores}).encode()
        yield "classical.json", json.dumps({"quality": -1e308, "score_kind": "<b>", "scores": scores}).encode()
        yield "rejected.jsonl", (json.dumps(record | change) + "\n").encode()
    yield "rejected.jsonl", b"\xff\xfe\n"
    yield "trials/0001/sample.png", b"not a picture"
