import sys
from subprocess import run

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.blocks import BLOCKS
from nas_isp.generators.published import PUBLISHED
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.latency.kernels.kernel import Kernel
from nas_isp.latency.measure.devices import load_table
from nas_isp.latency.predict.predictor import predict, predictor_of

KINDS = list(BLOCKS)


def trunk(kind: str, channels: int, depth: int = 2) -> PlainArchitecture:
    return PlainArchitecture(blocks=tuple(Block(kind=kind, channels=channels) for _ in range(depth)))


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    channels=st.sampled_from([4, 8, 16, 32]),
    scale=st.sampled_from([2, 4]),
    color_head=st.booleans(),
    device=st.sampled_from(["pixel4-gpu", "galaxy-s10-gpu"]),
)
def test_shares_add_up_and_no_kernel_is_free(
    kind: str, channels: int, scale: int, color_head: bool, device: str
) -> None:
    blocks = (Block(kind=kind, channels=channels), Block(kind=kind, channels=channels, residual=True))
    description = {"blocks": blocks, "scale": scale, "color_head": color_head}
    prediction = predict(TABLES[device], kernels_of(PlainArchitecture.model_validate(description)))
    shares = (prediction.measured_share, prediction.interpolated_share, prediction.extrapolated_share)
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= 0
    assert all(np.isfinite(part.latency_ms) and part.latency_ms > 0 for part in prediction.kernels)
    assert prediction.latency_ms >= prediction.kernels_ms * min(1, TABLES[device].correction.scale)


@pytest.mark.parametrize("device", ["pixel4-gpu", "galaxy-s10-gpu", "mi8se-gpu", "iphonexs-gpu"])
def test_more_pixels_channels_and_layers_cost_more(device: str) -> None:
    table = TABLES.get(device) or load_table(device)

    def latency(architecture: PlainArchitecture, height: int = 544, width: int = 960) -> float:
        return predict(table, kernels_of(architecture, height, width)).latency_ms

    assert latency(trunk("conv3", 16)) < latency(trunk("conv3", 16, depth=3)) < latency(trunk("conv3", 32, depth=3))
    assert latency(trunk("conv3", 16), 272, 480) < latency(trunk("conv3", 16)) < latency(trunk("conv5", 16))


def test_saturated_kernels_scale_with_the_pixels() -> None:
    def kernel_ms(side: int) -> float:
        kernel = Kernel.model_validate(
            {"op": "conv2d", "in_channels": 16, "out_channels": 16, "kernel": 3, "height": side, "width": side}
        )
        return predict(TABLES["pixel4-gpu"], [kernel]).kernels_ms

    assert kernel_ms(960) / kernel_ms(480) == pytest.approx(4, rel=0.05)
    assert kernel_ms(448) / kernel_ms(224) == pytest.approx(4, rel=0.25)


def test_full_hd_networks_are_extrapolated_and_plausible() -> None:
    """A network of 6.2 GMAC at this size was measured at 60 ms on a mid-level phone GPU; this one has 1.58."""
    prediction = predict(TABLES["pixel4-gpu"], kernels_of(PUBLISHED["efficient-isp"]))
    assert prediction.extrapolated_share == 1
    assert 5 < prediction.latency_ms < 30
    shuffle = prediction.kernels[-1]
    assert "no depth_to_space was measured" in shuffle.reason
    assert shuffle.latency_ms > 0.1


def test_operators_of_foreign_networks_are_answered() -> None:
    shape = {"in_channels": 96, "out_channels": 96, "kernel": [3, 3], "stride": [1, 1], "height": 30, "width": 30}
    ops = ("avg_pool", "max_pool", "mean", "concat", "grouped_conv2d", "fully_connected", "resize_bilinear", "softmax")
    groups = {"grouped_conv2d": 8}
    kernels = [Kernel.model_validate(shape | {"op": op, "groups": groups.get(op, 1)}) for op in ops]
    assert all(part.latency_ms > 0 for part in predict(TABLES["galaxy-s10-gpu"], kernels).kernels)


def test_unstated_padding_is_that_of_the_source() -> None:
    shape = {"op": "depthwise_conv2d", "in_channels": 32, "out_channels": 32, "kernel": 3, "height": 114, "width": 114}
    part = predictor_of(TABLES["pixel4-gpu"]).predict_kernel(Kernel.model_validate(shape))
    assert part.basis == "measured"
    same = predictor_of(TABLES["pixel4-gpu"]).predict_kernel(Kernel.model_validate(shape | {"padding": "same"}))
    assert same.basis == "interpolated"
    assert same.latency_ms == pytest.approx(part.latency_ms, rel=0.2)


def test_predicting_needs_neither_torch_nor_a_search_framework() -> None:
    script = (
        "import sys; from nas_isp.latency.predict.predictor import Predictor; "
        "from nas_isp.latency.kernels import from_architecture; from nas_isp.latency.measure import devices, host; "
        "table = devices.load_table('pixel4-gpu'); Predictor(table).predict([table.measured[0].kernel]); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'optuna', 'ray', 'sklearn', 'scipy')))"
    )
    assert run([sys.executable, "-c", script], check=False).returncode == 0


TABLES = {name: load_table(name) for name in ("pixel4-gpu", "galaxy-s10-gpu")}
