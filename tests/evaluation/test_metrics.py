"""Metrics agree with hand-computed values and published reference data."""

import numpy as np
import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.evaluation import metrics
from nas_isp.evaluation.color import ciede2000, srgb_to_lab

SHARMA_ROWS = [
    # L1, a1, b1, L2, a2, b2, difference: pairs 1, 4, 7, 9, 14, 17, 20, 25, 30, 34 of Sharma et al. 2005, table 1
    (50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425),
    (50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0000),
    (50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669),
    (50.0, 2.49, -0.001, 50.0, -2.49, 0.0009, 7.1792),
    (50.0, -0.001, 2.49, 50.0, 0.0011, -2.49, 4.7461),
    (50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492),
    (50.0, 2.5, 0.0, 58.0, 24.0, 15.0, 19.4535),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
    (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
]


@pytest.mark.parametrize("row", SHARMA_ROWS)
def test_ciede2000_equals_the_published_test_data(row: tuple[float, ...]) -> None:
    first, second = (torch.tensor(row[at : at + 3], dtype=torch.float64).view(1, 3, 1, 1) for at in (0, 3))
    assert float(ciede2000(first, second)) == pytest.approx(row[6], abs=5e-5)
    assert float(ciede2000(second, first)) == pytest.approx(row[6], abs=5e-5)


def test_lab_of_white_black_and_primary_red() -> None:
    colors = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    lab = srgb_to_lab(colors.view(3, 3, 1, 1)).view(3, 3)
    torch.testing.assert_close(lab[0], torch.tensor([100.0, 0.0, 0.0], dtype=torch.float64), atol=0.02, rtol=0)
    torch.testing.assert_close(lab[1], torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(lab[2], torch.tensor([53.24, 80.09, 67.20], dtype=torch.float64), atol=0.02, rtol=0)


def test_psnr_of_a_constant_error_of_five_levels() -> None:
    truth = np.full((8, 8, 3), 100, np.uint8)
    assert metrics.psnr(truth + 5, truth) == pytest.approx(20 * np.log10(255 / 5))
    assert metrics.psnr(truth, truth) == 100.0


def test_structure_scores_are_one_for_equal_images_and_fall_with_noise() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 256, (192, 192, 3), dtype=np.uint8)
    noisy = np.clip(truth + rng.normal(0, 40, truth.shape), 0, 255).astype(np.uint8)
    assert metrics.ssim(truth, truth) == pytest.approx(1.0, abs=1e-6)
    assert metrics.ms_ssim(truth, truth) == pytest.approx(1.0, abs=1e-6)
    assert metrics.ssim(noisy, truth) < 0.95
    assert metrics.delta_e00(noisy, truth) > 1 > metrics.delta_e00(truth, truth)


def test_an_image_too_small_for_five_scales_has_no_ms_ssim() -> None:
    image = np.random.default_rng(0).integers(0, 256, (175, 200, 3), dtype=np.uint8)
    assert metrics.ms_ssim(image, image) is None
    smallest = np.concatenate((image, image[:1]))
    assert metrics.ms_ssim(smallest, smallest) == pytest.approx(1.0, abs=1e-6)
    assert metrics.mean_scores([(image, image)]).ms_ssim is None


def test_an_image_too_small_for_the_window_is_refused_in_one_line() -> None:
    small = np.zeros((5, 8, 3), np.uint8)
    with pytest.raises(InputError, match="8x5 pixels cannot be scored; give at least 6"):
        metrics.mean_scores([(small, small)])
    large = np.zeros((6, 6, 3), np.uint8)
    assert metrics.mean_scores([(large, large)]).images == 1


def test_images_of_different_size_are_refused_naming_both() -> None:
    with pytest.raises(InputError, match=r"\(8, 8, 3\).*\(8, 6, 3\)"):
        metrics.psnr(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 6, 3), np.uint8))


def test_no_pair_is_an_error_not_a_nan() -> None:
    with pytest.raises(InputError, match="no image pair"):
        metrics.mean_scores([])


def test_eight_bit_rounds_and_clips() -> None:
    images = torch.tensor([-1.0, 0.5, 2.0]).view(1, 3, 1, 1)
    assert metrics.to_8_bit(images).tolist() == [[[[0, 128, 255]]]]
