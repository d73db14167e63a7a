import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFilter

from nas_isp.raw.classical import render
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.sensor import CFA_ORDERS, Cfa
from nas_isp.raw.synthesis import SyntheticCamera, synthesize_raw

PLAIN = SyntheticCamera(
    bits=14,
    white=16383,
    black=0,
    tone_strength=(0, 0),
    exposure=(1, 1),
    vignetting=(0, 0),
    blur_px=(0, 0),
    shot_noise=(1e-12, 1e-12),
    read_noise=(1e-12, 1e-12),
)


def photo(height: int = 96, width: int = 128) -> np.ndarray:
    """Smooth colors with a few soft shapes, float32 sRGB."""
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    base = np.stack((0.2 + 0.5 * columns, 0.3 + 0.4 * rows, 0.6 - 0.4 * columns * rows), axis=-1)
    image = Image.fromarray((base * 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 20, 70, 60), fill=(200, 80, 60))
    draw.rectangle((80, 50, 120, 90), fill=(60, 120, 90))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(1.5)), np.float32) / 255


def test_the_same_seed_gives_the_same_mosaic_and_another_a_different_one() -> None:
    mosaics = [synthesize_raw(photo(), np.random.default_rng(seed), SyntheticCamera()).mosaic for seed in (1, 1, 2)]
    assert np.array_equal(mosaics[0], mosaics[1])
    assert not np.array_equal(mosaics[0], mosaics[2])


@pytest.mark.parametrize("cfa", CFA_ORDERS)
def test_rendering_with_the_drawn_gains_and_matrix_gives_the_photo_back_to_the_pixel(cfa: Cfa) -> None:
    source = photo()
    raw = synthesize_raw(source, np.random.default_rng(0), PLAIN.model_copy(update={"cfa": cfa}))
    aligned = align_to_rggb(raw)
    top, left = ((a - b) // 2 for a, b in zip(raw.mosaic.shape, aligned.mosaic.shape, strict=True))
    made = render(
        torch.from_numpy(pack(aligned))[None], torch.tensor(raw.white_balance), torch.from_numpy(raw.color_matrix)
    )
    made = made[0].permute(1, 2, 0).numpy()
    expected = source[top : top + made.shape[0], left : left + made.shape[1]]
    assert np.median(np.abs(made - expected)) < 0.002
    for axis in (0, 1):
        slope = np.gradient(expected, axis=axis)
        shift_px = ((made - expected) * slope).sum() / (slope**2).sum()
        assert abs(shift_px) < 0.1


def test_every_picture_is_taken_in_one_of_the_given_lights() -> None:
    fixed = {"cool_share": (1.0, 1.0), "red_gain": (2.0, 2.0), "blue_gain": (1.5, 1.5)}
    camera = PLAIN.model_copy(update=fixed | {"lights": ((1.0, 1.0), (0.5, 2.0))})
    gains = {synthesize_raw(photo(16, 16), np.random.default_rng(seed), camera).white_balance for seed in range(12)}
    assert gains == {(2.0, 1.0, 1.5), (1.0, 1.0, 3.0)}


def test_white_in_the_photo_is_saturated_in_every_color() -> None:
    camera = PLAIN.model_copy(update={"exposure": (0.6, 0.6)})
    raw = synthesize_raw(np.ones((8, 8, 3), np.float32), np.random.default_rng(0), camera)
    assert (raw.mosaic == 16383).all()


def test_a_camera_that_exposes_for_the_highlights_saturates_nothing() -> None:
    camera = PLAIN.model_copy(update={"exposure": (0.6, 0.6), "saturates": False})
    raw = synthesize_raw(np.ones((8, 8, 3), np.float32), np.random.default_rng(0), camera)
    assert pack(raw).max() <= 0.6 + 1e-3


def test_near_white_stays_neutral_when_it_is_balanced() -> None:
    grays = np.repeat(np.linspace(0.8, 1, 64, dtype=np.float32), 4)
    camera = PLAIN.model_copy(update={"exposure": (0.7, 0.7)})
    raw = synthesize_raw(np.tile(grays[None, :, None], (16, 1, 3)), np.random.default_rng(0), camera)
    assert (raw.mosaic == 16383).mean() > 0.05
    made = render(
        torch.from_numpy(pack(raw))[None], torch.tensor(raw.white_balance), torch.from_numpy(raw.color_matrix)
    )
    assert (made.amax(dim=1) - made.amin(dim=1)).median() < 0.01
    assert (made.amax(dim=1) - made.amin(dim=1)).max() < 0.1


def test_noise_has_the_variance_that_was_asked_for() -> None:
    camera = PLAIN.model_copy(update={"shot_noise": (4e-3, 4e-3), "read_noise": (1e-4, 1e-4)})
    gray = np.full((256, 256, 3), 0.5, np.float32)
    clean = pack(synthesize_raw(gray, np.random.default_rng(0), PLAIN))[1]
    noisy = pack(synthesize_raw(gray, np.random.default_rng(0), camera))[1]
    variance = 4e-3 * clean.mean() + 1e-4
    assert np.var(noisy - clean) == pytest.approx(variance, rel=0.05)


def test_values_and_levels_are_those_of_the_camera() -> None:
    camera = SyntheticCamera()
    raw = synthesize_raw(photo(33, 41), np.random.default_rng(3), camera)
    assert raw.mosaic.shape == (32, 40)
    assert raw.mosaic.dtype == np.uint16
    assert raw.mosaic.max() <= 1023
    assert raw.black == (64, 64, 64, 64)
    assert raw.color_matrix is not None
    np.testing.assert_allclose(raw.color_matrix.sum(axis=1), 1, atol=1e-5)
    sensor = camera.sensor()
    assert (sensor.cfa, sensor.bits, sensor.white, sensor.black_sites) == ("RGGB", 10, 1023, (64, 64, 64, 64))


def test_gains_stay_in_their_ranges_and_red_rises_as_blue_falls() -> None:
    gains = np.array(
        [
            synthesize_raw(
                np.full((4, 4, 3), 0.5, np.float32), np.random.default_rng(k), SyntheticCamera()
            ).white_balance
            for k in range(200)
        ]
    )
    assert gains[:, 0].min() >= 1.6
    assert gains[:, 0].max() <= 2.4
    assert gains[:, 2].min() >= 1.4
    assert gains[:, 2].max() <= 2.0
    assert np.corrcoef(gains[:, 0], gains[:, 2])[0, 1] < -0.3


@pytest.mark.parametrize("field", ["exposure", "shot_noise"])
def test_a_range_in_the_wrong_order_or_without_noise_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        SyntheticCamera(**{field: (1.0, 0.5)})
    with pytest.raises(ValueError, match=field):
        SyntheticCamera(**{field: (0.0, 0.5)})
