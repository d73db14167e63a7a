"""What is tried next."""

from pathlib import Path

from optuna.trial import TrialState

from nas_isp.errors import InputError
from nas_isp.generators.architecture import Architecture, PlainArchitecture
from nas_isp.search.proposer import MOST_ANCHORS, spread_anchors
from nas_isp.search.simulated import SimulatedCostModel
from nas_isp.search.space import load_space
from nas_isp.search.study import Study
from tests.search.search_tools import config, proposer_of


def test_the_anchors_come_first_from_the_fastest_to_the_slowest(tmp_path: Path) -> None:
    space = load_space("mobile")
    proposer = proposer_of(Study.begin(tmp_path / "s", config(space=space)))

    first = [proposer.ask() for _ in range(MOST_ANCHORS)]

    latencies = [record.latency_ms for record in first if record is not None and record.latency_ms is not None]
    assert len(latencies) == MOST_ANCHORS
    assert latencies == sorted(latencies)
    cost_model = SimulatedCostModel()
    assert latencies[0] == min(cost_model.latency_ms(anchor) for anchor in space.anchors)
    assert latencies[-1] == max(cost_model.latency_ms(anchor) for anchor in space.anchors)


def test_anchors_over_the_limit_are_left_out() -> None:
    space, cost_model = load_space("mobile"), SimulatedCostModel()
    limit = sorted(cost_model.latency_ms(anchor) for anchor in space.anchors)[1]

    allowed = spread_anchors(space.anchors, cost_model, limit)

    assert len(allowed) == 2
    assert all(cost_model.latency_ms(anchor) <= limit for anchor in allowed)


def test_it_gives_up_after_500_refusals_and_knows_the_smallest_latency(tmp_path: Path) -> None:
    limited = config(max_latency_ms=0.01, space=load_space("mobile"), sampler="random")
    proposer = proposer_of(Study.begin(tmp_path / "s", limited))

    assert proposer.ask() is None
    assert 0.01 < proposer.least_latency_ms < 100
    assert proposer.study.records == {}


def test_an_architecture_that_the_device_cannot_speak_of_fails_with_the_reason(tmp_path: Path) -> None:
    study = Study.begin(tmp_path / "s", config())
    proposer = proposer_of(study, _OnlyWide())

    proposed = [proposer.ask() for _ in range(6)]

    refused = [other for other in study.records.values() if other.state == "failed"]
    assert refused
    assert all("cannot speak of" in other.reason for other in refused)
    assert all(record is not None and record.latency_ms is not None for record in proposed)
    assert len(study.records) == len(refused) + 6


def test_an_open_suggestion_without_a_folder_is_dropped(tmp_path: Path) -> None:
    """What a kill leaves between asking and writing the trial's folder."""
    study = Study.begin(tmp_path / "s", config())
    proposer_of(study).journal.ask()

    again = proposer_of(study)

    assert again.recover() == []
    assert again.journal.get_trials()[0].state == TrialState.FAIL


def test_an_unfinished_trial_keeps_its_number_and_network(tmp_path: Path) -> None:
    study = Study.begin(tmp_path / "s", config())
    begun = proposer_of(study).ask()
    study.close()

    recovered = proposer_of(Study.begin(tmp_path / "s", config())).recover()

    assert recovered == [begun]


def test_two_runs_with_one_seed_do_not_suggest_the_same(tmp_path: Path) -> None:
    """A resumed search must not draw its first run's random start again."""
    limited = config(space=load_space("mobile"), sampler="random")
    study = Study.begin(tmp_path / "s", limited)
    first = [proposer_of(study)]
    started = [first[0].ask() for _ in range(10)]
    before = len(first[0].journal.get_trials())
    second = proposer_of(study)

    more = [second.ask() for _ in range(6)]

    assert all(record is not None for record in started + more)
    assert len(second.journal.get_trials()) == before + 6


class _OnlyWide(SimulatedCostModel):
    """A device whose table does not know every network."""

    def latency_ms(self, architecture: Architecture) -> float:
        assert isinstance(architecture, PlainArchitecture)
        if len(architecture.blocks) == 2 and architecture not in load_space("tiny").anchors:
            raise InputError("device 'x' cannot speak of kernel 'y'")
        return super().latency_ms(architecture)
