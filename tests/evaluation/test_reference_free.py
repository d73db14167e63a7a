"""The reference-free score orders pictures that are plainly better and worse."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import cut_photo_patches
from nas_isp.evaluation.appearance import Appearance
from nas_isp.evaluation.reference_free import (
    TargetStatistics,
    reference_free_quality,
    reference_free_score,
    target_statistics,
)
from nas_isp.perceptual.features import load_features
from nas_isp.perceptual.network import FeatureNetwork


@pytest.fixture(scope="module")
def features() -> FeatureNetwork:
    return load_features("lite")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Tensor:
    folder = tmp_path_factory.mktemp("demo")
    patches = cut_photo_patches(demo_folders(folder)[1], folder / "cache", 128, limit=80)
    return patches.tensor(range(len(patches)))


@pytest.fixture(scope="module")
def target(photos: Tensor, features: FeatureNetwork) -> TargetStatistics:
    return target_statistics(photos[::2], features)


def _quality(pictures: Tensor, references: Tensor, target: TargetStatistics, features: FeatureNetwork) -> float:
    return reference_free_score(pictures, references, target, features)["quality"]


@pytest.mark.parametrize("name", ["cast", "blur", "noise", "gray", "shuffled", "dark"])
def test_a_spoilt_picture_scores_worse_and_more_so_the_more_it_is_spoilt(
    name: str, photos: Tensor, target: TargetStatistics, features: FeatureNetwork
) -> None:
    clean = photos[1::2]
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    spoilt = {
        "cast": clean * torch.tensor([1.0, 0.8, 0.7]).view(1, 3, 1, 1),
        "blur": functional.avg_pool2d(clean, 7, stride=1, padding=3, count_include_pad=False),
        "noise": (clean + 0.15 * noise).clamp(0, 1),
        "gray": clean.mean(1, keepdim=True).expand_as(clean),
        "shuffled": clean.roll(1, 0),
        "dark": clean * 0.5,
    }[name]
    qualities = [_quality(clean.lerp(spoilt, share), clean, target, features) for share in (0.0, 0.4, 1.0)]
    assert qualities == sorted(qualities, reverse=True)
    assert qualities[0] > qualities[2] + 0.02


def test_a_target_scored_against_itself_misses_nothing(photos: Tensor, features: FeatureNetwork) -> None:
    scores = reference_free_score(photos, photos, target_statistics(photos, features), features)
    assert scores["fidelity"] == pytest.approx(20, abs=1e-3)  # the references' own error
    assert scores["quality"] == pytest.approx(20 - 0.8 * 10, abs=1e-2)
    assert scores["color"] == pytest.approx(0, abs=1e-4)


def test_pictures_count_by_their_mean_psnr(photos: Tensor, target: TargetStatistics, features: FeatureNetwork) -> None:
    """Errors of 0.1 and 0.01 everywhere are 20 and 40 dB; their mean, not the PSNR of their mean error, counts."""
    wanted = photos[:2].clamp(0, 0.8)
    made = wanted + torch.tensor([0.1, 0.01]).view(2, 1, 1, 1)
    scores = reference_free_score(made, photos[:2], target, features, synthetic=(made, wanted))
    assert scores["synthetic"] == pytest.approx(30, abs=0.01)


PARTS = {
    **{"fidelity": 16.0, "difference": 12.0, "color": 3.0, "texture": 0.1, "content": 0.24},
    **{"anchor": 18.0, "anchor_difference": 14.0, "synthetic": 22.0, "synthetic_difference": 9.0},
}
"""0.24 beside the references' own 0.1 is 0.26: 0.16 beyond it."""

LOOK = Appearance(0, 0, 0, 0, 1, 0, 0, 0, 1, 1).to_dict()


def test_stand_ins_for_the_truth_share_alike_and_distances_cost() -> None:
    distances = 0.3 + 0.3 + 1.6
    assert reference_free_quality(PARTS) == pytest.approx(19.5 - 0.8 * 11 - distances)
    no_pairs = {name: value for name, value in PARTS.items() if "synthetic" not in name}
    assert reference_free_quality(no_pairs) == pytest.approx(17 - 0.8 * 13 - distances)
    no_anchors = {name: value for name, value in no_pairs.items() if "anchor" not in name}
    assert reference_free_quality(no_anchors) == pytest.approx(16 - 0.8 * 12 - distances)


@pytest.mark.parametrize(
    ("change", "cost_db"),
    [
        ({"cast_levels": 24.0}, 0.03 * 16),
        ({"tinted_share": 0.2}, 0.6),
        ({"chroma_ratio": 0.5}, 1.0),
        ({"chroma_ratio": 2.0}, 0.0),
        ({"chroma_ratio": 4.0}, 1.0),
        ({"exposure_stops": -1.2}, 0.8),
        ({"exposure_stops": 1.2}, 0.8),
        ({"blown_share": 0.1, "crushed_share": 0.02}, 0.6),
        ({"blown_share": -0.1, "crushed_share": -0.1}, 0.0),
        ({"noise_ratio": 3.0, "sharpness_ratio": 0.2}, 0.0),
    ],
)
def test_what_a_look_costs(change: dict[str, float], cost_db: float) -> None:
    without = reference_free_quality(PARTS)
    assert reference_free_quality({**PARTS, **LOOK}) == pytest.approx(without)
    assert reference_free_quality({**PARTS, **LOOK, **change}) == pytest.approx(without - cost_db)


def test_who_leaves_the_classical_rendering_for_the_reference_gains_nothing(
    photos: Tensor, target: TargetStatistics, features: FeatureNetwork
) -> None:
    """Whatever tint, dullness, darkness or glare the references have."""
    anchors = photos[1::2]
    faults = {
        "tint": anchors * torch.tensor([1.1, 0.9, 1.1]).view(1, 3, 1, 1),
        "dull": anchors.mean(1, keepdim=True).lerp(anchors, 0.5),
        "dark": anchors * 0.7,
        "blown": (anchors * 1.5).clamp(0, 1),
    }
    noise = 0.05 * torch.randn(anchors.shape, generator=torch.Generator().manual_seed(0))
    for name, references in faults.items():
        near, far = (
            reference_free_score(made + noise, references, target, features, anchors=anchors)["quality"]
            for made in (anchors, references)
        )
        assert far < near, name
