import pytest
from pydantic import ValidationError

from nas_isp.latency.kernels.aliases import split_steps
from nas_isp.latency.kernels.kernel import Kernel


def conv(**changes: object) -> Kernel:
    shape = {"op": "conv2d", "in_channels": 8, "out_channels": 16, "kernel": [3, 3], "height": 10, "width": 12}
    return Kernel.model_validate(shape | changes)


def test_documented_json_keys_are_accepted() -> None:
    kernel = Kernel.model_validate(
        {
            "op": "conv2d",
            "in_channels": 3,
            "out_channels": 32,
            "kernel": [3, 3],
            "stride": [2, 2],
            "groups": 1,
            "height": 224,
            "width": 224,
            "activation": "relu",
        }
    )
    assert kernel.output_size == (112, 112)
    assert kernel.label() == "conv2d 3x3/2 3->32 @ 224x224 +relu"


def test_foreign_spellings_of_the_same_work_are_equal() -> None:
    assert conv(op="CONV_2D", kernel=3, stride=1, groups=None) == conv()
    depthwise = conv(op="depthwise_conv2d", out_channels=8, groups=1)
    assert depthwise == conv(op="conv2d", out_channels=8, groups=8) == conv(op="DEPTHWISE_CONV_2D", out_channels=1)
    assert conv(op="conv2d", groups=4).op == "grouped_conv2d"
    pooled = {"op": "AVERAGE_POOL_2D", "in_channels": 4, "kernel": 2, "stride": 2, "height": 6, "width": 6}
    assert Kernel.model_validate(pooled) == Kernel.model_validate(pooled | {"op": "avg_pool", "out_channels": 4})


def test_fused_steps_are_spelt_in_one_way() -> None:
    assert conv(activation="Add+ReLU").activation == "add_relu"
    assert conv(activation="none").steps == conv(activation="").steps == ()
    assert split_steps("add_hswish") == ("add", "hard_swish")
    assert split_steps("relu6") == ("relu6",)
    assert conv(activation="add_relu").added_tensors == 1
    assert conv(activation="relu").added_tensors == 0


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, (10, 12)),
        ({"padding": "valid"}, (8, 10)),
        ({"stride": 2}, (5, 6)),
        ({"stride": 2, "padding": "valid"}, (4, 5)),
        ({"op": "mean"}, (1, 1)),
        ({"op": "depth_to_space", "kernel": 2}, (20, 24)),
        ({"op": "space_to_depth", "kernel": 2}, (5, 6)),
        ({"op": "resize_bilinear", "kernel": 4}, (40, 48)),
        ({"op": "concat"}, (10, 12)),
    ],
)
def test_output_sizes(changes: dict[str, object], size: tuple[int, int]) -> None:
    assert conv(**changes).output_size == size


@pytest.mark.parametrize(
    "changes",
    [
        {"op": "warp"},
        {"in_channels": 0},
        {"in_channels": -3},
        {"height": -1},
        {"kernel": [3]},
        {"stride": "two"},
        {"groups": 3},
        {"activation": "sparkle"},
        {"padding": "reflect"},
        {"color": "red"},
    ],
)
def test_what_is_no_kernel_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        conv(**changes)
