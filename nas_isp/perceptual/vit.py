"""ViT-B/16 (Dosovitskiy et al., 2021, arXiv 2010.11929), weights as published for the package transformers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_isp.perceptual.features import FeatureSource
from nas_isp.perceptual.network import FeatureNetwork, InputRange, Layer, Role
from nas_isp.perceptual.state import copy_tensor, fill, read_state
from nas_isp.perceptual.weight_files import WeightsFile

_REPOSITORY = "https://huggingface.co/google/vit-base-patch16-224/resolve/3f49326eb077187dfe1c2a2bb15fbd74e6ab91e3/"
WEIGHTS = WeightsFile(
    "vit-base-patch16-224.safetensors",
    address=f"{_REPOSITORY}model.safetensors",
    sha256="1cea07110a4a47edc51420b2dda6f3b8b58e7256e8f44b4ea6aa9696162ccb5d",
    aliases=(
        "vit-base-patch16-224.bin",
        "vit-base-patch16-224/model.safetensors",
        "vit-base-patch16-224/pytorch_model.bin",
    ),
)

_RANGE = InputRange((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_EPSILON = 1e-12


@dataclass(frozen=True)
class VitSize:
    """Dimensions of a vision transformer; those of ViT-B/16 by default."""

    width: int = 768
    heads: int = 12
    inner: int = 3072
    blocks: int = 12
    patch: int = 16
    side: int = 224


class Embedding(nn.Module):
    """Patches as tokens behind the class token, with their positions added."""

    def __init__(self, size: VitSize) -> None:
        """For images of `size.side`."""
        super().__init__()
        self.patches = nn.Conv2d(3, size.width, size.patch, stride=size.patch)
        self.class_token = nn.Parameter(torch.randn(1, 1, size.width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, (size.side // size.patch) ** 2 + 1, size.width) * 0.02)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, side, side) -> tokens (B, 1 + patches, width)."""
        patches = self.patches(images).flatten(2).transpose(1, 2)
        return torch.cat((self.class_token.expand(len(images), -1, -1), patches), dim=1) + self.positions


class TransformerBlock(nn.Module):
    """Attention and a two-layer perceptron, each behind a layer norm and beside a shortcut."""

    def __init__(self, size: VitSize) -> None:
        """The three projections of attention are one matrix, query over key over value."""
        super().__init__()
        self.heads = size.heads
        self.norm_before = nn.LayerNorm(size.width, eps=_EPSILON)
        self.query_key_value = nn.Linear(size.width, 3 * size.width)
        self.attended = nn.Linear(size.width, size.width)
        self.norm_after = nn.LayerNorm(size.width, eps=_EPSILON)
        self.expand = nn.Linear(size.width, size.inner)
        self.contract = nn.Linear(size.inner, size.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T, width) to the same shape."""
        projected = self.query_key_value(self.norm_before(tokens)).unflatten(2, (3, self.heads, -1))
        query, key, value = projected.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        tokens = tokens + self.attended(seen)
        return tokens + self.contract(functional.gelu(self.expand(self.norm_after(tokens))))


class TokenMap(nn.Module):
    """Patch tokens laid out as the image's map, the class token dropped."""

    def __init__(self, norm: nn.Module | None = None) -> None:
        """`norm` is applied to the tokens first."""
        super().__init__()
        self.norm = norm or nn.Identity()

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, 1 + n * n, width) -> (B, width, n, n)."""
        patches = self.norm(tokens[:, 1:])
        side = math.isqrt(patches.shape[1])
        return patches.transpose(1, 2).unflatten(2, (side, side))


def unfilled_vit(normalize: bool = True, size: VitSize | None = None) -> FeatureNetwork:
    """A vision transformer with random weights; its speed is that of the trained one.

    Layers, each (B, 768, 14, 14) whatever the size of the images: `block4` and `block8`, the tokens after a third and
    two thirds of the blocks, and `patch_tokens`, the last ones behind the final layer norm.
    """
    size = size or VitSize()
    blocks = [TransformerBlock(size) for _ in range(size.blocks)]
    third, two_thirds = size.blocks // 3, 2 * size.blocks // 3
    norm = nn.LayerNorm(size.width, eps=_EPSILON)
    first, second = f"block{third}", f"block{two_thirds}"
    layers = {
        first: Layer(nn.Sequential(Embedding(size), *blocks[:third]), size.width, size.patch, readout=TokenMap()),
        second: Layer(nn.Sequential(*blocks[third:two_thirds]), size.width, size.patch, readout=TokenMap()),
        "patch_tokens": Layer(nn.Sequential(*blocks[two_thirds:]), size.width, size.patch, readout=TokenMap(norm)),
    }
    roles: dict[Role, str] = {"shallow": first, "middle": second, "deep": "patch_tokens"}
    return FeatureNetwork("vit-b16", layers, roles, _RANGE, normalize, side=size.side)


def load_vit(path: Path, normalize: bool = True, size: VitSize | None = None) -> FeatureNetwork:
    """The network with weights from a safetensors file or state dictionary, key names with or without `vit.`.

    Raises:
        InputError: the file is unreadable or holds other weights.
    """
    network = unfilled_vit(normalize, size)
    state = {key.removeprefix("vit."): value for key, value in read_state(path).items()}
    parts = list(network.modules())
    embedding = next(part for part in parts if isinstance(part, Embedding))
    copy_tensor(embedding.class_token, state, "embeddings.cls_token", path)
    copy_tensor(embedding.positions, state, "embeddings.position_embeddings", path)
    fill([embedding.patches], state, ["embeddings.patch_embeddings.projection"], path)
    for index, block in enumerate(part for part in parts if isinstance(part, TransformerBlock)):
        _fill_block(block, state, f"encoder.layer.{index}", path)
    fill([network.readouts["patch_tokens"].get_submodule("norm")], state, ["layernorm"], path)
    return network


SOURCE = FeatureSource(unfilled_vit, ((WEIGHTS, load_vit),))


def _fill_block(block: TransformerBlock, state: Mapping[str, Tensor], prefix: str, path: Path) -> None:
    for kind in ("weight", "bias"):
        thirds = block.query_key_value.get_parameter(kind).chunk(3)
        for third, name in zip(thirds, ("query", "key", "value"), strict=True):
            copy_tensor(third, state, f"{prefix}.attention.attention.{name}.{kind}", path)
    modules = [block.norm_before, block.attended, block.norm_after, block.expand, block.contract]
    names = ("layernorm_before", "attention.output.dense", "layernorm_after", "intermediate.dense", "output.dense")
    fill(modules, state, [f"{prefix}.{name}" for name in names], path)
