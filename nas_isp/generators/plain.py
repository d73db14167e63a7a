"""The plain generator in its training form: a trunk on packed pixels, an optional color head, a PixelShuffle tail."""

import torch.nn.functional as F
from torch import Tensor, nn

from nas_isp.generators.architecture import PACKED_CHANNELS, RGB_CHANNELS, Block, BlockKind, PlainArchitecture
from nas_isp.generators.blocks import BLOCKS, ConvBlock, TrunkBlock
from nas_isp.generators.deployed import ColorHead, DeployedConv, DeployedPlain

TAIL_KINDS: dict[int, BlockKind] = {1: "conv1", 3: "conv3", 5: "conv5"}


class PlainNet(nn.Module):
    """Packed (B, 4, h, w) -> RGB (B, 3, 2h, 2w), not clipped; `PlainArchitecture` describes it.

    State-dict names are part of the bundle format: ``blocks.0.conv.weight``, ``tail.conv.weight``,
    ``head.scale.weight`` and the like.
    """

    def __init__(self, architecture: PlainArchitecture) -> None:
        super().__init__()
        self.scale = architecture.scale
        channels = PACKED_CHANNELS
        blocks: list[TrunkBlock] = []
        for index, block in enumerate(architecture.blocks):
            stride = 2 if index == 0 and architecture.scale == 4 else 1
            blocks.append(BLOCKS[block.kind](channels, block, stride))
            channels = block.channels
        self.blocks = nn.ModuleList(blocks)
        self.head = ColorHead(channels) if architecture.color_head else None
        tail = Block(
            kind=TAIL_KINDS[architecture.tail_kernel],
            channels=RGB_CHANNELS * architecture.scale**2,
            activation=architecture.tail_activation,
        )
        self.tail = ConvBlock(channels, tail)

    def context(self, packed: Tensor) -> Tensor | None:
        """The color head's numbers (B, 8) for a whole picture, shared by its tiles; None without a color head."""
        check_packed(packed, self.scale)
        return None if self.head is None else self.head.context(packed)

    def forward(self, packed: Tensor, context: Tensor | None = None) -> Tensor:
        check_packed(packed, self.scale)
        features = packed
        for block in self.blocks:
            features = block(features)
        if self.head is not None:
            pooled = self.head.pooled(packed) if context is None else context[:, :, None, None]
            features = self.head(features, pooled)
        return F.pixel_shuffle(self.tail(features), self.scale)

    def deployed(self) -> DeployedPlain:
        """A new `DeployedPlain` in evaluation mode with the same output."""
        layers: list[DeployedConv] = []
        for block in self.blocks:
            assert isinstance(block, TrunkBlock)
            layers += block.deployed(len(layers))
        head = None
        if self.head is not None:
            head = ColorHead(self.tail.in_channels).to(self.tail.conv.weight.device)
            head.load_state_dict(self.head.state_dict())
        return DeployedPlain(layers, head, self.tail.deployed(len(layers))[0], self.scale).eval()


def check_packed(packed: Tensor, scale: int = 2) -> None:
    """Refuse what is no packed picture for a network of this scale.

    Raises:
        ValueError: not (B, 4, h, w), or an odd side where the trunk runs at half resolution.
    """
    if packed.ndim != 4 or packed.shape[1] != PACKED_CHANNELS:
        raise ValueError(f"input has shape {tuple(packed.shape)}; packed RAW is (batch, {PACKED_CHANNELS}, h, w)")
    height, width = packed.shape[2:]
    if scale == 4 and (height % 2 or width % 2):
        raise ValueError(f"packed input is {height}x{width}; a scale-4 network needs even sides: pad or crop by one")
