"""A block from outside is right everywhere, from its one list of convolutions, or refused by name."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.generators.architecture import ARCHITECTURE, Block, PlainArchitecture
from nas_isp.generators.blocks import BLOCKS, BlockKind, block_convs, keeps_every_pixel
from nas_isp.generators.build import build, fuse
from nas_isp.generators.conv_spec import ConvSpec
from nas_isp.generators.cost import count, receptive_field
from nas_isp.generators.trunk import TrunkBlock
from nas_isp.latency.kernels.from_architecture import kernels_of
from nas_isp.search.space import SearchSpace


class InvertedBottleneck(BlockKind):
    """Widened, filtered channel by channel, and narrowed again (MobileNetV2, Sandler et al. 2018)."""

    def convs(self, in_channels: int, out_channels: int, stride: int) -> Sequence[ConvSpec]:
        wide = 2 * in_channels
        return (
            ConvSpec("expand", in_channels, wide, 1, activation="relu6"),
            ConvSpec("depthwise", wide, wide, 3, stride, groups=wide, activation="relu6"),
            ConvSpec("project", wide, out_channels, 1),
        )


class Grouped(BlockKind):
    """Two groups of channels."""

    def convs(self, in_channels: int, out_channels: int, stride: int) -> Sequence[ConvSpec]:
        return (ConvSpec("conv", in_channels, out_channels, 3, stride, groups=2, bias=False),)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BLOCKS, "_registered", {})
    BLOCKS.register("test-inverted", InvertedBottleneck())
    BLOCKS.register("test-grouped", Grouped())


def network(kind: str, scale: int = 2) -> PlainArchitecture:
    blocks = (Block(kind=kind, channels=16), Block(kind=kind, channels=16, residual=True, activation="none"))
    return PlainArchitecture(scale=scale, blocks=blocks, tail_kernel=1)  # type: ignore[arg-type]


every_network = pytest.mark.parametrize(
    "architecture",
    [
        lambda: network("test-inverted"),
        lambda: network("test-inverted", scale=4),
        lambda: network("test-grouped"),
        lambda: network("test-grouped", scale=4),
    ],
    ids=["inverted", "inverted x4", "grouped", "grouped x4"],
)


def test_an_inverted_bottleneck_is_counted_by_hand() -> None:
    # 4 -> 8 -> 16 and 16 -> 32 -> 16 channels, then 16 -> 12: every convolution has a bias.
    first = (4 * 8 + 8) + (8 * 9 + 8) + (8 * 16 + 16)
    second = (16 * 32 + 32) + (32 * 9 + 32) + (32 * 16 + 16)
    cost = count(network("test-inverted"), 10, 20)
    assert cost.params == first + second + (16 * 12 + 12)
    assert cost.gmacs == pytest.approx(
        200 * (4 * 8 + 8 * 9 + 8 * 16 + 16 * 32 + 32 * 9 + 32 * 16 + 16 * 12) / 1e9, rel=1e-12
    )


def test_every_convolution_of_a_foreign_block_is_priced() -> None:
    assert [kernel.label() for kernel in kernels_of(network("test-inverted", scale=4), 32, 64)] == [
        "conv2d 1x1 4->8 @ 32x64 +relu6",
        "depthwise_conv2d 3x3/2 8->8 @ 32x64 +relu6",
        "conv2d 1x1 8->16 @ 16x32 +relu",
        "conv2d 1x1 16->32 @ 16x32 +relu6",
        "depthwise_conv2d 3x3 32->32 @ 16x32 +relu6",
        "conv2d 1x1 32->16 @ 16x32 +add",
        "conv2d 1x1 16->48 @ 16x32",
        "depth_to_space 48->3 @ 16x32",
    ]
    assert kernels_of(network("test-grouped"), 8, 8)[0].label() == "grouped_conv2d 3x3 4->16 @ 8x8 +relu"


@every_network
def test_counted_parameters_are_those_of_the_deployed_network(architecture: type[PlainArchitecture]) -> None:
    described = architecture()
    deployed = fuse(build(described))
    assert count(described).params == sum(parameter.numel() for parameter in deployed.parameters())


@every_network
def test_deployed_and_training_forms_agree(architecture: type[PlainArchitecture]) -> None:
    torch.manual_seed(0)
    net = build(architecture())
    packed = torch.rand(1, 4, 24, 32)
    with torch.no_grad():
        torch.testing.assert_close(fuse(net)(packed), net(packed), rtol=0, atol=1e-5)


@every_network
def test_the_receptive_field_is_that_of_a_measured_perturbation(architecture: type[PlainArchitecture]) -> None:
    described = architecture()
    net = fuse(build(described))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(0.01)
    reached = 0
    for row in range(40, 44):
        packed = torch.full((1, 4, 40, 40), 0.5, requires_grad=True)
        (gradient,) = torch.autograd.grad(net(packed)[0, 0, row, 40], packed)
        touched = gradient[0].abs().sum((0, 2)).nonzero()[:, 0]
        reached = max(reached, *(abs(int(index) - row // 2) for index in (touched[0], touched[-1])))
    assert reached == receptive_field(described)


@every_network
def test_a_fresh_network_shows_a_picture(architecture: type[PlainArchitecture]) -> None:
    torch.manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    scene = torch.where(rows > columns, 0.5, 0.05).expand(1, 4, 32, 32)
    with torch.no_grad():
        output = build(architecture())(scene)
    shown = torch.stack(
        [output.mean((0, 1)).flatten(), scene[0, 0].repeat_interleave(2, 0).repeat_interleave(2, 1).flatten()]
    )
    assert torch.corrcoef(shown)[0, 1] > 0.8
    assert (output.amax((0, 2, 3)) > 0).all()


def test_a_search_space_takes_a_foreign_block_by_name() -> None:
    space = SearchSpace.model_validate(
        {
            "description": "foreign",
            "scales": [4],
            "depths": [1],
            "widths": [8],
            "kinds": ["test-inverted", "conv1"],
            "activations": ["relu"],
            "first_activations": ["relu"],
        }
    )
    # The inverted bottleneck filters at stride 2; a strided 1x1 convolution would drop three pixels of four.
    assert [member.blocks[0].kind for member in space.members()] == ["test-inverted"]
    assert keeps_every_pixel("test-inverted")
    assert not keeps_every_pixel("conv1")


def test_a_description_survives_json() -> None:
    described = network("test-inverted")
    assert ARCHITECTURE.validate_json(described.to_json()) == described


def test_an_unknown_block_is_refused_by_name_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown block 'conv7': known are conv1, conv3, .*test-inverted"):
        Block(kind="conv7", channels=8)


GOOD = ConvSpec("a", 4, 8)


@pytest.mark.parametrize(
    ("chain", "fault"),
    [
        ((), "no convolution"),
        ((ConvSpec("a", 5, 8),), "'a' takes 5 channels where 4 come"),
        ((ConvSpec("a", 4, 6), ConvSpec("b", 8, 8)), "'b' takes 8 channels where 6 come"),
        ((ConvSpec("a", 4, 6),), "end in 6 channels"),
        ((ConvSpec("a", 4, 8, stride=2),), "have a stride of 2"),
        ((ConvSpec("a", 4, 8, kernel=2),), "window of 2"),
        ((ConvSpec("a", 4, 8, stride=3),), "stride of 3"),
        ((ConvSpec("a", 4, 8, groups=3),), "3 groups for 4 to 8"),
        ((ConvSpec("a", 4, 8, activation="relu"),), "the description's to state"),
        ((ConvSpec("a", 4, 8, residual=True),), "the description's to state"),
        ((ConvSpec("a", 4, 4, activation="swish"), ConvSpec("b", 4, 8)), "activation 'swish'"),  # type: ignore[arg-type]
        ((ConvSpec("a", 4, 4), ConvSpec("a", 4, 8)), "one name"),
        ((ConvSpec("a.b", 4, 8),), "no parameter can have"),
    ],
)
def test_convolutions_that_lead_nowhere_are_refused_by_the_name_of_their_block(
    chain: tuple[ConvSpec, ...], fault: str
) -> None:
    class Faulty(BlockKind):
        def convs(self, in_channels: int, out_channels: int, stride: int) -> Sequence[ConvSpec]:
            return chain

    BLOCKS.register("test-faulty", Faulty())
    with pytest.raises(InputError, match=rf"block 'test-faulty' from 4 to 8 channels at stride 1: .*{fault}"):
        block_convs("test-faulty", 4, 8, 1, "relu", False)
    with pytest.raises(InputError, match="block 'test-faulty'"):
        PlainArchitecture(blocks=(Block(kind="test-faulty", channels=8),))


class _OwnForward(TrunkBlock):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).square()


class _OtherWeight(TrunkBlock):
    def weight_of(self, spec: ConvSpec) -> Tensor:
        return super().weight_of(spec)[:, :, 1:2, 1:2]


@pytest.mark.parametrize("form", [_OwnForward, nn.Identity])
def test_a_training_form_that_need_not_agree_with_its_convolutions_is_refused(form: type[nn.Module]) -> None:
    class Odd(Grouped):
        def module(self, convs: Sequence[ConvSpec]) -> TrunkBlock:
            return form(convs)  # type: ignore[return-value]

    BLOCKS.register("test-odd", Odd())
    with pytest.raises(InputError, match=r"block 'test-odd': .*override `weight_of`"):
        build(network("test-odd"))


def test_a_training_form_that_amounts_to_another_shape_is_refused_when_it_is_fused() -> None:
    class Odd(Grouped):
        def module(self, convs: Sequence[ConvSpec]) -> TrunkBlock:
            return _OtherWeight(convs)

    BLOCKS.register("test-other", Odd())
    with pytest.raises(InputError, match=r"_OtherWeight: the weight of 'conv' is \(16, 2, 1, 1\), described as"):
        fuse(build(network("test-other")))


def test_a_convolution_cannot_take_the_name_of_what_every_block_has() -> None:
    with pytest.raises(InputError, match="'forward'"):
        TrunkBlock([ConvSpec("forward", 4, 8)])


@pytest.mark.parametrize("member", [3, BlockKind()])
def test_what_says_no_convolutions_is_refused_by_name(member: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BLOCKS._registered, "broken", member)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="block 'broken' from 4 to 8 channels at stride 1: it says no convolutions"):
        PlainArchitecture(blocks=(Block(kind="broken", channels=8),))
