"""LPIPS has the values of arithmetic by hand and of torchmetrics, and is left out where its network is not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nas_isp.errors import InputError
from nas_isp.evaluation.lpips import Lpips, load_lpips
from nas_isp.evaluation.metrics import mean_scores
from nas_isp.perceptual.alexnet import WEIGHTS
from nas_isp.perceptual.network import FeatureNetwork, InputRange, Layer
from nas_isp.perceptual.weight_files import WEIGHTS_VARIABLE
from tests.weights_files import save_random_alexnet


@pytest.fixture
def weights_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with random weights under AlexNet's name; nothing else is found."""
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    save_random_alexnet(tmp_path)
    return tmp_path


def test_two_pixels_by_hand() -> None:
    identity = Layer(nn.Identity(), channels=3, stride=1)
    roles = {"shallow": "only", "middle": "only", "deep": "only"}
    network = FeatureNetwork("identity", {"only": identity}, roles, InputRange((0, 0, 0), (1, 1, 1)))  # type: ignore[arg-type]
    lpips = Lpips(network, {"only": torch.tensor([1.0, 2.0, 10.0])})
    picture = torch.tensor([[3.0, 4.0, 0.0], [0.0, 2.0, 0.0]]).T.reshape(1, 3, 1, 2)
    truth = torch.tensor([[0.0, 5.0, 0.0], [0.0, 1.0, 0.0]]).T.reshape(1, 3, 1, 2)
    of_first_pixel = 1 * 0.6**2 + 2 * (0.8 - 1) ** 2
    assert lpips(picture, truth).item() == pytest.approx((of_first_pixel + 0) / 2, rel=1e-5)


def test_equals_the_implementation_of_torchmetrics(weights_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchmetrics.functional.image import lpips as reference

    trunk = save_random_alexnet(weights_dir)
    # Its builder of the trunk needs torchvision; everything after the trunk is the reference's own.
    monkeypatch.setattr(reference, "_get_tv_model_features", lambda *_, **__: trunk)
    theirs = reference._LPIPS(pretrained=True, net="alex", pnet_rand=True)
    ours = load_lpips(weights_dir)
    assert ours is not None
    pictures, truths = torch.rand(2, 2, 3, 64, 80, generator=torch.Generator().manual_seed(1))
    expected = theirs(pictures, truths, normalize=True).flatten()
    assert (expected > 0.01).all()
    torch.testing.assert_close(ours(pictures, truths), expected, rtol=1e-4, atol=1e-6)


def test_heads_are_those_of_the_published_version(shared_data: Path, weights_dir: Path) -> None:
    published = torch.load(shared_data / "weights" / "lpips_v0.1" / "alex.pth", map_location="cpu", weights_only=True)
    lpips = load_lpips(weights_dir)
    assert lpips is not None
    for index, head in enumerate(lpips._heads.values()):
        assert torch.equal(head, published[f"lin{index}.model.1.weight"].flatten())


def test_equal_pictures_have_no_distance(weights_dir: Path) -> None:
    lpips = load_lpips(weights_dir)
    assert lpips is not None
    picture = torch.rand(1, 3, 40, 40)
    assert lpips(picture, picture).item() == 0


def test_without_weights_there_is_none_and_nothing_is_fetched(weights_dir: Path) -> None:
    (weights_dir / WEIGHTS.name).unlink()
    assert load_lpips(weights_dir) is None
    assert not (weights_dir / "cache").exists()


def test_broken_weights_are_an_error_not_a_missing_score(weights_dir: Path) -> None:
    (weights_dir / WEIGHTS.name).write_bytes(b"broken")
    with pytest.raises(InputError, match=WEIGHTS.name):
        load_lpips(weights_dir)


def test_mean_scores_hold_it_where_every_picture_is_large_enough(weights_dir: Path) -> None:
    lpips = load_lpips(weights_dir)
    assert lpips is not None
    rng = np.random.default_rng(0)
    large = [tuple(rng.integers(0, 256, (2, 40, 48, 3), np.uint8)) for _ in range(2)]
    small = tuple(rng.integers(0, 256, (2, 24, 48, 3), np.uint8))
    expected = np.mean([mean_scores([pair], lpips).lpips for pair in large])
    assert mean_scores(large, lpips).lpips == pytest.approx(expected)
    assert mean_scores([*large, small], lpips).lpips is None
    assert mean_scores(large).lpips is None
