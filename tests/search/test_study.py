"""The study folder: what it refuses, what it survives, what it says."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from nas_isp.errors import InputError
from nas_isp.recipe import load_recipe
from nas_isp.search.budget import Budget
from nas_isp.search.config import load_config
from nas_isp.search.records import Rung, TrialRecord
from nas_isp.search.space import load_space
from nas_isp.search.study import Study
from tests.search.search_tools import config, proposer_of, search


@pytest.fixture
def searched(tmp_path: Path) -> Study:
    return search(tmp_path / "s", Budget(trials=8))


def test_the_configuration_holds_everything_and_reads_back(tmp_path: Path) -> None:
    given = config(max_latency_ms=12.5, seed=3, raw=tmp_path, rgb=tmp_path, recipe=load_recipe("default"))
    study = Study.begin(tmp_path / "s", given)

    text = (study.folder / "config.yaml").read_text()

    assert load_config(study.folder / "config.yaml") == given
    stored = yaml.safe_load(text)
    assert stored["recipe"]["train"]["batch"] == given.recipe.train.batch
    assert stored["space"]["widths"] == [4, 8]
    assert Path(stored["raw"]).is_absolute()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"seed": 1}, "seed 0, now 1 is given"),
        ({"device": "other"}, "device simulated, now other is given"),
        ({"max_latency_ms": 5.0}, "max_latency_ms nothing, now 5.0 is given"),
        ({"space": load_space("mobile")}, "space.description"),
        ({"score_version": 2}, "score_version 1, now 2 is given"),
        ({"raw": Path("/data")}, "raw nothing, now /data is given"),
    ],
)
def test_other_settings_are_refused_and_named(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    Study.begin(tmp_path / "s", config()).close()

    with pytest.raises(InputError, match=named):
        Study.begin(tmp_path / "s", config(**change))


def test_folders_left_out_or_given_to_a_study_of_the_demo_set_are_named_by_their_options(tmp_path: Path) -> None:
    demo, own = config(demo=True), config(raw=Path("/r"), rgb=Path("/p"))
    Study.begin(tmp_path / "own", own).close()
    Study.begin(tmp_path / "demo", demo).close()

    with pytest.raises(InputError, match=r"own was begun with raw /r and rgb /p; give them, or"):
        Study.begin(tmp_path / "own", config(demo=True, seed=5))
    with pytest.raises(InputError, match=r"demo was begun with the demo set; leave out raw and rgb, or"):
        Study.begin(tmp_path / "demo", own)


def test_a_change_deep_in_the_recipe_is_named_by_its_field(tmp_path: Path) -> None:
    Study.begin(tmp_path / "s", config()).close()
    recipe = load_recipe("default")
    other = recipe.model_copy(update={"train": recipe.train.model_copy(update={"batch": 77})})

    with pytest.raises(InputError, match=r"recipe\.train\.batch .*now 77 is given"):
        Study.begin(tmp_path / "s", config(recipe=other))


def test_a_latency_table_that_changed_is_named_as_that(tmp_path: Path) -> None:
    Study.begin(tmp_path / "s", config(device_digest="a")).close()

    with pytest.raises(InputError, match="latency table 'simulated' has changed since the study began"):
        Study.begin(tmp_path / "s", config(device_digest="b"))
    with pytest.raises(InputError, match="device simulated, now other is given"):
        Study.begin(tmp_path / "s", config(device="other", device_digest="b"))


def test_another_program_version_may_go_on(tmp_path: Path) -> None:
    Study.begin(tmp_path / "s", config()).close()

    Study.begin(tmp_path / "s", config(program="later")).close()


def test_a_study_is_searched_by_one_command_at_a_time(tmp_path: Path) -> None:
    first = Study.begin(tmp_path / "s", config())

    with pytest.raises(InputError, match="being searched by another"):
        Study.begin(tmp_path / "s", config())
    first.close()
    Study.begin(tmp_path / "s", config()).close()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("x")

    with pytest.raises(InputError, match="neither a study nor an empty folder"):
        Study.begin(tmp_path, config())
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]


def test_what_a_kill_left_of_a_beginning_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".config.yaml.x1.part").mkdir()

    Study.begin(tmp_path, config()).close()
    assert Study.open(tmp_path).config == config()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(InputError, match="give a"):
        Study.begin(tmp_path / name, config())


def test_a_folder_that_is_no_study_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a study"):
        Study.open(tmp_path)


def test_only_a_new_study_without_trials_is_discarded(tmp_path: Path, searched: Study) -> None:
    Study.begin(tmp_path / "new", config()).discard()
    Study.begin(searched.folder, config()).discard()

    assert not (tmp_path / "new").exists()
    assert len(Study.open(searched.folder).records) == len(searched.records)


def test_torn_last_lines_are_cut_off_and_the_search_goes_on(searched: Study) -> None:
    limited = searched.folder
    for name in ("journal.log", "rejected.jsonl"):
        with (limited / name).open("a") as file:
            file.write('{"op_code": 4, "wor')

    more = search(limited, Budget(trials=10))

    assert more.counts()["complete"] + more.counts()["stopped"] == 10
    assert more.counts()["rejected"] == 0


def test_a_study_whose_journal_is_gone_is_refused(searched: Study) -> None:
    (searched.folder / "journal.log").unlink()

    with pytest.raises(InputError, match=r"journal\.log lacks trials"):
        proposer_of(Study.begin(searched.folder, config()))


def test_a_damaged_journal_is_refused(searched: Study) -> None:
    journal = searched.folder / "journal.log"
    journal.write_text("not json\n" + journal.read_text())

    with pytest.raises(InputError, match=r"journal\.log: damaged"):
        proposer_of(Study.begin(searched.folder, config()))


def test_a_damaged_record_is_refused_by_name(searched: Study) -> None:
    path = searched.trial_folder(0) / "result.json"
    path.write_text('{"trial": 0}')

    with pytest.raises(InputError, match=r"0000/result\.json.*state"):
        Study.open(searched.folder)


def test_the_summary_has_the_keys_that_scripts_depend_on(searched: Study) -> None:
    summary = json.loads(json.dumps(searched.summary()))

    assert {"front", "trials"} <= set(summary)
    for row in summary["front"]:
        assert {"trial", "quality", "latency_ms", "params", "gmacs", "bundle"} <= set(row)
        assert Path(row["bundle"]).is_file()
    assert set(summary["trials"]) == {"complete", "stopped", "rejected", "failed"}
    assert sum(row["knee"] for row in summary["front"]) == 1
    assert summary["score_kind"] == "simulated"


def test_stopped_and_failed_trials_are_never_on_the_front(tmp_path: Path) -> None:
    study = Study.begin(tmp_path / "s", config())
    architecture = load_space("tiny").anchors[0]
    for trial, (state, quality) in enumerate([("complete", 20.0), ("stopped", 30.0), ("failed", 40.0)]):
        record = TrialRecord.model_validate(
            {"trial": trial, "state": state, "digest": "d", "latency_ms": 5.0, "quality": quality}
        )
        study.begin_trial(record, architecture)

    assert [record.trial for record in study.front()] == [0]
    assert study.knee().trial == 0


def test_an_empty_study_has_no_knee_and_says_how_to_go_on(tmp_path: Path) -> None:
    study = Study.begin(tmp_path / "s", config())

    assert study.summary()["front"] == []
    with pytest.raises(InputError, match="no trial is complete"):
        study.knee()
    with pytest.raises(InputError, match="has no trial 3"):
        study.architecture(3)


def test_a_study_can_be_moved(searched: Study, tmp_path: Path) -> None:
    moved = searched.folder.rename(tmp_path / "moved")

    assert Study.open(moved).summary()["front"][0]["bundle"].startswith(str(moved))
    stored = json.loads((moved / "pareto.json").read_text())
    assert all((moved / row["bundle"]).is_file() for row in stored["front"])


def test_a_record_without_quality_has_no_point() -> None:
    with pytest.raises(ValueError, match="no quality"):
        _ = TrialRecord(trial=1, state="running", digest="d", latency_ms=1.0).point
    assert TrialRecord(
        trial=1, state="complete", digest="d", latency_ms=2.0, quality=1.0, rungs=(Rung(step=1, quality=1.0),)
    ).point == (1.0, 2.0)


@pytest.mark.parametrize("name", ["trials/0001/history.jsonl", "trials/0099", "config.yaml.part"])
def test_a_link_out_of_the_study_is_refused(searched: Study, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    path = searched.folder / name
    path.unlink(missing_ok=True)
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=f"{name} is a link that leads out of the study"):
        Study.open(searched.folder)


def test_data_may_lie_elsewhere_and_links_within_the_study_are_taken(searched: Study, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (searched.folder / "data").symlink_to(tmp_path / "elsewhere")
    (searched.folder / "best").symlink_to(searched.folder / "trials/0001")
    assert Study.open(searched.folder).records == searched.records


def test_records_that_no_search_writes_are_refused_by_name(searched: Study) -> None:
    path = searched.folder / "trials/0001/result.json"
    record = json.loads(path.read_text())
    for change, reason in (({"trial": 7}, "says it is trial 7"), ({"quality": None}, "a complete trial has a quality")):
        path.write_text(json.dumps(record | {"state": "complete"} | change))
        with pytest.raises(InputError, match=rf"0001/result\.json.*{reason}"):
            Study.open(searched.folder)
    path.write_text(json.dumps(record))
    (searched.folder / "rejected.jsonl").write_text('{"trial": -1}\n')
    with pytest.raises(InputError, match=r"rejected\.jsonl, line 1, field 'trial'"):
        Study.open(searched.folder)


def test_a_study_is_read_where_what_it_was_made_with_is_not_installed(tmp_path: Path) -> None:
    """A loss and a score of other packages; going on needs them."""
    study = search(tmp_path, Budget(trials=3))
    before = [record.trial for record in study.front()]
    content = yaml.safe_load((tmp_path / "config.yaml").read_text())
    content["recipe"]["train"]["weights"]["theirs"] = 0.5
    content["recipe"]["train"]["score"] = "their-score"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(content))
    opened = Study.open(tmp_path)
    assert [record.trial for record in opened.front()] == before
    assert opened.config.recipe.train.weights["theirs"] == 0.5
    assert opened.config.recipe.train.score == "their-score"
    with pytest.raises(InputError, match=r"unknown loss term 'theirs'|unknown score 'their-score'"):
        Study.begin(tmp_path, config())
