"""The nested cross-validation: what is chosen, and from what."""

from dataclasses import replace

import numpy as np
import pytest

from nas_isp.latency.kernels.kernel import Kernel
from tests.latency.predict.conftest import Tools

PHONES = ["pixel4", "s10"]
FAMILIES = ("resnet", "densenet", "mnasnet", "regnety", "hrnet")


def networks(tools: Tools, spoilt: str = "", factor: float = 1.0) -> object:
    """Two networks of each of five families, of convolutions and a concatenation, whose times follow their work.

    Times of the family `spoilt` are off by a factor that differs from kernel to kernel.
    """
    rng, spoil = np.random.default_rng(0), np.random.default_rng(1)
    rows, times = [], {}
    for place, family in enumerate(FAMILIES):
        for size in (1, 2):
            network, sum_ms = f"{family}{size}", 0.0
            for side in (56, 28, 14, 7):
                channels = (8 + 4 * place) * size * 56 // side
                for kernel in (
                    conv(channels, side, 3, "add_relu"),
                    conv(channels, side, 1, "relu"),
                    joined(channels, side),
                ):
                    off = factor * spoil.uniform(1, 3) if family == spoilt else 1.0
                    time_ms = off * rng.uniform(0.9, 1.1) * (0.01 + 2e-8 * channels * side**2 * (1 + channels / 20))
                    rows.append(tools.measurements.Row(network, kernel, dict.fromkeys(PHONES, time_ms)))
                    sum_ms += time_ms
            off = 5 * factor if family == spoilt else 1.0
            times[network] = dict.fromkeys(PHONES, off * (1 + 1.2 * sum_ms * rng.uniform(0.97, 1.03)))
    return tools.measurements.Measurements(rows, times)


def conv(channels: int, side: int, window: int, activation: str) -> Kernel:
    shape = {"op": "conv2d", "in_channels": channels, "out_channels": channels, "kernel": window, "padding": "same"}
    return Kernel.model_validate(shape | {"height": side, "width": side, "activation": activation})


def joined(channels: int, side: int) -> Kernel:
    shape = {"op": "concat", "in_channels": channels, "out_channels": 2 * channels, "height": side, "width": side}
    return Kernel.model_validate(shape)


def validation(tools: Tools, measurements: object) -> object:
    return tools.cross_validation.CrossValidation(measurements, tools.measurements.family, PHONES)


def inner_errors(tools: Tools, measurements: object, outer: str) -> list[float]:
    """Everything that the choice without a family is made by."""
    found, methods = validation(tools, measurements), tools.methods
    method, form = methods.PROCESS, methods.CORRECTION_FORMS[2]
    inner = [group for group in FAMILIES if group != outer]
    sums = [found._sum_error("s10", outer, group, method) for group in inner]
    return sums + [found._error("s10", outer, group, method, form) for group in inner]


@pytest.mark.parametrize("outer", ["resnet", "hrnet"])
def test_the_choice_never_sees_the_outer_family(tools: Tools, outer: str) -> None:
    """Whatever the outer family's kernels and networks cost, or without it, every inner error is the same to a bit."""
    plain = inner_errors(tools, networks(tools), outer)
    assert inner_errors(tools, networks(tools, outer, 7.0), outer) == plain
    measured = networks(tools)
    rows = [row for row in measured.rows if not row.network.startswith(outer)]
    times = {name: time for name, time in measured.networks_ms.items() if not name.startswith(outer)}
    assert inner_errors(tools, replace(measured, rows=rows, networks_ms=times), outer) == plain
    assert validation(tools, networks(tools, outer, 7.0)).chosen(outer) == validation(tools, measured).chosen(outer)


def test_the_choice_does_see_the_others(tools: Tools) -> None:
    plain = inner_errors(tools, networks(tools), "resnet")
    assert inner_errors(tools, networks(tools, "densenet", 7.0), "resnet") != plain


