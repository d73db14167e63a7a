"""Input checks, the color head and the layout of the training and deployed forms."""

import pytest
import torch

from nas_isp.generators.architecture import Block, PlainArchitecture
from nas_isp.generators.build import build, fuse
from nas_isp.generators.deployed import DeployedConv, DeployedPlain

HEAD = PlainArchitecture(blocks=(Block(kind="conv3", channels=8),), color_head=True)
NO_HEAD = HEAD.model_copy(update={"color_head": False})


def live_head(architecture: PlainArchitecture) -> torch.nn.Module:
    torch.manual_seed(3)
    net = build(architecture)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return net


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (1, 1, 8, 8), (4, 8, 8)])
def test_other_channels_are_refused_with_the_expected_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"packed RAW is \(batch, 4, h, w\)"):
        build(NO_HEAD)(torch.zeros(shape))


@pytest.mark.parametrize("size", [(9, 8), (8, 9)])
def test_odd_sides_are_refused_at_half_resolution_only(size: tuple[int, int]) -> None:
    packed = torch.zeros(1, 4, *size)
    half = PlainArchitecture(scale=4, blocks=(Block(kind="conv3", channels=8),))
    with pytest.raises(ValueError, match="even sides"):
        build(half)(packed)
    assert build(NO_HEAD)(packed).shape == (1, 3, 2 * size[0], 2 * size[1])


def test_tiles_with_the_pictures_context_equal_the_whole_picture() -> None:
    net = live_head(HEAD)
    packed = torch.rand(1, 4, 16, 32)
    with torch.no_grad():
        context = net.context(packed)
        whole = net(packed)
        left = net(packed[:, :, :, :20], context)
        lonely = net(packed[:, :, :, :20])
    assert context.shape == (1, 8)
    torch.testing.assert_close(left[..., :32], whole[..., :32], rtol=0, atol=1e-6)
    assert (lonely[..., :32] - whole[..., :32]).abs().max() > 1e-3


def test_deployed_form_shares_context_too() -> None:
    net = live_head(HEAD)
    fused = fuse(net)
    packed = torch.rand(2, 4, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(fused.context(packed), net.context(packed))
        torch.testing.assert_close(fused(packed, net.context(packed)), net(packed), rtol=0, atol=1e-5)


def test_without_a_head_there_is_no_context() -> None:
    net = build(NO_HEAD)
    assert net.context(torch.zeros(1, 4, 8, 8)) is None
    assert fuse(net).context(torch.zeros(1, 4, 8, 8)) is None


def test_deployed_layers_name_the_values_they_add() -> None:
    architecture = PlainArchitecture(
        blocks=(
            Block(kind="conv3", channels=8),
            Block(kind="dwsep5", channels=8, residual=True),
            Block(kind="rep3", channels=8, residual=True),
        )
    )
    fused = fuse(build(architecture))
    assert isinstance(fused, DeployedPlain)
    layers = [layer for layer in fused.layers if isinstance(layer, DeployedConv)]
    assert [layer.depthwise for layer in layers] == [False, True, False, False]
    assert [layer.residual_from for layer in layers] == [None, None, 1, 3]
    assert [layer.activation for layer in layers] == ["relu", "none", "relu", "relu"]
    assert [layer.conv.kernel_size[0] for layer in layers] == [3, 5, 1, 3]


def test_residual_is_added_before_the_activation() -> None:
    architecture = PlainArchitecture(
        blocks=(Block(kind="conv1", channels=4, activation="relu", residual=True),), tail_kernel=1
    )
    net = build(architecture)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.blocks[0].conv.weight[:, :, 0, 0] = -2 * torch.eye(4)
        net.tail.conv.weight[0, 0] = 1.0
    # relu(-2 x + x) is 0 for positive x; relu(-2 x) + x would be x.
    assert net(torch.ones(1, 4, 2, 2)).abs().max() == 0


def test_weight_names_are_those_of_stored_bundles() -> None:
    kinds = ("conv3", "dwsep3", "rep3")
    architecture = PlainArchitecture(
        blocks=tuple(Block(kind=kind, channels=4) for kind in kinds),
        color_head=True,  # type: ignore[arg-type]
    )
    assert list(build(architecture).state_dict()) == [
        *("blocks.0.conv.weight", "blocks.0.conv.bias"),
        *("blocks.1.depthwise.weight", "blocks.1.pointwise.weight", "blocks.1.pointwise.bias"),
        *("blocks.2.point", "blocks.2.expand", "blocks.2.project", "blocks.2.conv.weight", "blocks.2.conv.bias"),
        *("head.features.weight", "head.features.bias", "head.scale.weight", "head.scale.bias"),
        *("head.shift.weight", "head.shift.bias", "tail.conv.weight", "tail.conv.bias"),
    ]
