"""The plain generator in its training form: a trunk on packed pixels, an optional color head, a PixelShuffle tail."""

import torch.nn.functional as F
from torch import Tensor, nn

from nas_isp.errors import InputError
from nas_isp.generators.architecture import PlainArchitecture
from nas_isp.generators.blocks import BLOCKS
from nas_isp.generators.conv_spec import PACKED_CHANNELS, ConvSpec
from nas_isp.generators.deployed import ColorHead, DeployedConv, DeployedPlain
from nas_isp.generators.trunk import TrunkBlock


class PlainNet(nn.Module):
    """Packed (B, 4, h, w) -> RGB (B, 3, 2h, 2w), not clipped; `PlainArchitecture` describes it.

    State-dict names are part of the bundle format: ``blocks.0.conv.weight``, ``tail.conv.weight``,
    ``head.scale.weight`` and the like.

    Raises:
        InputError: a kind of block whose training form is none.
    """

    def __init__(self, architecture: PlainArchitecture) -> None:
        super().__init__()
        self.layers = layers = architecture.layers
        self.blocks = nn.ModuleList(map(_block, layers.kinds, layers.blocks))
        self.head = ColorHead(layers.head) if layers.head is not None else None
        self.tail = TrunkBlock([layers.tail])

    @property
    def trunk(self) -> list[TrunkBlock]:
        """The blocks in order."""
        return [block for block in self.blocks if isinstance(block, TrunkBlock)]

    def context(self, packed: Tensor) -> Tensor | None:
        """The color head's numbers (B, 8) for a whole picture, shared by its tiles; None without a color head."""
        check_packed(packed, self.layers.stride)
        return None if self.head is None else self.head.context(packed)

    def forward(self, packed: Tensor, context: Tensor | None = None) -> Tensor:
        check_packed(packed, self.layers.stride)
        features = packed
        for block in self.blocks:
            features = block(features)
        if self.head is not None:
            pooled = self.head.pooled(packed) if context is None else context[:, :, None, None]
            features = self.head(features, pooled)
        return F.pixel_shuffle(self.tail(features), self.layers.shuffle)

    def deployed(self) -> DeployedPlain:
        """A new `DeployedPlain` in evaluation mode with the same output.

        Raises:
            InputError: a training form that amounts to other convolutions than described.
        """
        layers: list[DeployedConv] = []
        for block in self.trunk:
            layers += block.deployed(len(layers))
        (tail,) = self.tail.deployed(len(layers))
        head = None
        if self.head is not None:
            head = ColorHead(self.head.layers).to(tail.conv.weight.device)
            head.load_state_dict(self.head.state_dict())
        return DeployedPlain(layers, head, tail, self.layers.shuffle).eval()


def check_packed(packed: Tensor, stride: int = 1) -> None:
    """Refuse what is no packed picture for a network whose trunk has a pixel for so many of a side.

    Raises:
        ValueError: not (B, 4, h, w), or an odd side where the trunk runs at half resolution.
    """
    if packed.ndim != 4 or packed.shape[1] != PACKED_CHANNELS:
        raise ValueError(f"input has shape {tuple(packed.shape)}; packed RAW is (batch, {PACKED_CHANNELS}, h, w)")
    height, width = packed.shape[2:]
    if height % stride or width % stride:
        raise ValueError(f"packed input is {height}x{width}; a scale-4 network needs even sides: pad or crop by one")


def _block(kind: str, convs: tuple[ConvSpec, ...]) -> TrunkBlock:
    """The training form of a block, if what its kind gives is one."""
    block = BLOCKS[kind].module(convs)
    if not isinstance(block, TrunkBlock) or type(block).forward is not TrunkBlock.forward:
        raise InputError(
            f"block '{kind}': its training form has a `forward` of its own, which need not agree with the convolutions "
            "that it is deployed as; subclass TrunkBlock and override `weight_of` instead"
        )
    return block
