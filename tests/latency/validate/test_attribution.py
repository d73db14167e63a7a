import numpy as np
import pytest

from nas_isp.latency.kernels.kernel import convolution, shuffle
from nas_isp.latency.validate.attribution import errors_by_kind, kind_label

RNG = np.random.default_rng(0)
KINDS = ("conv2d_spatial", "depthwise_conv2d", "depth_to_space")
PARTS = [dict(zip(KINDS, RNG.uniform(1, 10, len(KINDS)), strict=True)) for _ in range(40)]
NAMES = [f"n{index}" for index in range(len(PARTS))]


def test_the_kind_that_is_predicted_too_long_is_named_first_with_its_error() -> None:
    measured = [parts["conv2d_spatial"] + parts["depthwise_conv2d"] / 1.25 + parts["depth_to_space"] for parts in PARTS]
    worst, *others = errors_by_kind(NAMES, PARTS, measured)
    assert worst.kind == "depthwise_conv2d"
    assert worst.error == pytest.approx(0.2, abs=0.02)  # a fifth of what was predicted of it is too much
    assert max(abs(kind.error) for kind in others) < 0.02
    shares = {name: parts["depthwise_conv2d"] / sum(parts.values()) for name, parts in zip(NAMES, PARTS, strict=True)}
    assert shares[worst.worst_network] > np.median(list(shares.values()))


def test_predictions_without_error_blame_nothing_and_the_shares_add_up() -> None:
    found = errors_by_kind(NAMES, PARTS, [sum(parts.values()) for parts in PARTS])
    assert all(abs(kind.error) < 1e-9 for kind in found)
    assert sum(kind.share for kind in found) == pytest.approx(1)


def test_a_kind_that_one_network_has_is_not_blamed_for_more_than_is_likely() -> None:
    parts = [*PARTS, {"conv2d_spatial": 10.0, "mean": 0.1}]
    found = errors_by_kind([*NAMES, "odd"], parts, [*(sum(part.values()) for part in PARTS), 9.0])
    mean = next(kind for kind in found if kind.kind == "mean")
    assert mean.networks == 1
    assert abs(mean.error) < 0.05


def test_lists_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many"):
        errors_by_kind(NAMES, PARTS, [1.0])


def test_a_label_names_what_costs_time_on_top() -> None:
    assert kind_label(convolution(4, 8, 3, (8, 8), activation="add_relu")) == "conv2d_spatial +add"
    assert kind_label(convolution(4, 8, 1, (8, 8), activation="relu6")) == "conv2d_pointwise"
    assert kind_label(shuffle(3, 2, (8, 8))) == "depth_to_space"
