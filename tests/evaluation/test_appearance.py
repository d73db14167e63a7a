"""A look says what was done to pictures, in numbers and in words, and calls only what is beyond a limit a fault."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nas_isp.evaluation.appearance import (
    Appearance,
    AppearanceLimits,
    appearance_faults,
    appearance_of_scores,
    appearance_words,
    mean_appearance,
)
from nas_isp.evaluation.appearance_beside import appearance_beside, appearance_of_pictures
from nas_isp.raw.classical import decode_srgb, encode_srgb

NORMAL = Appearance(0, 0, 0, 0, 1, 0, 0, 0, 1, 1)


@pytest.fixture(scope="module")
def scenes() -> Tensor:
    """Three pictures, half gray and half colored, from shade to nearly white, with detail on the left and noise."""
    random = torch.Generator().manual_seed(0)
    gray = torch.linspace(0.1, 0.95, 96).view(1, 1, 96, 1).expand(3, 3, 96, 96).clone()
    hue = functional.interpolate(torch.rand(3, 3, 6, 6, generator=random), size=(96, 48), mode="bilinear")
    gray[..., 48:] = 0.3 + 0.4 * hue
    detail = functional.interpolate(torch.rand(3, 1, 32, 10, generator=random) - 0.5, size=(96, 30), mode="bilinear")
    gray[..., :30] += 0.2 * detail
    return (gray + 0.01 * torch.randn(gray.shape, generator=random)).clamp(0.03, 0.97)


def tinted(levels: tuple[float, float, float]) -> Callable[[Tensor], Tensor]:
    return lambda pictures: pictures + torch.tensor(levels).view(1, 3, 1, 1) / 255


def dull(share: float) -> Callable[[Tensor], Tensor]:
    return lambda pictures: pictures.mean(1, keepdim=True).lerp(pictures, share)


def exposed(stops: float) -> Callable[[Tensor], Tensor]:
    return lambda pictures: encode_srgb((decode_srgb(pictures) * 2**stops).clamp(0, 1))


def test_pictures_beside_themselves_are_normal(scenes: Tensor) -> None:
    for value, normal in zip(
        appearance_beside(scenes, scenes).to_dict().values(), NORMAL.to_dict().values(), strict=True
    ):
        assert value == pytest.approx(normal, abs=1e-5)


@pytest.mark.parametrize(
    ("levels", "green", "blue"),
    [((4, -4, 4), -8, 4), ((0, 6, 0), 6, -3), ((-3, -3, 5), -4, 8), ((7, 7, 7), 0, 0), ((5, 5, -5), 5, -10)],
)
def test_a_cast_is_told_in_levels_and_direction(
    scenes: Tensor, levels: tuple[float, float, float], green: float, blue: float
) -> None:
    look = appearance_beside(tinted(levels)(scenes), scenes)
    assert look.green_magenta_levels == pytest.approx(green, abs=0.2)
    assert look.blue_yellow_levels == pytest.approx(blue, abs=0.2)
    assert look.cast_levels == pytest.approx(np.hypot(green, blue), abs=0.3)
    assert look.chroma_ratio == pytest.approx(1, abs=0.06)


def test_casts_that_cancel_over_pictures_are_seen_in_each(scenes: Tensor) -> None:
    pictures = scenes.clone()
    pictures[0], pictures[1] = tinted((0, 20, 0))(scenes)[0], tinted((0, -20, 0))(scenes)[1]
    look = appearance_beside(pictures, scenes)
    assert abs(look.green_magenta_levels) < 3
    assert look.cast_levels > 10


def test_tinted_bright_grays_are_counted_from_25_levels_on(scenes: Tensor) -> None:
    assert appearance_beside(tinted((0, -20, 0))(scenes), scenes).tinted_share == 0
    assert appearance_beside(tinted((0, -30, 0))(scenes), scenes).tinted_share > 0.9
    half = scenes.clone()
    half[..., :24] = tinted((0, -30, 0))(scenes)[..., :24]
    assert 0.2 < appearance_beside(half, scenes).tinted_share < 0.7


def test_chroma_and_exposure_are_told_in_their_units(scenes: Tensor) -> None:
    assert appearance_beside(dull(0.6)(scenes), scenes).chroma_ratio == pytest.approx(0.6, abs=0.04)
    assert appearance_beside(exposed(-1)(scenes), scenes).exposure_stops == pytest.approx(-1, abs=0.03)
    assert appearance_beside(exposed(0.5)(scenes), scenes).exposure_stops == pytest.approx(0.5, abs=0.05)


def test_blown_and_crushed_pixels_are_counted_beyond_the_references(scenes: Tensor) -> None:
    blown, crushed = scenes.clone(), scenes.clone()
    blown[:, 0, :24] = 1.0
    crushed[:, :, :12] = 0.005
    assert appearance_beside(blown, scenes).blown_share == pytest.approx(0.25)
    assert appearance_beside(crushed, scenes).crushed_share == pytest.approx(0.125)
    assert appearance_beside(scenes, blown).blown_share == pytest.approx(-0.25)
    assert appearance_beside(blown, blown).blown_share == 0


def test_noise_and_sharpness_are_ratios(scenes: Tensor) -> None:
    noise = torch.randn(scenes.shape, generator=torch.Generator().manual_seed(1))
    blurred = functional.avg_pool2d(scenes, 5, 1, 2, count_include_pad=False)
    noisy = appearance_beside(scenes + 0.02 * noise, scenes).noise_ratio
    assert noisy == pytest.approx(5**0.5, rel=0.15)  # grain of 0.01 and of 0.02, independent of each other
    soft = appearance_beside(blurred, scenes)
    assert soft.sharpness_ratio < 0.7
    assert soft.noise_ratio < 0.5


def test_nothing_to_tell_from_is_normal() -> None:
    """Black, white, saturated red and tiny pictures have no near-neutral midtones or no tiles."""
    for level in ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.9, 0.0, 0.0)):
        flat = torch.tensor(level).view(1, 3, 1, 1).expand(2, 3, 64, 64)
        look = appearance_beside(flat, flat)
        assert all(np.isfinite(list(look.to_dict().values())))
        assert not appearance_faults(look)
    tiny = torch.rand(1, 3, 8, 8)
    assert appearance_beside(tiny, tiny).noise_ratio == 1


def test_eight_bit_pictures_are_looked_at_in_their_middle() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(100, 120, (2100, 64, 3)).astype(np.uint8)
    spoilt = picture.copy()
    spoilt[:20] = 255  # 26 rows are left out above and below
    assert appearance_of_pictures(spoilt, picture).blown_share == 0
    assert appearance_of_pictures(np.clip(picture, 0, 110), picture).exposure_stops <= 0


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"green_magenta_levels": -8.0, "blue_yellow_levels": 8.0}, "tinted"),
        ({"tinted_share": 0.2}, "tinted"),
        ({"chroma_ratio": 0.6}, "dull"),
        ({"chroma_ratio": 3.0}, "garish"),
        ({"exposure_stops": -0.8}, "dark"),
        ({"exposure_stops": 1.2}, "bright"),
        ({"blown_share": 0.05}, "blown"),
        ({"crushed_share": 0.05}, "crushed"),
        ({"noise_ratio": 1.5}, "noisy"),
        ({"sharpness_ratio": 0.4}, "soft"),
    ],
)
def test_each_fault_is_named_alone_and_within_its_limit_not_at_all(change: dict[str, float], fault: str) -> None:
    assert appearance_faults(replace(NORMAL, **change)) == [fault]
    assert appearance_words(replace(NORMAL, **change)).count(f"({fault})") == 1
    near = {name: normal + 0.1 * (change[name] - normal) for name, normal in NORMAL.to_dict().items() if name in change}
    assert appearance_faults(replace(NORMAL, **near)) == []
    assert "(" not in appearance_words(replace(NORMAL, **near))


def test_the_words_have_every_number_with_its_unit() -> None:
    look = Appearance(-4.2, 0.2, 5, 0.02, 0.6, -0.8, 0.031, -0.1, 0.58, 0.9)
    assert appearance_words(look) == (
        "cast: 4 levels towards magenta, 2 % of bright grays off by over 25 levels; chroma 0.60 of classical (dull); "
        "0.8 stops darker (dark); blown 3 % more (blown); crushed 10 % less; noise 0.58 of classical; "
        "sharpness 0.90 of classical"
    )
    assert "cast: none" in appearance_words(NORMAL)
    assert "as bright as classical; blown as classical" in appearance_words(NORMAL)


def test_limits_can_be_given() -> None:
    assert appearance_faults(replace(NORMAL, exposure_stops=-0.5), AppearanceLimits(dark_stops=0.4)) == ["dark"]


def test_a_look_comes_back_from_recorded_scores_or_not_at_all() -> None:
    scores = {"psnr": 20.0, **NORMAL.to_dict()}
    assert appearance_of_scores(scores) == NORMAL
    for broken in ({"chroma_ratio": None}, {"chroma_ratio": "1"}, {"noise_ratio": 1e308}, {"noise_ratio": np.nan}):
        assert appearance_of_scores(scores | broken) is None
    assert appearance_of_scores({"psnr": 20.0}) is None


def test_the_mean_of_looks_is_that_of_every_number() -> None:
    look = mean_appearance([NORMAL, replace(NORMAL, exposure_stops=-1.0, chroma_ratio=0.5)])
    assert (look.exposure_stops, look.chroma_ratio, look.noise_ratio) == (-0.5, 0.75, 1)
