"""How well `lite` agrees with SqueezeNet on photos that its training never saw."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from lite_distortions import TRAINED, UNSEEN, distort
from lite_photos import fixed_crops
from torch import Tensor, nn

from nas_isp.perceptual.lite import unfilled_lite
from nas_isp.perceptual.network import FeatureNetwork, feature_distance

MATCHED = {"shallow": "conv1", "middle": "fire3", "deep": "fire5"}
STRENGTHS = (0.15, 0.4, 0.7, 1.0)


@dataclass(frozen=True)
class Whitening:
    """Mean and standard deviation, (1, C, 1, 1), of the channels of SqueezeNet's layers over photos."""

    mean: dict[str, Tensor]
    std: dict[str, Tensor]

    def __call__(self, layer: str, features: Tensor) -> Tensor:
        """Features (B, C, h, w) with mean 0 and variance 1."""
        return (features - self.mean[layer]) / self.std[layer]


def measure_whitening(teacher: FeatureNetwork, images: Tensor) -> Whitening:
    """Over images (B, 3, H, W); a channel that is nearly always 0 keeps a tenth of the layer's usual deviation."""
    means, deviations = {}, {}
    with torch.no_grad():
        for layer, features in teacher(images).items():
            std = features.std(dim=(0, 2, 3), keepdim=True)
            means[layer] = features.mean(dim=(0, 2, 3), keepdim=True)
            deviations[layer] = std.clamp(min=0.1 * float(std.square().mean().sqrt()))
    return Whitening(means, deviations)


def report_regression(
    student: FeatureNetwork, teacher: FeatureNetwork, heads: nn.ModuleDict, whitening: Whitening, photos: list[Tensor]
) -> list[str]:
    """Markdown rows: layer, R2 and mean cosine of the regressed features on clean and on distorted crops.

    The ceiling is the R2 of the best linear code of as many channels as lite has there (principal components of
    SqueezeNet's own features on the same photos): no 1x1 head on lite's layer can exceed it.
    """
    clean = torch.stack([crop for photo in photos for crop in fixed_crops(photo)])
    rng = np.random.default_rng(1)
    bad = torch.stack([distort(crop, rng) for crop in clean])
    rows = [
        "| lite | SqueezeNet | R2, photos | ceiling, photos | cosine, photos | R2, distorted | cosine, distorted |",
        "|---|---|---|---|---|---|---|",
    ]
    with torch.no_grad():
        for layer, target in MATCHED.items():
            figures: list[float] = []
            for images in (clean, bad):
                truth = whitening(target, teacher(images, (target,))[target])
                guess = heads[layer](student(images, (layer,))[layer])
                figures += [_r2(guess, truth), F.cosine_similarity(guess, truth, dim=1).mean().item()]
                if images is clean:
                    figures.insert(1, _ceiling(truth, student.channels[layer]))
            rows.append(f"| {layer} | {target} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    return rows


def _r2(guess: Tensor, truth: Tensor) -> float:
    """1 - squared error / squared deviation from each channel's mean, over all channels together."""
    deviation = truth - truth.mean(dim=(0, 2, 3), keepdim=True)
    return 1 - ((guess - truth).square().sum() / deviation.square().sum()).item()


def _ceiling(truth: Tensor, channels: int) -> float:
    """Share of the variance of (B, C, h, w) in its first `channels` principal components over C."""
    values = torch.linalg.eigvalsh(truth.transpose(0, 1).flatten(1).double().cov())
    return (values[-channels:].sum() / values.sum()).item()


def report_distances(student: FeatureNetwork, teacher: FeatureNetwork, photos: list[Tensor]) -> list[str]:
    """Markdown rows: Spearman correlation of several distances with SqueezeNet's, over distortions of crops."""
    torch.manual_seed(0)
    random = unfilled_lite()
    measures: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "lite": lambda one, other: feature_distance(student, one, other),
        "lite, random weights": lambda one, other: feature_distance(random, one, other),
        "mean squared error": lambda one, other: (one - other).square().mean(dim=(1, 2, 3)),
    }
    rows = ["| distance | all | within a crop | trained kinds | unseen kinds |", "|---|---|---|---|---|"]
    crops = [crop for photo in photos for crop in fixed_crops(photo)]
    with torch.no_grad():
        truth = _table(crops, lambda one, other: feature_distance(teacher, one, other))
        for name, measure in measures.items():
            table = _table(crops, measure)
            trained = len(TRAINED) * len(STRENGTHS)
            figures = [
                spearman(table, truth),
                float(np.mean([spearman(own, its) for own, its in zip(table, truth, strict=True)])),
                spearman(table[:, :trained], truth[:, :trained]),
                spearman(table[:, trained:], truth[:, trained:]),
            ]
            rows.append(f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    return rows


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Rank correlation of all entries; no allowance for ties, which do not occur in measured distances."""
    ranks = [values.ravel().argsort().argsort() for values in (one, other)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _table(crops: list[Tensor], measure: Callable[[Tensor, Tensor], Tensor]) -> np.ndarray:
    """(crops, kinds x strengths) of distances of each crop to its distorted versions; the same versions every time."""
    rows = []
    for index, crop in enumerate(crops):
        versions = [
            function(crop, strength, np.random.default_rng([index, zlib.crc32(name.encode()), round(100 * strength)]))
            for name, function in (TRAINED | UNSEEN).items()
            for strength in STRENGTHS
        ]
        others = torch.stack(versions).clamp(0, 1)
        rows.append(measure(crop.expand_as(others), others).numpy())
    return np.stack(rows)
