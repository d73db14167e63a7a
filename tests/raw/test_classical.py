from dataclasses import replace

import numpy as np
import pytest
import torch

from nas_isp.raw.classical import encode_srgb, render, render_image
from nas_isp.raw.image import RawImage
from nas_isp.raw.packing import unpack
from nas_isp.raw.sensor import CFA_ORDERS, Cfa

MATRIX = torch.tensor([[1.8, -0.7, -0.1], [-0.2, 1.6, -0.4], [0.0, -0.5, 1.5]])


def flat(red: float, green: float, blue: float) -> torch.Tensor:
    return torch.tensor([red, green, green, blue])[None, :, None, None].expand(1, 4, 4, 4)


def test_srgb_curve_at_known_points() -> None:
    linear = torch.tensor([0.0, 0.001, 0.0031308, 0.2140411, 1.0])
    expected = torch.tensor([0.0, 0.01292, 0.04045, 0.5, 1.0])
    torch.testing.assert_close(encode_srgb(linear), expected, atol=2e-5, rtol=0)


def test_balanced_gray_becomes_the_gray_of_its_green_with_and_without_a_matrix() -> None:
    packed = flat(0.2140411 / 2, 0.2140411, 0.2140411 / 1.5)
    for matrix in (None, MATRIX):
        made = render(packed, torch.tensor([2.0, 1.0, 1.5]), matrix)
        torch.testing.assert_close(made, torch.full((1, 3, 8, 8), 0.5), atol=1e-4, rtol=0)


@pytest.mark.parametrize("gains", [(2.0, 1.0, 1.5), (0.6, 1.0, 2.5)])
def test_saturated_pixels_become_white_not_magenta(gains: tuple[float, float, float]) -> None:
    made = render(flat(1.0, 1.0, 1.0) * 1.02, torch.tensor(gains), MATRIX)
    torch.testing.assert_close(made, torch.ones(1, 3, 8, 8))


def test_each_picture_of_a_batch_takes_its_own_gains() -> None:
    packed = torch.cat([flat(0.1, 0.2, 0.2), flat(0.2, 0.2, 0.1)])
    made = render(packed, torch.tensor([[2.0, 1.0, 1.0], [1.0, 1.0, 2.0]]))
    torch.testing.assert_close(made, encode_srgb(torch.full_like(made, 0.2)))


def test_matrix_is_applied_to_columns_of_camera_color() -> None:
    made = render(flat(0.5, 0.3, 0.2), torch.ones(3), MATRIX)[0, :, 0, 0]
    expected = torch.tensor([1.8 * 0.5 - 0.7 * 0.3 - 0.02, -0.1 + 0.48 - 0.08, -0.15 + 0.3])
    torch.testing.assert_close(made, encode_srgb(expected))


def scene(cfa: Cfa) -> RawImage:
    """A bright spot in the upper left of a gray field, shot through gains 2, 1, 1.5."""
    height, width = 16, 24
    packed = np.full((4, height // 2, width // 2), 0.1, np.float32)
    packed[:, 1:3, 1:3] = 0.4
    packed *= np.array([0.5, 1, 1, 1 / 1.5], np.float32)[:, None, None]
    black = (60.0, 64.0, 66.0, 62.0)
    mosaic = unpack(packed, cfa, black, 4095)
    return RawImage(mosaic=mosaic, cfa=cfa, black=black, white=4095, white_balance=(2.0, 1.0, 1.5))


@pytest.mark.parametrize("cfa", CFA_ORDERS)
def test_every_order_renders_to_the_same_neutral_picture(cfa: Cfa) -> None:
    made = render_image(scene(cfa)).astype(int)
    assert made.dtype == int
    assert np.ptp(made[8:, 8:], axis=-1).max() <= 1
    assert abs(int(made[-1, -1, 1]) - 89) <= 1  # sRGB of 0.1 is 0.349


def test_rendering_is_upright() -> None:
    assert render_image(scene("RGGB"))[:8, :8].mean() > render_image(scene("RGGB"))[8:, 8:].mean() + 10
    turned = render_image(replace(scene("RGGB"), flip=6))
    assert turned.shape == (24, 16, 3)
    assert turned[:8, 8:].mean() > turned[8:, :8].mean() + 10  # clockwise: upper left goes to upper right


def test_auto_exposure_brightens_a_dark_picture_and_leaves_a_bright_one() -> None:
    dark = scene("RGGB")
    assert render_image(dark, auto_exposure=True).max() > render_image(dark).max() + 40
    bright = replace(dark, white=float(dark.mosaic.max()) / 2)
    assert np.array_equal(render_image(bright, auto_exposure=True), render_image(bright))


def test_a_picture_without_gains_is_rendered_in_its_estimated_light() -> None:
    gray = np.random.default_rng(0).uniform(0.1, 0.8, (1, 64, 64)).astype(np.float32)
    packed = gray / np.array([1.8, 1, 1, 1.7], np.float32)[:, None, None]
    raw = RawImage(mosaic=unpack(packed, "RGGB", (0.0,) * 4, 4095), cfa="RGGB", black=(0.0,) * 4, white=4095)
    cast = np.ptp(render_image(raw).astype(float).mean(axis=(0, 1)))
    unbalanced = np.ptp(render_image(replace(raw, white_balance=(1.0, 1.0, 1.0))).astype(float).mean(axis=(0, 1)))
    assert cast < unbalanced / 4
