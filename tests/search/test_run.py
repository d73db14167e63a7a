"""A whole search on the demo set, and the checks before it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nas_isp.errors import InputError
from nas_isp.generators.bundle import load_bundle
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.predict.predictor import predict
from nas_isp.preparation.folders import TrainingFolders
from nas_isp.preparation.prepared_files import load_prepared
from nas_isp.search.budget import Budget, Stopwatch
from nas_isp.search.progress import LineProgress
from nas_isp.search.run import OpenSearch, SearchRequest, Workers, open_search, resolve, run_trials
from nas_isp.search.simulated import SimulatedCostModel, SimulatedFactory
from nas_isp.search.study import Study
from tests.search.search_tools import Notes, search

QUICK = """
description: A few steps, to see that everything fits together.
train: {patch: 32, batch: 2}
trial: {warm_start_steps: 4, steps: 2, rungs: [0.5]}
teacher: {architecture: {blocks: [{kind: conv3, channels: 4}]}}
"""


@pytest.fixture
def quick(tmp_path: Path) -> str:
    path = tmp_path / "quick.yaml"
    path.write_text(QUICK)
    return str(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device": "nowhere"}, "unknown device 'nowhere': known are"),
        ({"space": "nowhere"}, "unknown space 'nowhere': known are"),
        ({"recipe": "nowhere"}, "unknown recipe 'nowhere': known are"),
        ({"folders": TrainingFolders(Path("/nowhere"))}, "raw and rgb go together"),
        ({"folders": TrainingFolders(Path("/nowhere"), Path("/nowhere"))}, "raw /nowhere: no such folder"),
        ({"folders": TrainingFolders(sensor="nowhere")}, "sensor and group need raw"),
        ({"max_latency_ms": -1.0}, "give a number above 0"),
        ({"max_latency_ms": float("nan")}, "give a number above 0"),
        ({"max_latency_ms": 0.001}, "every network tried is slower on pixel4-gpu"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**32}, "seed 4294967296: give a number from 0 to 4294967295"),
        ({"recipe": "paired.yaml"}, "mode 'paired' but a search trains unpaired"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("paired.yaml").write_text(QUICK.replace("{patch", "{mode: paired, patch"))
    with pytest.raises(InputError, match=message):
        resolve(SearchRequest(study=tmp_path / "s", **change))
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("count", [0, -1, 100_000])
def test_a_number_of_workers_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(InputError, match="workers"):
        Workers(count).check()


def test_latency_is_predicted_for_the_size_in_the_configuration(tmp_path: Path) -> None:
    config, cost_model = resolve(SearchRequest(study=tmp_path / "s"))
    architecture = config.space.anchors[0]
    kernels = kernels_of(architecture, config.packed_height, config.packed_width, balanced=True)

    assert cost_model.latency_ms(architecture) == predict(load_table("pixel4-gpu"), kernels).latency_ms
    assert config.device_digest == cost_model.digest


def test_a_search_cuts_as_many_patches_as_asked_for_and_goes_on_with_no_others(tmp_path: Path, quick: str) -> None:
    request = SearchRequest(study=tmp_path / "s", space="tiny", recipe=quick, patches=24)
    opened = open_search(request, lambda text: None)
    opened.study.close()
    data = load_prepared(opened.study.prepared_folder).training
    assert 0 < len(data.inputs.raw) <= 24
    assert 0 < len(data.photos) <= 24
    with pytest.raises(InputError, match=r"was begun with recipe\.train\.patches 24, now 2000 is given"):
        open_search(replace(request, patches=None), lambda text: None)


def test_a_search_scores_the_classical_rendering_once_before_its_trials(tmp_path: Path, quick: str) -> None:
    request = SearchRequest(study=tmp_path / "s", space="tiny", recipe=quick, patches=24)
    opened = open_search(request, lambda text: None)
    opened.study.close()
    known = opened.study.classical()
    assert known is not None
    assert known.score_kind == "reference-free"
    assert known.quality == known.scores["reference_free"]
    assert opened.study.summary()["classical"] == known.model_dump()
    changed = known.model_copy(update={"quality": 1.0})
    opened.study.write_classical(changed)
    again = open_search(request, lambda text: None)
    again.study.close()
    assert again.study.classical() == changed


def test_a_time_too_short_for_one_trial_is_said_and_is_no_success(tmp_path: Path) -> None:
    config, cost_model = resolve(SearchRequest(study=tmp_path / "s"))
    study = Study.begin(tmp_path / "s", config)
    clock = iter((0.0, 2.0, 2.0, 2.0))

    with pytest.raises(InputError, match="1 s were over before a first trial was complete; give more time"):
        run_trials(
            OpenSearch(study, cost_model, SimulatedFactory(), [1]),
            Workers(1),
            Stopwatch(Budget(seconds=1.0), clock=lambda: next(clock)),
            LineProgress(),
        )
    study.close()
    assert (study.folder / "pareto.json").is_file()


def test_a_time_that_is_over_before_a_trial_could_start_is_said(tmp_path: Path) -> None:
    study = search(tmp_path / "s", Budget(trials=1))
    notes = Notes()

    run_trials(
        OpenSearch(study, SimulatedCostModel(), SimulatedFactory(), [1]),
        Workers(1),
        Stopwatch(Budget(seconds=1.0), reserve_s=1.0),
        notes,
    )

    assert notes.notes == ["budget: 1 s were over before a trial could start; give more time"]


def test_data_that_cannot_be_used_leaves_no_study(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "rgb").mkdir()
    request = SearchRequest(study=tmp_path / "s", folders=TrainingFolders(tmp_path / "raw", tmp_path / "rgb"))

    with pytest.raises(InputError, match="raw"):
        open_search(request, lambda text: None)
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_the_demo_set_is_searched_from_folders_to_bundles(tmp_path: Path, quick: str) -> None:
    request = SearchRequest(study=tmp_path / "s", space="tiny", recipe=quick, max_latency_ms=10.0)
    opened = open_search(request, lambda text: None)
    run_trials(opened, Workers(1), Stopwatch(Budget(trials=3)), LineProgress())
    opened.study.close()

    study = opened.study
    assert study.counts()["complete"] == 3
    for record in study.front():
        folder = study.trial_folder(record.trial)
        bundle = load_bundle(folder / "model.safetensors")
        assert bundle.record.architecture == study.architecture(record.trial)
        assert bundle.record.scores["quality"] == record.quality
        assert record.score_kind == "reference-free"
        assert "psnr" in record.scores
        assert (folder / "sample.png").is_file()
        assert not (folder / "checkpoint.pt").exists()
        steps = [json.loads(line)["step"] for line in (folder / "history.jsonl").read_text().splitlines()]
        assert steps[-1] == 6

    again = open_search(request, lambda text: None)
    before = {path: path.stat().st_mtime_ns for path in study.folder.glob("trials/*/*")}
    run_trials(again, Workers(1), Stopwatch(Budget(trials=3)), LineProgress())
    again.study.close()
    assert {path: path.stat().st_mtime_ns for path in study.folder.glob("trials/*/*")} == before
