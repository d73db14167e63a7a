"""The published references are what their description says, worked out on flat patches."""

from pathlib import Path

import numpy as np
import pytest
import torch

from nas_isp.data.demo import demo_folders
from nas_isp.data.patches import load_unpaired
from nas_isp.preparation.prepare import prepare
from nas_isp.preparation.published_reference import fixed_gain_reference, gray_world_reference
from nas_isp.recipe import ReferenceKind, TrainSettings


def _two_grays(low: float, high: float) -> torch.Tensor:
    """Planes whose left half is `low` and right half `high`."""
    planes = torch.full((1, 4, 8, 16), low)
    planes[..., 8:] = high
    return planes


def test_fixed_gains_stretch_and_power() -> None:
    picture = fixed_gain_reference(_two_grays(0.1, 0.5))
    # After the gains 1.6, 1.2, 1.4: 0.16, 0.12, 0.14 and 0.8, 0.6, 0.7; stretched from 0.12 to 0.8, then ^(1/2.2).
    for place, values in ((4, (0.16, 0.12, 0.14)), (28, (0.8, 0.6, 0.7))):
        wanted = [((value - 0.12) / 0.68) ** (1 / 2.2) for value in values]
        assert picture[0, :, 8, place].tolist() == pytest.approx(wanted, abs=1e-4)


def test_gray_world_makes_the_patch_gray_and_clips_at_white() -> None:
    planes = _two_grays(0.1, 0.3) * torch.tensor([0.5, 1.0, 1.0, 2.0]).view(1, 4, 1, 1)
    picture = gray_world_reference(planes)
    assert picture.shape == (1, 3, 16, 32)
    assert picture[0, :, 8, 4].tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert picture[0, :, 8, 28].tolist() == pytest.approx([1.0, 1.0, 1.0], abs=1e-4)


def test_a_flat_patch_is_no_division_by_zero() -> None:
    for render in (fixed_gain_reference, gray_world_reference):
        assert torch.isfinite(render(torch.full((1, 4, 4, 4), 0.2))).all()


@pytest.mark.parametrize("kind", ["plain", "published", "published-gray-world"])
def test_the_setting_chooses_the_reference(kind: ReferenceKind, tmp_path: Path) -> None:
    raw, rgb, _ = demo_folders(tmp_path / "demo")
    data = load_unpaired(raw, rgb, tmp_path / "cache", 64, limit=8)
    made = {
        name: prepare(data, TrainSettings(patch=64, reference=name), seed=0).training.references
        for name in (kind, "look")
    }
    assert made[kind].shape == made["look"].shape
    assert np.abs(made[kind].astype(int) - made["look"].astype(int)).mean() > 2
