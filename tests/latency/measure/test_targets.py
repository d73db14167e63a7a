"""Measuring targets by name, and one of another package through the door."""

import pytest

from nas_isp.errors import InputError
from nas_isp.latency.measure.host import HostTarget
from nas_isp.latency.measure.measuring_target import MeasuringTarget
from nas_isp.latency.measure.targets import TARGETS, TargetOptions, check_target, target_for


def test_a_registered_one_is_given_its_address_and_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def connect(address: str, options: TargetOptions) -> MeasuringTarget:
        asked.append((address, options.threads))
        return HostTarget(options.threads)

    monkeypatch.setitem(TARGETS._registered, "probe", connect)
    assert isinstance(target_for("probe", TargetOptions()), HostTarget)
    target_for("probe:rack 3:port 7", TargetOptions(threads=2))
    assert asked == [("", 1), ("rack 3:port 7", 2)]


@pytest.mark.parametrize("text", ["gpio", "", "adb:", ":host"])
def test_an_unknown_one_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(InputError, match=f"unknown target '{text}': known are host, adb, ssh") as caught:
        check_target(text)
    assert caught.value.parameters == ("target",)


@pytest.mark.parametrize(
    ("target", "options", "parameters"),
    [
        ("host:1", TargetOptions(), ("target",)),
        ("host", TargetOptions(delegate="gpu"), ("delegate", "precision")),
        ("host", TargetOptions(cpu_mask="f0"), ("cpu_mask",)),
        ("host", TargetOptions(runs=9), ("runs",)),
        ("ssh", TargetOptions(), ("target",)),
        ("ssh:board", TargetOptions(), ("benchmark_binary",)),
    ],
)
def test_what_a_target_has_no_use_for_or_lacks_is_named(
    target: str, options: TargetOptions, parameters: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        target_for(target, options)
    assert caught.value.parameters == parameters
