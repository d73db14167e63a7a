"""The kinds of trunk block: each says once, as plain data, which convolutions it is deployed as.

A block computes ``activation(chain(x) + x)``, the chain being its convolutions in order; the residual, if any, is added
before the activation, the order that mobile runtimes fuse into the convolution. There is no normalization. Everything
else about a block follows from the chain: its deployed form, kernels, cost, receptive field and initial weights.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from nas_isp.errors import InputError
from nas_isp.generators.conv_spec import Activation, ConvSpec
from nas_isp.registry import Registry

if TYPE_CHECKING:
    from nas_isp.generators.trunk import TrunkBlock


class BlockKind:
    """A kind of block; packages outside subclass it and register an instance."""

    def convs(self, in_channels: int, out_channels: int, stride: int) -> Sequence[ConvSpec]:
        """The convolutions, in order, from `in_channels` to `out_channels`; their strides multiply to `stride`.

        The last one leaves `activation` and `residual` to the network, which each block of a description states.
        """
        raise NotImplementedError

    def module(self, convs: Sequence[ConvSpec]) -> "TrunkBlock":
        """The training form of these convolutions; as they are, unless a kind trains otherwise than it is deployed."""
        from nas_isp.generators.trunk import TrunkBlock

        return TrunkBlock(convs)


class Conv(BlockKind):
    """One convolution."""

    def __init__(self, kernel: int) -> None:
        self.kernel = kernel

    def convs(self, in_channels: int, out_channels: int, stride: int) -> Sequence[ConvSpec]:
        return (ConvSpec("conv", in_channels, out_channels, self.kernel, stride),)


class SeparableConv(BlockKind):
    """A depthwise convolution without bias or activation, then a 1x1 convolution.

    A bias in between would be redundant: the 1x1 convolution carries it into its own bias exactly.
    """

    def __init__(self, kernel: int) -> None:
        self.kernel = kernel

    def convs(self, in_channels: int, out_channels: int, stride: int) -> Sequence[ConvSpec]:
        depthwise = ConvSpec("depthwise", in_channels, in_channels, self.kernel, stride, groups=in_channels, bias=False)
        return depthwise, ConvSpec("pointwise", in_channels, out_channels, kernel=1)


class ReparameterizedConv(Conv):
    """One convolution, trained as a sum of branches; see `trunk.ReparameterizedBlock`."""

    def module(self, convs: Sequence[ConvSpec]) -> "TrunkBlock":
        from nas_isp.generators.trunk import ReparameterizedBlock

        return ReparameterizedBlock(convs)


CONV1, CONV3, CONV5 = Conv(1), Conv(3), Conv(5)
DWSEP3, DWSEP5 = SeparableConv(3), SeparableConv(5)
REP3 = ReparameterizedConv(3)

BLOCKS: Registry[BlockKind] = Registry(
    "block",
    "nas_isp.blocks",
    {
        name: f"nas_isp.generators.blocks:{name.upper()}"
        for name in ("conv1", "conv3", "conv5", "dwsep3", "dwsep5", "rep3")
    },
)
"""Kinds of block by the name that descriptions and search spaces use."""


def block_convs(
    kind: str, in_channels: int, out_channels: int, stride: int, activation: Activation, residual: bool
) -> tuple[ConvSpec, ...]:
    """The convolutions that a block is deployed as.

    Raises:
        InputError: an unknown kind, or one whose convolutions do not lead from the input to the output.
    """
    try:
        chain = tuple(BLOCKS[kind].convs(in_channels, out_channels, stride))
        fault = _fault(chain, in_channels, out_channels, stride)
    except InputError:
        raise
    except Exception as error:
        # A block of somebody else can fail in any way.
        fault = f"it says no convolutions ({type(error).__name__}: {error}); mend it"
    if fault:
        raise InputError(f"block '{kind}' from {in_channels} to {out_channels} channels at stride {stride}: {fault}")
    return (*chain[:-1], replace(chain[-1], activation=activation, residual=residual))


def keeps_every_pixel(kind: str) -> bool:
    """Whether a block at stride 2 sees all pixels of its input: a strided 1x1 convolution drops three of four."""
    return all(spec.kernel > 1 for spec in BLOCKS[kind].convs(4, 4, 2) if spec.stride > 1)


def _fault(chain: tuple[ConvSpec, ...], in_channels: int, out_channels: int, stride: int) -> str:
    """What is wrong with a chain of convolutions, in words; empty if nothing is."""
    if not chain:
        return "it has no convolution"
    if len({spec.name for spec in chain}) < len(chain):
        return "two of its convolutions have one name"
    channels = in_channels
    for spec in chain:
        if fault := _fault_of_one(spec, channels):
            return f"its convolution '{spec.name}' {fault}"
        channels = spec.out_channels
    if channels != out_channels:
        return f"its convolutions end in {channels} channels"
    if math.prod(spec.stride for spec in chain) != stride:
        return f"its convolutions have a stride of {math.prod(spec.stride for spec in chain)}"
    if chain[-1].activation != "none" or any(spec.residual for spec in chain):
        return "the last activation and the residual are the description's to state, not the kind's"
    return ""


def _fault_of_one(spec: ConvSpec, channels: int) -> str:
    if not spec.name.isidentifier() or spec.name.startswith("_"):
        return "has a name that no parameter can have; give letters, digits and underscores"
    if spec.in_channels != channels:
        return f"takes {spec.in_channels} channels where {channels} come"
    if spec.kernel < 1 or spec.kernel % 2 == 0:
        return f"has a window of {spec.kernel}; give an odd one"
    if spec.stride not in (1, 2):
        return f"has a stride of {spec.stride}; give 1 or 2"
    if spec.out_channels < 1 or spec.groups < 1 or spec.in_channels % spec.groups or spec.out_channels % spec.groups:
        return f"has {spec.groups} groups for {spec.in_channels} to {spec.out_channels} channels"
    if spec.activation not in get_args(Activation):
        return f"has the activation '{spec.activation}'; known are {', '.join(get_args(Activation))}"
    return ""
