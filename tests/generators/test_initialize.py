"""A fresh generator: live units, a recognizable picture, reproducible from a seed."""

import pytest
import torch

from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build
from nas_isp.generators.initialize import dead_share
from nas_isp.generators.published import PUBLISHED

HALF = PlainArchitecture(
    scale=4, blocks=(Block(kind="conv3", channels=24), Block(kind="conv3", channels=24, residual=True))
)


def scene() -> torch.Tensor:
    """A bright diagonal edge on a dim, slightly colored ground, packed (1, 4, 32, 32)."""
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    brightness = torch.where(rows > columns, 0.5, 0.05)
    return (brightness * torch.tensor([0.5, 1.0, 1.0, 0.6])[:, None, None])[None]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["efficient-isp", "robust-isp"])
def test_published_networks_start_with_live_units(name: str, seed: int) -> None:
    torch.manual_seed(seed)
    assert dead_share(build(PUBLISHED[name]), scene()) == 0


@pytest.mark.parametrize("architecture", [PUBLISHED["efficient-isp"], HALF], ids=["x2", "x4"])
def test_output_starts_as_a_picture_of_the_scene(architecture: PlainArchitecture) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        output = build(architecture)(scene())
    brightness = torch.nn.functional.interpolate(scene()[:, 1:2], scale_factor=2, mode="nearest")
    for channel in output[0]:
        pair = torch.stack([channel.flatten(), brightness.flatten()])
        assert torch.corrcoef(pair)[0, 1] > 0.9
    assert output.min() > 0.1
    assert output.max() < 1.2


def test_same_seed_gives_the_same_start() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(7)
        states.append(build(HALF).state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_dead_share_counts_rectified_units_only() -> None:
    architecture = PlainArchitecture(
        blocks=(Block(kind="conv1", channels=4, activation="tanh"), Block(kind="conv1", channels=4)),
        tail_activation="relu",
    )
    net = build(architecture)
    with torch.no_grad():
        for conv in (net.blocks[0].conv, net.blocks[1].conv, net.tail.conv):
            conv.weight.zero_()
            conv.bias.fill_(1.0)
        net.blocks[1].conv.bias[0] = -1.0
        net.tail.conv.bias[:3] = -1.0
    # 4 rectified trunk units of which 1 is dead, 12 output units of which 3 are.
    assert dead_share(net, torch.rand(1, 4, 4, 4)) == pytest.approx(4 / 16)


def test_dead_share_leaves_no_hooks_behind() -> None:
    net = build(HALF)
    dead_share(net, scene())
    assert all(not module._forward_hooks for module in net.modules())
