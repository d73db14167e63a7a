from collections import Counter
from pathlib import Path

import pytest
from torch import nn

from nas_isp.errors import InputError
from nas_isp.export.tflite.convert import export_tflite
from nas_isp.formats.tflite_file import operators, parse
from nas_isp.generators.architecture import Architecture, Block, PlainArchitecture
from nas_isp.generators.blocks import BLOCKS
from nas_isp.generators.build import build, fuse
from nas_isp.generators.cost import count
from nas_isp.generators.published import PUBLISHED
from nas_isp.latency.kernels.from_architecture import Kernel, kernels_of
from nas_isp.latency.measure.probe_models import single_kernel_model
from tests.plain_networks import EVERYTHING

EVERY_KIND = PlainArchitecture(blocks=tuple(Block(kind=kind, channels=8) for kind in BLOCKS))
PLAIN: list[Architecture] = [PUBLISHED["efficient-isp"], PUBLISHED["robust-isp"], EVERYTHING, EVERY_KIND]


def convolutions(kernels: list[Kernel]) -> list[tuple[object, ...]]:
    windowed = [kernel for kernel in kernels if kernel.op in ("conv2d", "grouped_conv2d", "depthwise_conv2d")]
    return sorted((k.in_channels, k.out_channels, k.kernel, k.stride, k.groups) for k in windowed)


def exact_gmacs(kernels: list[Kernel]) -> float:
    return (
        sum(
            k.output_size[0] * k.output_size[1] * k.kernel[0] * k.kernel[1] * k.in_channels // k.groups * k.out_channels
            for k in kernels
            if k.op in ("conv2d", "depthwise_conv2d")
        )
        / 1e9
    )


def test_efficient_isp_is_three_convolutions_and_a_shuffle() -> None:
    labels = [kernel.label() for kernel in kernels_of(PUBLISHED["efficient-isp"])]
    assert labels == [
        "conv2d 3x3 4->12 @ 544x960 +tanh",
        "conv2d 3x3 12->12 @ 544x960 +relu",
        "conv2d 3x3 12->12 @ 544x960 +relu",
        "depth_to_space 12->3 @ 544x960",
    ]


def test_every_part_of_a_plain_network_is_listed() -> None:
    labels = [kernel.label() for kernel in kernels_of(EVERYTHING, 64, 96)]
    assert labels == [
        "depthwise_conv2d 5x5/2 4->4 @ 64x96",
        "conv2d 1x1 4->8 @ 32x48 +relu",
        "conv2d 3x3 8->8 @ 32x48 +add_relu6",
        "depthwise_conv2d 3x3 8->8 @ 32x48",
        "conv2d 1x1 8->8 @ 32x48 +add",
        "conv2d 1x1 8->12 @ 32x48 +tanh",
        "conv2d 1x1 4->8 @ 64x96 +relu",
        "mean 8->8 @ 64x96",
        "conv2d 1x1 8->12 @ 1x1",
        "conv2d 1x1 8->12 @ 1x1",
        "mul 12->12 @ 32x48",
        "add 12->12 @ 32x48",
        "conv2d 5x5 12->48 @ 32x48 +relu",
        "depth_to_space 48->3 @ 32x48",
    ]


@pytest.mark.parametrize("architecture", PLAIN)
def test_convolutions_are_those_of_the_deployed_network(architecture: Architecture) -> None:
    deployed = [module for module in fuse(build(architecture)).modules() if isinstance(module, nn.Conv2d)]
    expected = sorted((m.in_channels, m.out_channels, m.kernel_size, m.stride, m.groups) for m in deployed)
    assert convolutions(kernels_of(architecture)) == expected


@pytest.mark.parametrize("architecture", PLAIN)
def test_multiply_accumulates_agree_with_the_counted_network(architecture: Architecture) -> None:
    kernels = kernels_of(architecture, 64, 96)
    assert exact_gmacs(kernels) == pytest.approx(count(architecture, 64, 96).gmacs)


def test_odd_sides_of_a_half_resolution_trunk_are_refused() -> None:
    with pytest.raises(InputError, match="even sides"):
        kernels_of(EVERYTHING, 63, 96)


def test_rmfa_has_the_convolutions_and_the_work_of_its_network() -> None:
    architecture = PUBLISHED["rmfa-tiny"]
    kernels = kernels_of(architecture, 64, 96)
    network = [module for module in build(architecture).modules() if isinstance(module, nn.Conv2d)]
    expected = {(m.in_channels, m.out_channels, m.kernel_size, m.stride, m.groups) for m in network}
    assert set(convolutions(kernels)) == expected
    assert exact_gmacs(kernels) == pytest.approx(count(architecture, 64, 96).gmacs)
    assert sum(kernel.op == "resize_bilinear" for kernel in kernels) == 3 * 2


@pytest.mark.slow
@pytest.mark.parametrize("architecture", PLAIN)
def test_kernels_hold_the_operators_of_the_exported_file_one_to_one(architecture: Architecture) -> None:
    exported = operators(parse(export_tflite(fuse(build(architecture)), 64, 96), Path("model.tflite")))
    found: Counter[str] = Counter()
    for kernel in kernels_of(architecture, 64, 96):
        found.update(operators(parse(single_kernel_model(kernel), Path("kernel.tflite"))))
    assert found == exported
