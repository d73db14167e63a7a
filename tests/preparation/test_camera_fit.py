"""The camera of synthetic pairs has the lights, the noise and the levels of the captures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from nas_isp.data.patches import PhotoPatches, RawPatches, cut_photo_patches, cut_raw_patches
from nas_isp.preparation.camera_fit import _noise_ranges, fit_camera, typical_matrix
from nas_isp.preparation.content_reference import common_white_balance, white_balance_of_patches
from nas_isp.raw.synthesis import SyntheticCamera, synthesize_raw

SIDE = 64
CAMERA = SyntheticCamera(
    red_gain=(2.4, 2.6),
    blue_gain=(1.2, 1.3),
    exposure=(0.75, 0.85),
    tone_strength=(0.9, 1.0),
    vignetting=(0.0, 0.0),
    shot_noise=(1e-3, 1e-3),
    read_noise=(1e-5, 1e-5),
)


def _scene(seed: int) -> np.ndarray:
    """Smooth colors with gray on the whole, and a white patch."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 5, 5, generator=generator)
    picture = torch.nn.functional.interpolate(coarse, size=4 * SIDE, mode="bilinear")[0].permute(1, 2, 0).numpy()
    picture[:16, :16] = 1.0
    return picture.astype(np.float32)


@pytest.fixture(scope="module")
def captures_and_photos(tmp_path_factory: pytest.TempPathFactory) -> tuple[RawPatches, PhotoPatches]:
    root = tmp_path_factory.mktemp("fit")
    for name in ("raw", "rgb"):
        (root / name).mkdir()
    (root / "raw" / "sensor.json").write_text(CAMERA.sensor().model_dump_json())
    for index in range(10):
        raw = synthesize_raw(_scene(index), np.random.default_rng(index), CAMERA)
        Image.fromarray(raw.mosaic).save(root / "raw" / f"capture_{chr(97 + index)}.png")
        photo = np.rint(_scene(100 + index) * 255).astype(np.uint8)
        Image.fromarray(photo).save(root / "rgb" / f"photo_{chr(97 + index)}.png")
    return cut_raw_patches(root / "raw", root / "cache", SIDE), cut_photo_patches(root / "rgb", root / "cache", SIDE)


@pytest.fixture(scope="module")
def fitted(captures_and_photos: tuple[RawPatches, PhotoPatches]) -> SyntheticCamera:
    raw, photos = captures_and_photos
    return fit_camera(raw, photos, white_balance_of_patches(raw, common_white_balance(raw)))


def test_lights_are_those_of_the_captures(captures_and_photos: tuple[RawPatches, PhotoPatches]) -> None:
    raw, photos = captures_and_photos
    gains = np.tile(np.array([2.0, 1.0, 1.5], np.float32), (len(raw), 1))
    gains[::2] *= np.array([0.8, 1.0, 0.7], np.float32)
    camera = fit_camera(raw, photos, gains)
    assert sorted(set(camera.lights)) == [pytest.approx((1.6, 1.05)), pytest.approx((2.0, 1.5))]


def test_noise_and_levels_are_those_of_the_captures(fitted: SyntheticCamera) -> None:
    low, high = fitted.shot_noise
    assert (low * high) ** 0.5 == pytest.approx(1e-3, rel=0.4)
    assert (fitted.black, fitted.white, fitted.bits) == (CAMERA.black, CAMERA.white, CAMERA.bits)


def test_the_typical_matrix_keeps_gray_and_separates_colors() -> None:
    matrix = typical_matrix()
    assert matrix.sum(1) == pytest.approx([1, 1, 1])
    assert (np.diag(matrix) > 1).all()


def test_noise_that_files_say_is_taken_and_that_of_others_estimated(
    captures_and_photos: tuple[RawPatches, PhotoPatches],
) -> None:
    raw, _ = captures_and_photos
    estimated = _noise_ranges(raw)
    assert estimated[0] == pytest.approx((1e-3, 1e-3), rel=0.5)
    said = np.full((len(raw), 2), (5e-3, 2e-4), np.float32)
    (shot_low, shot_high), (read_low, read_high) = _noise_ranges(replace(raw, noise=said))
    assert (shot_low, shot_high) == pytest.approx((5e-3, 5e-3))
    assert (read_low, read_high) == pytest.approx((2e-4, 2e-4))
