"""`Architecture`: a complete, frozen, JSON-serializable description of one generator."""

import hashlib
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationInfo, model_validator

from nas_isp.errors import InputError
from nas_isp.generators.blocks import BLOCKS
from nas_isp.generators.conv_spec import PACKED_CHANNELS, Activation
from nas_isp.generators.layers import PlainLayers, plain_layers
from nas_isp.generators.rmfa_layers import RmfaLayers, rmfa_layers
from nas_isp.settings import Settings, is_stored

Border = Literal["mirror", "zeros"]
"""What a network sees outside of a picture: its mirror image, or the zeros that its own convolutions assume."""


def _known_block(kind: str, info: ValidationInfo) -> str:
    try:
        return kind if is_stored(info) else BLOCKS.check(kind)
    except InputError as error:
        raise ValueError(str(error)) from error


BlockKindName = Annotated[str, AfterValidator(_known_block)]
"""A name in `blocks.BLOCKS`."""


class Block(Settings):
    """One layer of the trunk."""

    kind: Annotated[BlockKindName, Field(description="What it is made of, such as conv3, dwsep3 or rep3.")]
    channels: Annotated[int, Field(ge=1, le=512, description="Output channels.")]
    activation: Annotated[Activation, Field(description="Activation after the convolution.")] = "relu"
    residual: Annotated[bool, Field(description="Add the block's input; needs equal channels.")] = False


class _Described(Settings):
    format_version: Annotated[Literal[1], Field(description="Version of this description.")] = 1

    def to_json(self) -> str:
        """Canonical JSON: equal descriptions give equal text."""
        return self.model_dump_json()

    def digest(self) -> str:
        """Twelve hex digits that identify the description."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]


class PlainArchitecture(_Described):
    """A trunk of convolutions on packed pixels and a PixelShuffle tail.

    With `scale` 2 the trunk runs at the packed resolution; with `scale` 4 the first block has stride 2, so the trunk
    runs at half of that and the input's sides must be even.
    """

    family: Annotated[Literal["plain"], Field(description="Kind of network.")] = "plain"
    scale: Annotated[Literal[2, 4], Field(description="Output pixels per trunk pixel and side.")] = 2
    blocks: Annotated[tuple[Block, ...], Field(min_length=1, max_length=64, description="The trunk, in order.")]
    tail_kernel: Annotated[Literal[1, 3, 5], Field(description="Kernel of the last convolution.")] = 3
    tail_activation: Annotated[Literal["none", "relu"], Field(description="Activation before PixelShuffle.")] = "none"
    color_head: Annotated[
        bool, Field(description="Scale and shift the trunk's channels by numbers computed from the whole picture.")
    ] = False

    @model_validator(mode="after")
    def _residuals_fit(self) -> "PlainArchitecture":
        channels = PACKED_CHANNELS
        for index, block in enumerate(self.blocks):
            if block.residual and (block.channels != channels or (index == 0 and self.scale == 4)):
                raise ValueError(f"block {index}: a residual needs equal input and output shapes")
            channels = block.channels
        # A faulty block of another package is no fault of the description: its `InputError` passes through.
        assert self.layers
        return self

    @property
    def layers(self) -> PlainLayers:
        """The convolutions that the network is deployed as."""
        rows = tuple((block.kind, block.channels, block.activation, block.residual) for block in self.blocks)
        return plain_layers(rows, self.scale, self.color_head, self.tail_kernel, self.tail_activation)

    @property
    def step(self) -> int:
        """Packed pixels whose multiples a picture's sides and its tiles' positions must be."""
        return self.layers.stride

    @property
    def has_color_head(self) -> bool:
        """Whether the network looks at the mean over the whole picture, which tiles can share."""
        return self.layers.head is not None

    @property
    def needs_whole_picture(self) -> bool:
        """Whether the network computes numbers from the whole picture that tiles cannot share."""
        return False


class RmfaArchitecture(_Described):
    """RMFA as published with arXiv 2505.10420: a full-resolution three-channel-split network."""

    family: Annotated[Literal["rmfa"], Field(description="Kind of network.")] = "rmfa"
    width: Annotated[int, Field(ge=2, le=64, multiple_of=2, description="Channels of the trunk.")] = 16
    depth: Annotated[int, Field(ge=1, le=16, description="Number of RMFA blocks.")] = 2

    @property
    def layers(self) -> RmfaLayers:
        """The convolutions that the network is deployed as."""
        return rmfa_layers(self.width, self.depth)

    @property
    def step(self) -> int:
        """Packed pixels whose multiples a picture's sides must be."""
        return 1

    @property
    def has_color_head(self) -> bool:
        """Whether the network looks at the mean over the whole picture, which tiles can share."""
        return False

    @property
    def needs_whole_picture(self) -> bool:
        """Whether the network computes numbers from the whole picture that tiles cannot share: its attention does."""
        return True


Architecture = PlainArchitecture | RmfaArchitecture

ARCHITECTURE: TypeAdapter[Architecture] = TypeAdapter(Annotated[Architecture, Field(discriminator="family")])
"""Validates plain data or JSON: `ARCHITECTURE.validate_json(text)`."""
