import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from nas_isp.raw.demosaic import DEMOSAIC, demosaic_bilinear, demosaic_malvar

NAMES = sorted(DEMOSAIC)


def mosaic_of(rgb: Tensor) -> Tensor:
    """Packed RGGB planes `(1, 4, h, w)` of a picture `(3, 2h, 2w)`."""
    red, green, blue = rgb
    return torch.stack((red[::2, ::2], green[::2, 1::2], green[1::2, ::2], blue[1::2, 1::2]))[None]


@pytest.mark.parametrize("name", NAMES)
def test_linear_ramps_are_reproduced_without_a_shift(name: str) -> None:
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(20.0), indexing="ij")
    ramp = 0.01 * rows + 0.03 * columns
    rgb = torch.stack((ramp, ramp, ramp))
    made = DEMOSAIC[name](mosaic_of(rgb))[0]
    torch.testing.assert_close(made[:, 2:-2, 2:-2], rgb[:, 2:-2, 2:-2])


def test_bilinear_reproduces_a_different_ramp_in_each_color() -> None:
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(14.0), indexing="ij")
    rgb = torch.stack((rows + 2 * columns, 5 - rows, 3 * columns))
    made = demosaic_bilinear(mosaic_of(rgb))[0]
    torch.testing.assert_close(made[:, 2:-2, 2:-2], rgb[:, 2:-2, 2:-2])


@pytest.mark.parametrize("name", NAMES)
def test_flat_pictures_stay_flat_up_to_the_border(name: str) -> None:
    packed = torch.tensor([0.2, 0.5, 0.5, 0.7])[None, :, None, None].expand(1, 4, 3, 2)
    made = DEMOSAIC[name](packed)[0]
    expected = torch.tensor([0.2, 0.5, 0.7])[:, None, None].expand(3, 6, 4)
    torch.testing.assert_close(made, expected)


@pytest.mark.parametrize("name", NAMES)
def test_the_sampled_color_of_a_site_is_kept(name: str) -> None:
    packed = torch.rand(2, 4, 6, 8, generator=torch.Generator().manual_seed(0))
    made = DEMOSAIC[name](packed)
    kept = (made[:, 0, ::2, ::2], made[:, 1, ::2, 1::2], made[:, 1, 1::2, ::2], made[:, 2, 1::2, 1::2])
    torch.testing.assert_close(torch.stack(kept, dim=1), packed)


def test_bilinear_spreads_a_single_red_sample_to_its_eight_neighbors() -> None:
    packed = torch.zeros(1, 4, 4, 4)
    packed[0, 0, 1, 1] = 1.0  # mosaic row 2, column 2
    red, green, blue = demosaic_bilinear(packed)[0]
    expected = torch.zeros(8, 8)
    expected[1:4, 1:4] = torch.tensor([[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]])
    torch.testing.assert_close(red, expected)
    assert not green.any()
    assert not blue.any()


def test_malvar_filters_have_the_published_values() -> None:
    """The response to one red sample holds every red tap of the paper's figure 2, mirrored."""
    packed = torch.zeros(1, 4, 8, 8)
    packed[0, 0, 3, 3] = 8.0  # mosaic row 6, column 6
    red, green, blue = (plane[4:9, 4:9] for plane in demosaic_malvar(packed)[0])
    assert red.tolist() == [
        [0, 0, 0, 0, 0],
        [0, 2, 4, 2, 0],
        [0, 4, 8, 4, 0],
        [0, 2, 4, 2, 0],
        [0, 0, 0, 0, 0],
    ]
    assert green.tolist() == [
        [0, 0, -1, 0, 0],
        [0, 0, 0, 0, 0],
        [-1, 0, 4, 0, -1],
        [0, 0, 0, 0, 0],
        [0, 0, -1, 0, 0],
    ]
    assert blue.tolist() == [
        [0, 0, -1.5, 0, 0],
        [0, 0, 0, 0, 0],
        [-1.5, 0, 6, 0, -1.5],
        [0, 0, 0, 0, 0],
        [0, 0, -1.5, 0, 0],
    ]


def test_malvar_at_a_green_sample_has_the_published_values() -> None:
    packed = torch.zeros(1, 4, 8, 8)
    packed[0, 1, 3, 3] = 8.0  # mosaic row 6, column 7, in a red row
    red, green, blue = (plane[4:9, 5:10] for plane in demosaic_malvar(packed)[0])
    assert red.tolist() == [
        [0, 0, 0.5, 0, 0],
        [0, -1, 0, -1, 0],
        [-1, 0, 5, 0, -1],
        [0, -1, 0, -1, 0],
        [0, 0, 0.5, 0, 0],
    ]
    assert green.tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 2, 0, 0],
        [0, 2, 8, 2, 0],
        [0, 0, 2, 0, 0],
        [0, 0, 0, 0, 0],
    ]
    assert blue.tolist() == [
        [0, 0, -1, 0, 0],
        [0, -1, 0, -1, 0],
        [0.5, 0, 5, 0, 0.5],
        [0, -1, 0, -1, 0],
        [0, 0, -1, 0, 0],
    ]


def test_malvar_is_closer_than_bilinear_on_a_sharp_gray_picture() -> None:
    rng = np.random.default_rng(0)
    gray = F.interpolate(torch.from_numpy(rng.random((1, 1, 16, 16), np.float32)), scale_factor=4, mode="bicubic")[0, 0]
    rgb = gray.expand(3, 64, 64)
    errors = {name: float((DEMOSAIC[name](mosaic_of(rgb))[0] - rgb).abs().mean()) for name in NAMES}
    assert errors["malvar"] < 0.6 * errors["bilinear"]
