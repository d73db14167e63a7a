"""The transport moves colors without pairs, keeps hues when told to, and anchors black and white."""

import pytest
import torch
from nas_isp.preparation.color_transport import (
    ColorTransport,
    block_colors,
    faithfulness,
    fit_transport,
    identity_transport,
    sliced_wasserstein,
)
from torch import Tensor


def _colors(seed: int, count: int = 4000) -> Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(seed)) * 0.8 + 0.1


def _mapped(transport: ColorTransport, colors: Tensor) -> Tensor:
    return transport(colors.T.reshape(1, 3, 1, -1))[0, :, 0].T


def _greenness(colors: Tensor) -> float:
    return float((colors[:, 1] - (colors[:, 0] + colors[:, 2]) / 2).mean())


def test_the_identity_changes_nothing_inside_the_range_and_clips_outside() -> None:
    images = torch.tensor([-0.5, 0.25, 1.5]).view(1, 3, 1, 1)
    assert identity_transport()(images).flatten().tolist() == pytest.approx([0.0, 0.25, 1.0])


def test_an_unknown_color_change_is_undone_without_pairs() -> None:
    matrix = torch.tensor([[0.8, 0.15, 0.05], [0.1, 0.7, 0.1], [0.05, 0.2, 0.6]])
    truth, other = _colors(1), _colors(2)
    transport = fit_transport(truth @ matrix, other, seed=0)
    before = (truth @ matrix - truth).abs().mean()
    assert (_mapped(transport, truth @ matrix) - truth).abs().mean() < 0.5 * before


def test_faithful_transport_keeps_green_captures_green() -> None:
    meadow = _colors(1) * torch.tensor([0.5, 0.7, 0.4])
    free, faithful = (fit_transport(meadow, _colors(2), seed=0, faithful=weight) for weight in (0.0, 5.0))
    assert _greenness(_mapped(free, meadow)) < 0.03 < 0.07 < _greenness(_mapped(faithful, meadow))


def test_white_stays_white_and_black_stays_dark() -> None:
    transport = fit_transport(_colors(1), 0.5 * _colors(2), seed=0)
    ends = _mapped(transport, torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]))
    assert ends[0].max() < 0.1
    assert ends[1].min() > 0.9


def test_fewer_captures_ask_for_more_faithfulness() -> None:
    assert faithfulness(3) > faithfulness(30) > faithfulness(3000) > 0


def test_wasserstein_distance_of_a_shift_along_gray() -> None:
    colors = _colors(1)
    generator = torch.Generator().manual_seed(0)
    assert float(sliced_wasserstein(colors, colors, generator)) == 0
    shift = sliced_wasserstein(colors, colors + 0.1, torch.Generator().manual_seed(0))
    directions = torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    expected = (0.1 * (directions / directions.norm(dim=0)).sum(0)).abs().mean()
    torch.testing.assert_close(shift, expected)


def test_block_colors_are_means_of_four_by_four_pixels() -> None:
    images = torch.arange(32.0).view(1, 1, 4, 8).expand(1, 3, 4, 8)
    assert block_colors(images).tolist() == [[13.5] * 3, [17.5] * 3]
