"""Kernels as other programs write them."""

from typing import Any

import pytest
from pydantic import ValidationError

from nas_isp.latency.kernels.aliases import split_steps
from nas_isp.latency.kernels.kernel import Kernel

CONV = {"op": "conv2d", "in_channels": 8, "out_channels": 16, "kernel": [3, 3], "stride": [2, 2], "height": 10}
CONV |= {"width": 10, "activation": "relu", "groups": 1}


def read(*without: str, **changes: Any) -> Kernel:
    return Kernel.model_validate({name: value for name, value in (CONV | changes).items() if name not in without})


@pytest.mark.parametrize(
    ("op", "name"),
    [
        ("CONV_2D", "conv2d"),
        ("Conv2D", "conv2d"),
        ("convolution-2d", "conv2d"),
        ("depthwise convolution", "depthwise_conv2d"),
        ("DepthwiseConv2D", "depthwise_conv2d"),
        ("dwconv", "depthwise_conv2d"),
        ("pool", "avg_pool"),
        ("pooling_2d", "avg_pool"),
        ("MaxPool2D", "max_pool"),
        ("AVERAGE_POOL_2D", "avg_pool"),
        ("global_average_pooling2d", "mean"),
        ("FULLY_CONNECTED", "fully_connected"),
        ("dense", "fully_connected"),
        ("CONCATENATION", "concat"),
        ("eltwise_add", "add"),
        ("Multiply", "mul"),
        ("strided_slice", "copy"),
        ("pixel_shuffle", "depth_to_space"),
        ("hard_swish", "activation"),
    ],
)
def test_operators_have_one_name(op: str, name: str) -> None:
    assert read("activation", op=op).op == name


@pytest.mark.parametrize(
    "changes",
    [
        {"kernel": 3, "stride": 2},
        {"kernel": "3x3", "stride": "2"},
        {"kernel": [3.0, 3.0], "stride": 2.0, "in_channels": "8", "height": "10"},
        {"groups": 0, "activation": "RELU"},
        {"groups": None, "activation": ["relu"]},
        {"groups": "-", "activation": "relu_17"},
        {"precision": "float", "padding": "-"},
        {"width": None},
        {"width": 0},
    ],
)
def test_equal_work_compares_equal(changes: dict[str, Any]) -> None:
    assert read(**changes) == read()


def test_other_names_of_fields_are_understood() -> None:
    other = {"type": "conv", "cin": 8, "filters": 16, "kernel_size": 3, "strides": 2, "input_size": [10, 10]}
    assert Kernel.model_validate(other | {"act": "relu", "group": 1}) == read()
    assert Kernel.model_validate(other | {"input_size": 10, "act": "relu"}) == read()
    assert read(input_shape=[1, 10, 10, 8]) == read()


def test_what_an_operator_has_no_use_for_is_passed_over() -> None:
    mean = Kernel.model_validate({"op": "mean", "in_channels": 320, "height": 7, "width": 7})
    padded = {"op": "MEAN", "in_channels": 320, "out_channels": 1, "kernel": [0, 0], "stride": "-", "groups": 320}
    assert Kernel.model_validate(padded | {"height": 7, "width": 7}) == mean
    assert Kernel.model_validate({"op": "mean", "out_channels": 320, "height": 7}) == mean
    dense = {"op": "fully_connected", "in_channels": 512, "out_channels": 1000}
    assert Kernel.model_validate(dense | {"height": 7, "kernel": 7}) == Kernel.model_validate(dense)
    pool = {"op": "pool", "in_channels": 16, "kernel": [3, 3], "stride": [2, 2], "height": 112, "width": 112}
    assert Kernel.model_validate(pool | {"out_channels": 0, "groups": 16}).out_channels == 16


def test_groups_decide_what_a_convolution_is() -> None:
    assert read(op="depthwise_conv2d", out_channels=8).op == "depthwise_conv2d"
    assert read(op="conv2d", groups=8, out_channels=8).op == "depthwise_conv2d"
    assert read(op="conv2d", groups=4).op == "grouped_conv2d"
    assert read(op="grouped_conv2d", groups=1).op == "conv2d"
    assert read("out_channels", op="depthwise_conv2d").out_channels == 8


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", ()),
        ("None", ()),
        ("linear", ()),
        ("add_hswish", ("add", "hard_swish")),
        ("relu6", ("relu6",)),
        ("add_8_linked_:_relu_9", ("add", "relu")),
        ("Add+ReLU", ("add", "relu")),
        ("h-swish", ("hard_swish",)),
        ("hard sigmoid, mul", ("hard_sigmoid", "mul")),
        ("silu", ("swish",)),
        ("leaky_relu", ("leaky_relu",)),
        ("minimum_relu", ("minimum", "relu")),
    ],
)
def test_fused_steps_are_told_apart(text: str, steps: tuple[str, ...]) -> None:
    assert split_steps(text) == steps


@pytest.mark.parametrize(
    "changes",
    [
        {"op": "warp"},
        {"op": 7},
        {"kernel": "wide"},
        {"in_channels": 0},
        {"in_channels": None},
        {"activation": "sparkle"},
        {"height": None, "input_shape": [1, 10, 10, 8]},
    ],
)
def test_nonsense_is_still_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**changes)
