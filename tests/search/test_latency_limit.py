"""What is too slow to be trained."""

import pytest

from nas_isp.errors import InputError
from nas_isp.search.latency_limit import LatencyLimit, refuse_impossible_limit
from nas_isp.search.simulated import SimulatedCostModel
from nas_isp.search.space import load_space


def test_a_network_at_the_limit_is_allowed_and_one_above_is_not() -> None:
    limit = LatencyLimit(20.0)
    assert limit.allows(20.0)
    assert not limit.allows(20.001)
    assert limit.excess_ms(23.5) == 3.5
    assert limit.excess_ms(15.0) == -5.0


def test_without_a_limit_everything_is_allowed() -> None:
    assert LatencyLimit(None).allows(1e9)


def test_an_impossible_limit_is_refused_with_the_smallest_latency() -> None:
    with pytest.raises(InputError, match=r"max_latency_ms 0.01: every network tried is slower on dev.*takes [\d.]+ ms"):
        refuse_impossible_limit(load_space("mobile"), SimulatedCostModel(), 0.01, "dev", 0)
    refuse_impossible_limit(load_space("mobile"), SimulatedCostModel(), None, "dev", 0)
    refuse_impossible_limit(load_space("mobile"), SimulatedCostModel(), 1000.0, "dev", 0)
