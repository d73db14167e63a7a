"""RMFA: its input planes, its sizes, and that it is a generator like the others."""

import pytest
import torch

from nas_isp.generators.architecture import RmfaArchitecture
from nas_isp.generators.build import build, fuse
from nas_isp.generators.cost import receptive_field
from nas_isp.generators.initialize import dead_share
from nas_isp.generators.rmfa import RmfaBlock, color_planes

SMALL = RmfaArchitecture(width=4, depth=1)


def test_planes_hold_the_mosaic_and_ones_elsewhere() -> None:
    packed = torch.tensor([0.1, 0.2, 0.3, 0.4]).view(1, 4, 1, 1)
    expected = torch.tensor([[[0.1, 1.0], [1.0, 1.0]], [[1.0, 0.2], [0.3, 1.0]], [[1.0, 1.0], [1.0, 0.4]]])
    torch.testing.assert_close(color_planes(packed)[0], expected)


@pytest.mark.parametrize("size", [(8, 8), (7, 5), (2, 2)])
def test_any_size_of_two_cells_or_more(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    output = build(SMALL)(torch.rand(2, 4, *size))
    assert output.shape == (2, 3, 2 * size[0], 2 * size[1])
    assert ((output > 0) & (output < 1)).all()


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"packed RAW is \(batch, 4, h, w\)"):
        build(SMALL)(torch.zeros(1, 3, 8, 8))


def test_deployed_form_is_an_evaluation_copy() -> None:
    net = build(SMALL)
    fused = fuse(net)
    packed = torch.rand(1, 4, 8, 8)
    torch.testing.assert_close(fused(packed), net(packed), rtol=0, atol=0)
    assert not fused.training
    assert fused.state_dict().keys() == net.state_dict().keys()
    assert all(one is not other for one, other in zip(fused.parameters(), net.parameters(), strict=True))


def test_every_weight_gets_a_finite_gradient() -> None:
    torch.manual_seed(0)
    net = build(RmfaArchitecture())
    net(torch.rand(1, 4, 16, 16)).square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in net.parameters())


@pytest.mark.parametrize("seed", range(3))
def test_most_units_start_alive(seed: int) -> None:
    torch.manual_seed(seed)
    assert dead_share(build(RmfaArchitecture()), 0.4 * torch.rand(2, 4, 32, 32)) < 0.25


def test_a_pixel_sees_no_further_than_stated() -> None:
    net = build(SMALL)
    for block in net.rmfa_blocks:
        assert isinstance(block, RmfaBlock)
        block.channel_attention.fc[2].weight.data.zero_()
    radius, reached = receptive_field(SMALL), 0
    packed = torch.rand(1, 4, 48, 48, requires_grad=True)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.abs_().mul_(0.3)
    output = net(packed)
    for row in range(44, 52):
        (gradient,) = torch.autograd.grad(output[0, :, row, 48].sum(), packed, retain_graph=True)
        touched = gradient[0].abs().sum((0, 2)).nonzero()[:, 0]
        reached = max(reached, *(abs(int(index) - row // 2) for index in (touched[0], touched[-1])))
    assert radius - 3 <= reached <= radius
