"""Networks are timed in turns with the reference network, and a disturbance or a fault of one spoils no other."""

import itertools
from typing import Any

import pytest

from nas_isp.errors import InputError
from nas_isp.latency.measure.measuring_target import Failure
from nas_isp.latency.measure.reference_network import reference_model
from nas_isp.latency.validate.timing import CandidateNetwork, TimedNetwork, Untimed, median_of, time_networks
from tests.latency.simulated_target import REFERENCE_NETWORK_MS, SimulatedTarget


def network(name: str) -> CandidateNetwork:
    return CandidateNetwork(name, (), name.encode)


def times(target: SimulatedTarget, count: int) -> list[Any]:
    return list(time_networks([network(f"n{index}") for index in range(count)], target))


def by_number(model: bytes) -> float:
    return 100.0 + int(model[1:])


def test_every_network_comes_out_once_and_in_order() -> None:
    target = SimulatedTarget(by_number)
    outcomes = times(target, 6)
    assert [(outcome.network, outcome.timed_ms) for outcome in outcomes] == [(f"n{i}", 100 + i) for i in range(6)]
    assert target.calls == [4, 2]


def test_a_time_is_stated_at_the_usual_time_of_the_reference_network() -> None:
    slow = times(SimulatedTarget(by_number, slowness=itertools.repeat(1.25)), 1)[0]
    assert slow.timed_ms == pytest.approx(125)
    assert slow.anchor_ms == pytest.approx(1.25 * REFERENCE_NETWORK_MS)
    assert slow.measured_ms(REFERENCE_NETWORK_MS) == pytest.approx(100)
    assert slow.measured_ms(2 * REFERENCE_NETWORK_MS) == pytest.approx(200)


def test_a_batch_whose_reference_network_is_off_the_others_is_timed_again() -> None:
    target = SimulatedTarget(by_number, slowness=iter([1.0, 1.3, 1.02]))
    outcomes = times(target, 8)
    assert target.calls == [4, 4, 4]
    assert [outcome.anchor_ms for outcome in outcomes[4:]] == [pytest.approx(1.02 * REFERENCE_NETWORK_MS)] * 4


def test_a_target_that_stays_slow_is_taken_at_its_steadiest_attempt() -> None:
    target = SimulatedTarget(by_number, slowness=iter([1.0, 1.4, 1.2, 1.3]))
    outcomes = times(target, 8)
    assert target.calls == [4] * 4
    assert outcomes[-1].anchor_ms == pytest.approx(1.2 * REFERENCE_NETWORK_MS)


def test_a_network_that_fails_or_cannot_be_written_stops_no_other() -> None:
    def broken() -> bytes:
        raise InputError("a damaged bundle")

    target = SimulatedTarget(lambda model: Failure("out of memory") if model == b"n0" else 5.0)
    outcomes = list(time_networks([network("n0"), CandidateNetwork("n1", (), broken), network("n2")], target))
    untimed = [(outcome.network, outcome.reason) for outcome in outcomes if isinstance(outcome, Untimed)]
    assert sorted(untimed) == [("n0", "out of memory"), ("n1", "a damaged bundle")]
    assert [outcome.network for outcome in outcomes if isinstance(outcome, TimedNetwork)] == ["n2"]


def test_a_reference_network_that_the_delegate_leaves_to_the_cpu_compares_nothing() -> None:
    target = SimulatedTarget(by_number)
    target.nodes[reference_model()] = (4, 2)
    with pytest.raises(InputError, match=r"reference network whole \(2 of 4 nodes\); give another delegate"):
        times(target, 1)


def test_of_several_passes_the_median_at_a_common_speed_counts() -> None:
    passes = [TimedNetwork("n", 120.0, 12.0, 5), TimedNetwork("n", 90.0, 10.0, 5), TimedNetwork("n", 200.0, 10.0, 5)]
    kept = median_of(passes)
    assert kept.measured_ms(10.0) == pytest.approx(100)
    assert kept.runs == 15
