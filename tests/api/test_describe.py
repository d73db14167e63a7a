"""A network described to a Python user: what it costs, and what is not known of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nas_isp.api.describe import describe_network
from nas_isp.api.latency import predict_latency
from nas_isp.errors import InputError
from nas_isp.generators.architecture import Block, PlainArchitecture

# One 3x3 convolution from 4 to 8 channels, and the last one from 8 to 12: 4 x 8 x 9 + 8 and 8 x 12 x 9 + 12.
NETWORK = PlainArchitecture(blocks=(Block(kind="conv3", channels=8),))
PARAMS = 296 + 876


def test_costs_are_those_counted_by_hand() -> None:
    found = describe_network(NETWORK, input_size=(32, 48))
    assert (found.cost.params, found.receptive_field) == (PARAMS, 2)
    assert found.cost.gmacs == pytest.approx((4 * 8 + 8 * 12) * 9 * 32 * 48 / 1e9)
    assert (found.prediction, found.operators) == (None, None)


def test_a_device_adds_its_prediction_of_the_same_kernels() -> None:
    found = describe_network(NETWORK, "pixel4-gpu")
    assert found.prediction is not None
    prediction, table = found.prediction
    assert table.device.id == "pixel4-gpu"
    assert found.to_json()["latency_ms"] == prediction.latency_ms > 0
    assert [row["label"] for row in found.to_json()["kernels"]] == [kernel.label() for kernel in found.kernels or ()]


def test_an_odd_side_is_refused_where_the_trunk_runs_at_half_resolution() -> None:
    with pytest.raises(InputError, match=r"9x8.*needs even sides"):
        describe_network(PlainArchitecture(scale=4, blocks=NETWORK.blocks), input_size=(9, 8))


@pytest.mark.parametrize("size", [(0, 8), (8, -2), (8, 99999), (5.5, 8)])
@pytest.mark.parametrize("asked", [describe_network, predict_latency])
def test_a_size_that_no_picture_has_is_refused(asked: Callable[..., object], size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=f"size {size[0]}x{size[1]}: give rows x columns") as caught:
        asked(NETWORK, input_size=size)
    assert caught.value.parameters == ("input_size",)


def test_an_unknown_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="known are"):
        describe_network(NETWORK, tmp_path / "none")


@pytest.mark.parametrize("size", ["544x960", 32, (8,)])
def test_what_is_no_size_is_refused(size: object) -> None:
    with pytest.raises(InputError, match="give rows x columns"):
        describe_network(NETWORK, input_size=size)  # type: ignore[arg-type]