def test_the_tables_of_an_outer_fold_hold_neither_family(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    build = tools.cross_validation.phone_table

    def spied(phone: str, rows: list[object]) -> object:
        seen.append({tools.measurements.family(row.network) for row in rows})
        return build(phone, rows)

    monkeypatch.setattr(tools.cross_validation, "phone_table", spied)
    validation(tools, networks(tools)).chosen("mnasnet")
    assert not any("mnasnet" in families for families in seen)
    assert {len(families) for families in seen} == {3, 4}


def test_a_network_is_predicted_without_its_family(tools: Tools) -> None:
    """Five times the time: what is predicted stays, and is five times too little."""
    methods = tools.methods
    args = ("s10", "hrnet", methods.PROCESS, methods.THREE_NUMBERS)
    plain = validation(tools, networks(tools)).left_out(*args)
    spoilt = validation(tools, networks(tools, "hrnet")).left_out(*args)
    assert [network.predicted_ms for network in spoilt] == [network.predicted_ms for network in plain]
    assert [network.measured_ms for network in spoilt] != [network.measured_ms for network in plain]
    assert max(abs(network.error) for network in plain) < 0.15


def test_of_those_that_tie_the_simplest_is_taken(tools: Tools) -> None:
    """Errors of four families in percent: the second is better by 1.0, 0.4, 0.8 and -0.8.

    On average by 0.35, with a standard error of (0.65^2 + 0.05^2 + 0.45^2 + 1.15^2) / 3 / 4 to the power 1/2 = 0.40.
    """
    form, simplest = tools.methods.CorrectionForm, tools.cross_validation.simplest_of_the_best
    simple, middle, complex_ = (form(name, complexity) for complexity, name in enumerate(("one", "two", "three")))
    errors = {simple: np.array([4.0, 3.0, 5.0, 2.0]), middle: np.array([3.0, 2.6, 4.2, 2.8])}
    assert simplest(errors) is simple
    errors[simple] = errors[middle] + np.array([0.7, 0.6, 0.5, 0.6])
    assert simplest(errors) is middle
    errors[complex_] = errors[middle] - 0.001
    assert simplest(errors) is complex_
    errors[complex_] = errors[middle] + np.array([0.01, -0.011, 0.01, -0.011])
    assert simplest(errors) is middle


def test_of_equally_simple_ones_the_better_is_taken(tools: Tools) -> None:
    form, simplest = tools.methods.CorrectionForm, tools.cross_validation.simplest_of_the_best
    first, second = form("first", 1), form("second", 1)
    assert simplest({first: np.array([3.0, 2.0, 4.0]), second: np.array([2.9, 2.2, 3.8])}) is second


def test_every_family_counts_the_same(tools: Tools) -> None:
    assert tools.cross_validation.family_weights(["a", "b", "a", "a"]) == [1 / 3, 1, 1 / 3, 1 / 3]


def test_stated_intervals_would_have_held_nine_of_ten_unknown_families(tools: Tools) -> None:
    """One family in ten errs by 40 %, another by 20: without the one, the other is not expected."""
    module = tools.cross_validation
    errors = [0.01, 0.02, 0.03, 0.02, 0.01, 0.03, 0.02, 0.01, 0.2, 0.4]
    left_out = [
        module.LeftOut(f"{family}{index}", str(family), 1.0, 1 + error, 0.5)
        for family, error in enumerate(errors)
        for index in range(1 + family % 3)
    ]
    stated, plain = module.stated(left_out, [0.1]), module.calibrated(left_out, [0.1])
    assert stated.measured >= plain.measured
    factor = stated.half_width(0.5, 0) / plain.half_width(0.5, 0)
    held = module.reach(left_out, [0.1]) <= factor * (1 + 1e-6)
    weights = module.family_weights([network.group for network in left_out])
    assert np.average(held, weights=weights) >= 0.9
    assert stated.extrapolated >= stated.interpolated
