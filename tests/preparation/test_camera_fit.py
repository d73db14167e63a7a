"""A camera is found without pairs, closely enough that photos run through it look like its captures."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from nas_isp.data.patches import PhotoPatches, RawPatches, cut_photo_patches, cut_raw_patches
from nas_isp.preparation.camera_fit import _crosstalk, _noise_ranges, fit_camera
from nas_isp.preparation.content_reference import common_white_balance
from nas_isp.preparation.synthetic_pairs import SyntheticPairs, synthetic_mosaics
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
    return fit_camera(raw, photos, common_white_balance(raw), 1.0, None, seed=0)


def _mosaics(photos: PhotoPatches, camera: SyntheticCamera, seed: int) -> np.ndarray:
    packed = np.zeros((len(photos), 4, SIDE // 2, SIDE // 2), np.uint16)
    synthetic_mosaics(photos, camera, seed, packed)
    return packed


def _middle(bounds: tuple[float, float]) -> float:
    return (bounds[0] * bounds[1]) ** 0.5


def test_light_and_noise_of_the_captures_are_found(fitted: SyntheticCamera) -> None:
    assert _middle(fitted.red_gain) == pytest.approx(2.5, rel=0.2)
    assert _middle(fitted.blue_gain) == pytest.approx(1.25, rel=0.2)
    assert _middle(fitted.shot_noise) == pytest.approx(1e-3, rel=0.4)
    assert (fitted.black, fitted.white, fitted.bits) == (CAMERA.black, CAMERA.white, CAMERA.bits)


def test_synthetic_raw_has_the_captures_mean_colors(
    captures_and_photos: tuple[RawPatches, PhotoPatches], fitted: SyntheticCamera
) -> None:
    raw, photos = captures_and_photos
    pairs = SyntheticPairs(_mosaics(photos, fitted, seed=0), photos, fitted, seed=0)
    everything = np.arange(len(photos))
    made = pairs.tensor(everything, torch.device("cpu")).mean((0, 2, 3))
    real = raw.tensor(np.arange(len(raw))).mean((0, 2, 3))
    assert torch.allclose(made, real, rtol=0.2)


def test_a_wrong_white_balance_is_corrected_towards_the_captures(
    captures_and_photos: tuple[RawPatches, PhotoPatches],
) -> None:
    raw, photos = captures_and_photos
    red, green, blue = common_white_balance(raw)
    misled = fit_camera(raw, photos, (1.3 * red, green, blue / 1.3), 1.0, None, seed=0)
    assert _middle(misled.red_gain) < 0.95 * 1.3 * red
    assert _middle(misled.blue_gain) > blue / 1.3 / 0.95


def test_photos_are_taken_in_the_lights_of_the_captures(
    captures_and_photos: tuple[RawPatches, PhotoPatches],
) -> None:
    raw, photos = captures_and_photos
    common = common_white_balance(raw)
    own = torch.tensor(common).repeat(len(raw), 1)
    own[::2] *= torch.tensor([0.8, 1.0, 0.7])
    lights = fit_camera(raw, photos, common, 1.0, None, seed=0, own_gains=own).lights
    assert set(lights) == {(1.0, 1.0), (0.8, 0.7)}


@pytest.mark.slow
def test_the_same_seed_fits_the_same_camera(
    captures_and_photos: tuple[RawPatches, PhotoPatches], fitted: SyntheticCamera
) -> None:
    raw, photos = captures_and_photos
    assert fit_camera(raw, photos, common_white_balance(raw), 1.0, None, seed=0) == fitted


def test_a_matrix_from_the_files_is_used_instead_of_the_typical_one() -> None:
    matrix = [[1.5, -0.4, -0.1], [-0.2, 1.4, -0.2], [0.0, -0.5, 1.5]]
    assert torch.allclose(_crosstalk(matrix) @ torch.tensor(matrix), torch.eye(3), atol=1e-5)
    assert torch.allclose(_crosstalk(None).sum(1), torch.ones(3))


def test_batches_depend_on_seed_and_step_alone(
    captures_and_photos: tuple[RawPatches, PhotoPatches], fitted: SyntheticCamera
) -> None:
    _, photos = captures_and_photos
    packed = _mosaics(photos, fitted, seed=1)
    first, second = (SyntheticPairs(packed, photos, fitted, seed=1) for _ in range(2))
    device = torch.device("cpu")
    first.batch(0, 4, device)
    for part, other in zip(first.batch(3, 4, device), second.batch(3, 4, device), strict=True):
        assert torch.equal(part, other)
    raw, wanted = first.batch(3, 4, device)
    assert raw.shape == (4, 4, SIDE // 2, SIDE // 2)
    assert wanted.shape == (4, 3, SIDE, SIDE)
    correlation = torch.corrcoef(torch.stack((raw[:, 1].flatten(), wanted[:, 1, ::2, 1::2].flatten())))[0, 1]
    assert correlation > 0.8


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
