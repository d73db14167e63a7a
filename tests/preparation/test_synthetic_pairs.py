"""RAW made of photos is what the camera would have taken, and networks get it with the errors of a white balance."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nas_isp.data.patches import PhotoPatches, cut_photo_patches
from nas_isp.preparation.look import Look, usual_tone
from nas_isp.preparation.synthetic_pairs import LIGHT_ERROR, SyntheticPairs, make_synthetic, metered_exposure
from nas_isp.raw.network_input import NetworkInput, log_brightness
from nas_isp.raw.synthesis import SyntheticCamera

SIDE, CPU = 64, torch.device("cpu")
IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
LOOK = Look(color_matrix=IDENTITY, tone=usual_tone())
BALANCED = NetworkInput(kind="balanced", white_balance=(2.0, 1.0, 1.5), brightness=-0.8, slope=0.0)
CAMERA = SyntheticCamera(
    bits=14,
    black=0,
    white=16000,
    lights=((2.0, 1.5), (1.5, 2.5)),
    exposure=(1.0, 1.0),
    vignetting=(0.0, 0.0),
    blur_px=(0.0, 0.0),
    shot_noise=(1e-12, 1e-12),
    read_noise=(1e-12, 1e-12),
    saturates=False,
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> PhotoPatches:
    root = tmp_path_factory.mktemp("photos")
    (root / "rgb").mkdir()
    for index, level in enumerate((40, 90, 140, 200)):
        photo = np.full((2 * SIDE, 2 * SIDE, 3), level, np.uint8)
        photo[:, SIDE:] = level // 2 + 20
        Image.fromarray(photo).save(root / "rgb" / f"p{index}x.png")
    return cut_photo_patches(root / "rgb", root / "cache", SIDE)


def _pairs(photos: PhotoPatches, network_input: NetworkInput, camera: SyntheticCamera = CAMERA) -> SyntheticPairs:
    packed = np.zeros((len(photos), 4, SIDE // 2, SIDE // 2), np.uint16)
    gains, factors = (np.zeros((len(photos), 3), np.float32) for _ in range(2))
    make_synthetic(photos, LOOK, camera, network_input, 3, packed, gains, factors)
    return SyntheticPairs(packed, gains, factors, photos, camera, seed=3)


def test_networks_are_given_the_scene_but_for_the_errors_of_a_white_balance(photos: PhotoPatches) -> None:
    pairs = _pairs(photos, BALANCED)
    everything = np.arange(len(photos))
    planes = pairs.tensor(everything, CPU)
    scene = torch.from_numpy(np.stack([LOOK.scene(photos.tensor([at])[0].numpy()) for at in everything]))
    red, green = (planes[:, k].mean((1, 2)) / scene[:, (0, 1)[k], ::2, ::2].mean((1, 2)) for k in (0, 1))
    assert torch.allclose(green, torch.ones_like(green), atol=2e-3)
    errors = red.log().numpy()
    assert 0 < np.abs(errors).max() < 4 * LIGHT_ERROR


def test_pictures_are_taken_in_the_lights_of_the_camera(photos: PhotoPatches) -> None:
    pairs = _pairs(photos, NetworkInput())
    assert (pairs.factors == 1).all()
    planes = pairs.tensor(np.arange(len(photos)), CPU).mean((2, 3))
    ratios = {round(float(green / red), 1) for red, green, *_ in planes}
    assert ratios <= {1.5, 2.0}


def test_white_of_a_photo_saturates_where_captures_do(photos: PhotoPatches) -> None:
    bright = PhotoPatches(
        photos.folder, np.full_like(photos.pixels, 255), np.full_like(photos.glance, 255), photos.stems, []
    )
    camera = CAMERA.model_copy(update={"saturates": True})
    assert (_pairs(bright, NetworkInput(), camera).packed >= 16000 - 1).all()
    assert (_pairs(bright, NetworkInput()).packed < 16000).any()


@pytest.mark.parametrize("slope", [-1.5, -0.4, 0.7])
def test_a_scene_is_taken_at_the_exposure_that_metering_undoes(slope: float) -> None:
    metered = BALANCED.model_copy(update={"slope": slope})
    scene = np.random.default_rng(0).uniform(0.05, 0.4, (3, 24, 24)).astype(np.float32)
    exposure = metered_exposure(metered, scene)
    taken = (scene / exposure)[[0, 1, 1, 2]]
    assert metered.factors(taken, (1.0, 1.0, 1.0))[1] == pytest.approx(exposure, rel=1e-3)
    assert log_brightness(taken, (1.0, 1.0, 1.0)) < 0


def test_batches_depend_on_seed_and_step_alone(photos: PhotoPatches, tmp_path: Path) -> None:
    pairs = _pairs(photos, BALANCED)
    pairs.batch(0, 4, CPU)
    first, again = pairs.batch(3, 4, CPU), _pairs(photos, BALANCED).batch(3, 4, CPU)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert first[0].shape == (4, 4, SIDE // 2, SIDE // 2)
    assert first[1].shape == (4, 3, SIDE, SIDE)
