"""This machine conforms as a measuring target, in both of its precisions, and faulty targets do not."""

from collections.abc import Sequence

import pytest

from nas_isp.latency.measure import host
from nas_isp.latency.measure.host import HostTarget
from nas_isp.latency.measure.measuring_target import Failure, MeasuringTarget, Timing
from nas_isp.latency.measure.targets import TARGETS, TargetOptions
from nas_isp.testing.targets import TargetConformance


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "FEWEST_RUNS", 3)
    monkeypatch.setattr(host, "MOST_RUNS", 3)


class TestHost(TargetConformance):
    target = "host"


class TestHostInt8(TargetConformance):
    target = "host"
    options = TargetOptions(precision="int8")


class _Backwards(HostTarget):
    def time(self, models: Sequence[bytes]) -> list[Timing | Failure]:
        return super().time(models)[::-1]


class _Restless(HostTarget):
    connections = 0

    def __init__(self) -> None:
        super().__init__()
        _Restless.connections += 1
        self.setup = self.setup.model_copy(update={"target": "faulty", "system": f"{_Restless.connections}"})


@pytest.mark.parametrize(
    ("made", "test"),
    [
        (_Backwards, "test_a_model_that_does_not_run_is_a_failure_in_its_place"),
        (_Restless, "test_it_says_what_it_is"),
    ],
)
def test_a_faulty_one_is_found(made: type[HostTarget], test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(address: str, options: TargetOptions) -> MeasuringTarget:
        return made()

    monkeypatch.setitem(TARGETS._registered, "faulty", connect)
    conformance = TargetConformance()
    conformance.target = "faulty"
    with pytest.raises(AssertionError):
        getattr(conformance, test)()
