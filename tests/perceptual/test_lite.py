"""The packaged weights are the trained ones, small, and see pictures as their training meant."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from nas_isp.perceptual.features import load_features
from nas_isp.perceptual.lite import WEIGHTS_FILE, unfilled_lite
from nas_isp.perceptual.network import feature_distance

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "lite_features.md"

PATTERN_FEATURES = {"shallow": (1.677902, 2.458981), "middle": (2.426038, 2.433342), "deep": (1.543557, 2.288695)}
"""Mean and standard deviation of each layer for `pattern()`, recorded when the weights were."""


def pattern() -> Tensor:
    """(1, 3, 64, 64), 0..1, by formula: a ramp, a zone plate and a step."""
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 64), indexing="ij")
    return torch.stack([x, 0.5 + 0.5 * torch.sin(60 * (x**2 + y**2)), (x + y > 0.9).float()])[None]


def blurred(image: Tensor, radius: int) -> Tensor:
    """Two passes of a box of 2 * radius + 1 pixels."""
    for _ in range(2):
        image = F.avg_pool2d(F.pad(image, (radius,) * 4, mode="replicate"), 2 * radius + 1, stride=1)
    return image


def test_weights_are_those_that_the_document_describes() -> None:
    recorded = re.search(r"sha256.*?\b([0-9a-f]{64})\b", DOCUMENT.read_text(encoding="utf-8"))
    assert recorded is not None
    assert hashlib.sha256(WEIGHTS_FILE.read_bytes()).hexdigest() == recorded.group(1)


def test_weights_weigh_less_than_400_kilobytes() -> None:
    assert WEIGHTS_FILE.stat().st_size < 400_000


def test_layers_are_the_ones_that_other_parts_build_on() -> None:
    network = load_features()
    assert network.channels == {"shallow": 16, "middle": 32, "deep": 64}
    assert network.strides == {"shallow": 2, "middle": 4, "deep": 8}


def test_features_of_a_pattern_are_those_of_the_trained_network() -> None:
    features = load_features()(pattern())
    measured = {layer: (values.mean().item(), values.std().item()) for layer, values in features.items()}
    for layer, (mean, std) in PATTERN_FEATURES.items():
        assert measured[layer] == pytest.approx((mean, std), rel=1e-3)


def test_distance_grows_with_blur() -> None:
    network = load_features()
    levels = [feature_distance(network, pattern(), blurred(pattern(), radius)).item() for radius in (1, 2, 3, 5)]
    assert levels == sorted(levels)
    assert levels[0] > 0


def test_distance_grows_with_a_color_cast() -> None:
    network = load_features()
    cast = torch.tensor([1.0, -0.5, 0.5]).view(1, 3, 1, 1)
    levels = [feature_distance(network, pattern(), pattern() + share * cast).item() for share in (0.05, 0.1, 0.2, 0.4)]
    assert levels == sorted(levels)


def test_distances_rank_bad_pictures_as_squeezenet_does_and_better_than_random_weights(shared_data: Path) -> None:
    squeezenet = load_features("squeezenet", shared_data / "weights")
    with Image.open(shared_data / "rgb" / "kodak" / "kodim08.png") as image:
        pixels = np.asarray(image.convert("RGB"), dtype=np.float32)[192:320, 256:384] / 255
    photo = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    bad = _bad_versions(photo)
    truth = feature_distance(squeezenet, photo.expand_as(bad), bad)
    torch.manual_seed(0)
    by_chance = [_spearman(feature_distance(unfilled_lite(), photo.expand_as(bad), bad), truth) for _ in range(5)]
    agreement = _spearman(feature_distance(load_features(), photo.expand_as(bad), bad), truth)
    assert agreement > 0.95
    assert agreement > max(by_chance)


def _bad_versions(photo: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(photo.shape, generator=generator)
    cast = torch.tensor([1.0, -0.5, 0.3]).view(1, 3, 1, 1)
    gray = photo.mean(dim=1, keepdim=True)
    checks = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(photo.shape[2] // 2, photo.shape[3] // 2)
    versions = [blurred(photo, radius) for radius in (1, 2, 4)]
    for share in (0.1, 0.3, 0.6, 1.0):
        versions += [
            photo + 0.2 * share * noise,
            photo * (1 + share * cast),
            photo + share * (gray - photo),
            photo + 0.1 * share * checks,
            photo ** (1 + share),
            photo + share * (0.5 - photo) * 0.8,
        ]
    return torch.cat(versions).clamp(0, 1)


def _spearman(one: Tensor, other: Tensor) -> float:
    ranks = torch.stack([one.argsort().argsort(), other.argsort().argsort()]).double()
    return torch.corrcoef(ranks)[0, 1].item()
