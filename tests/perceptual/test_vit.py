"""The vision transformer agrees with arithmetic by hand and with the package transformers."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from nas_isp.errors import InputError
from nas_isp.perceptual.vit import VitSize, load_vit

TINY = VitSize(width=8, heads=2, inner=12, blocks=3, patch=4, side=8)


def tiny_state(prefix: str = "") -> dict[str, Tensor]:
    """Random weights of TINY under the published key names."""
    generator = torch.Generator().manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.cls_token": (1, 1, 8),
        "embeddings.position_embeddings": (1, 5, 8),
        "embeddings.patch_embeddings.projection.weight": (8, 3, 4, 4),
        "embeddings.patch_embeddings.projection.bias": (8,),
        "layernorm.weight": (8,),
        "layernorm.bias": (8,),
    }
    for index in range(TINY.blocks):
        for name, into, out in (
            *((f"attention.attention.{part}", 8, 8) for part in ("query", "key", "value")),
            ("attention.output.dense", 8, 8),
            ("intermediate.dense", 8, 12),
            ("output.dense", 12, 8),
        ):
            shapes[f"encoder.layer.{index}.{name}.weight"] = (out, into)
            shapes[f"encoder.layer.{index}.{name}.bias"] = (out,)
        for norm in ("layernorm_before", "layernorm_after"):
            shapes |= {f"encoder.layer.{index}.{norm}.{kind}": (8,) for kind in ("weight", "bias")}
    return {prefix + name: torch.randn(shape, generator=generator) * 0.5 for name, shape in shapes.items()}


def by_hand(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """The last tokens (B, 5, 8) behind the final norm, head by head and patch by patch."""

    def linear(tokens: Tensor, name: str) -> Tensor:
        return tokens @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(tokens: Tensor, name: str) -> Tensor:
        return functional.layer_norm(tokens, (8,), state[f"{name}.weight"], state[f"{name}.bias"], 1e-12)

    kernel = state["embeddings.patch_embeddings.projection.weight"].flatten(1)
    corners = [(top, left) for top in (0, 4) for left in (0, 4)]
    patches = [images[:, :, top : top + 4, left : left + 4].flatten(1) @ kernel.T for top, left in corners]
    patches = [patch + state["embeddings.patch_embeddings.projection.bias"] for patch in patches]
    class_token = state["embeddings.cls_token"][:, 0].expand(len(images), -1)
    tokens = torch.stack([class_token, *patches], 1) + state["embeddings.position_embeddings"]
    for index in range(TINY.blocks):
        block = f"encoder.layer.{index}."
        normed = norm(tokens, block + "layernorm_before")
        query, key, value = (linear(normed, f"{block}attention.attention.{part}") for part in ("query", "key", "value"))
        heads = []
        for own in (slice(0, 4), slice(4, 8)):
            shares = (query[..., own] @ key[..., own].transpose(1, 2) / math.sqrt(4)).softmax(-1)
            heads.append(shares @ value[..., own])
        tokens = tokens + linear(torch.cat(heads, -1), f"{block}attention.output.dense")
        inner = linear(norm(tokens, block + "layernorm_after"), block + "intermediate.dense")
        inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
        tokens = tokens + linear(inner, block + "output.dense")
    return norm(tokens, "layernorm")


def as_map(tokens: Tensor) -> Tensor:
    """(B, 5, 8) -> (B, 8, 2, 2): row by row, without the class token."""
    return torch.stack([tokens[:, 1:3], tokens[:, 3:5]], 1).permute(0, 3, 1, 2)


@pytest.mark.parametrize("prefix", ["", "vit."])
@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_patch_tokens_equal_those_computed_by_hand(tmp_path: Path, prefix: str, suffix: str) -> None:
    state = {**tiny_state(prefix), "classifier.bias": torch.zeros(10)}
    path = tmp_path / f"tiny{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    tokens = load_vit(path, size=TINY)(images, ("patch_tokens",))["patch_tokens"]
    torch.testing.assert_close(tokens, as_map(by_hand(tiny_state(), 2 * images - 1)), rtol=1e-4, atol=1e-5)


def test_raw_images_are_fed_where_the_published_recipe_fed_them(tmp_path: Path) -> None:
    save_file(tiny_state(), tmp_path / "tiny.safetensors")
    images = torch.rand(1, 3, 8, 8)
    tokens = load_vit(tmp_path / "tiny.safetensors", normalize=False, size=TINY)(images)["patch_tokens"]
    torch.testing.assert_close(tokens, as_map(by_hand(tiny_state(), images)), rtol=1e-4, atol=1e-5)


def test_images_of_another_size_are_resized_bilinearly(tmp_path: Path) -> None:
    save_file(tiny_state(), tmp_path / "tiny.safetensors")
    network = load_vit(tmp_path / "tiny.safetensors", size=TINY)
    images = torch.rand(1, 3, 16, 12)
    resized = functional.interpolate(images, (8, 8), mode="bilinear", align_corners=False)
    for layer, values in network(images).items():
        assert torch.equal(values, network(resized)[layer])


def test_tokens_equal_those_of_the_package_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=96, image_size=64, patch_size=16
    )
    reference = transformers.ViTForImageClassification(config).eval()
    reference.save_pretrained(tmp_path)
    size = VitSize(width=48, heads=4, inner=96, blocks=3, patch=16, side=64)
    network = load_vit(tmp_path / "model.safetensors", size=size)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        hidden = reference.vit((images - 0.5) / 0.5, output_hidden_states=True)
    features = network(images)
    assert "vit.encoder.layer.0.attention.attention.query.weight" in load_file(tmp_path / "model.safetensors")
    for layer, tokens in (("block1", hidden.hidden_states[1]), ("patch_tokens", hidden.last_hidden_state)):
        expected = tokens[:, 1:].transpose(1, 2).unflatten(2, (4, 4))
        torch.testing.assert_close(features[layer], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("key", ["encoder.layer.1.attention.attention.key.bias", "embeddings.position_embeddings"])
def test_missing_or_misshapen_tensors_are_named(tmp_path: Path, key: str) -> None:
    state = tiny_state()
    state[key] = torch.zeros(3)
    save_file(state, tmp_path / "misshapen.safetensors")
    del state[key]
    save_file(state, tmp_path / "missing.safetensors")
    with pytest.raises(InputError, match=rf"'{key}' has shape \(3,\)"):
        load_vit(tmp_path / "misshapen.safetensors", size=TINY)
    with pytest.raises(InputError, match=rf"has no '{key}'"):
        load_vit(tmp_path / "missing.safetensors", size=TINY)
