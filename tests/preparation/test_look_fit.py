"""A look is found without pairs where there is evidence, and stays the usual one where there is little."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from nas_isp.data.patches import PhotoPatches, RawPatches, cut_photo_patches, cut_raw_patches
from nas_isp.preparation.content_reference import common_white_balance, look_pictures, white_balance_of_patches
from nas_isp.preparation.look import USUAL_EXPOSURE, Look, usual_tone
from nas_isp.preparation.look_fit import fit_look, trust_in
from nas_isp.preparation.network_inputs import network_inputs
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.sensor import SensorDescription

SIDE, COUNT = 64, 90
GAINS = (2.0, 1.0, 1.6)
IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
LOOK = Look(color_matrix=IDENTITY, exposure=1.6, tone=usual_tone(1.0), saturation=1.0)


def _scene(seed: int) -> np.ndarray:
    """Smooth linear colors `(3, 128, 128)` of some brightness, 0..0.6."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 6, 6, generator=generator) * float(0.15 + 0.45 * torch.rand(1, generator=generator))
    return torch.nn.functional.interpolate(coarse, size=2 * SIDE, mode="bilinear")[0].numpy()


def _folders(root, exposure_of=lambda scene: 1.0):
    """Captures of some scenes, and photos with a look of others; `exposure_of` is what a photographer adds."""
    for name in ("raw", "rgb"):
        (root / name).mkdir()
    sensor = SensorDescription(name="test", cfa="RGGB", bits=14, black=0, white=16000)
    (root / "raw" / "sensor.json").write_text(sensor.model_dump_json())
    table = ["file\tred\tgreen\tblue"]
    for index in range(COUNT):
        light = _scene(index) / np.array(GAINS, np.float32)[:, None, None]
        mosaic = light[1].copy()
        mosaic[0::2, 0::2], mosaic[1::2, 1::2] = light[0, 0::2, 0::2], light[2, 1::2, 1::2]
        Image.fromarray(np.rint(16000 * mosaic).astype(np.uint16)).save(root / "raw" / f"c{index}x.png")
        table.append(f"c{index}x.png\t" + "\t".join(map(str, GAINS)))
        scene = _scene(1000 + index)
        photo = np.rint(255 * LOOK.picture(scene * np.float32(exposure_of(scene)))).astype(np.uint8)
        Image.fromarray(photo.transpose(1, 2, 0)).save(root / "rgb" / f"p{index}x.png")
    (root / "raw" / "captures.tsv").write_text("\n".join(table) + "\n")
    return cut_raw_patches(root / "raw", root / "cache", SIDE), cut_photo_patches(root / "rgb", root / "cache", SIDE)


def _fit(raw: RawPatches, photos: PhotoPatches) -> tuple[Look, NetworkInput]:
    common = common_white_balance(raw)
    return fit_look(raw, photos, white_balance_of_patches(raw, common), common, IDENTITY)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[RawPatches, PhotoPatches]:
    return _folders(tmp_path_factory.mktemp("look"))


def _pictures(look: Look, network_input: NetworkInput, scene: np.ndarray) -> np.ndarray:
    light = torch.from_numpy(scene / np.array(GAINS, np.float32)[:, None, None])
    packed = torch.stack((light[0, ::2, ::2], light[1, ::2, 1::2], light[1, 1::2, ::2], light[2, 1::2, 1::2]))
    seen = torch.nn.functional.adaptive_avg_pool2d(packed[None], 24)[0].numpy()
    return look_pictures(packed[None], network_input.factors(seen, GAINS)[None], look)[0].numpy()


def test_an_unknown_look_is_found_from_other_scenes(data: tuple[RawPatches, PhotoPatches]) -> None:
    look, network_input = _fit(*data)
    usual = Look(color_matrix=IDENTITY, tone=usual_tone())
    errors = {"found": [], "usual": []}
    for seed in range(2000, 2010):
        wanted = LOOK.picture(_scene(seed))
        errors["found"].append(np.abs(_pictures(look, network_input, _scene(seed)) - wanted).mean())
        errors["usual"].append(np.abs(_pictures(usual, NetworkInput(kind="balanced"), _scene(seed)) - wanted).mean())
    assert np.mean(errors["found"]) < 0.4 * np.mean(errors["usual"])


def test_exposure_of_photos_that_are_all_alike_bright_is_metered(tmp_path) -> None:
    raw, photos = _folders(tmp_path, exposure_of=lambda scene: 0.25 / scene.mean())
    _, even = _fit(raw, photos)
    assert even.slope < -0.5


def test_photos_as_bright_as_their_scenes_are_hardly_metered(data: tuple[RawPatches, PhotoPatches]) -> None:
    _, network_input = _fit(*data)
    assert abs(network_input.slope) < 0.3
    assert network_input.white_balance == pytest.approx(GAINS, rel=1e-3)


def _first_three(raw: RawPatches) -> RawPatches:
    few = [at for at, stem in enumerate(raw.stems) if stem in ("c0x", "c1x", "c2x")]
    names = ("packed", "black", "white", "white_balance", "color_matrix", "noise", "glance")
    return replace(raw, stems=[raw.stems[at] for at in few], **{name: getattr(raw, name)[few] for name in names})


def test_of_three_captures_no_tone_color_or_metering_follows(data: tuple[RawPatches, PhotoPatches]) -> None:
    raw, photos = data
    look, network_input = _fit(_first_three(raw), photos)
    assert np.abs(np.array(look.tone) - usual_tone()).max() < 0.03
    assert (abs(network_input.slope), look.saturation) == pytest.approx((0, 1), abs=0.1)


def test_three_captures_that_are_darker_than_all_photos_are_brightened_but_never_darkened(
    data: tuple[RawPatches, PhotoPatches],
) -> None:
    """A camera that exposes for the highlights is common; photos that are darker than captures show other scenes."""
    raw, photos = data
    three = _first_three(raw)
    bright, dark = (
        replace(photos, glance=np.clip(photos.glance.astype(float) * factor, 0, 255).astype(np.uint8))
        for factor in (1.5, 0.4)
    )
    assert _fit(three, bright)[0].exposure > 1.5 * USUAL_EXPOSURE
    assert _fit(three, dark)[0].exposure == pytest.approx(USUAL_EXPOSURE, rel=0.1)


def test_trust_grows_with_both_kinds_and_is_half_at_sixteen() -> None:
    assert trust_in(16, 10**9) == pytest.approx(0.5)
    assert trust_in(3, 30) < 0.05 < 0.9 < trust_in(200, 200)
    assert trust_in(5, 100) == pytest.approx(trust_in(100, 5))


def test_a_network_of_sensor_values_is_not_metered(data: tuple[RawPatches, PhotoPatches]) -> None:
    raw, photos = data
    common = common_white_balance(raw)
    gains = white_balance_of_patches(raw, common)
    _, network_input = fit_look(raw, photos, gains, common, IDENTITY, metered=False)
    assert network_input.slope == 0


def test_inputs_of_patches_are_in_neutral_light(data: tuple[RawPatches, PhotoPatches]) -> None:
    raw, _ = data
    gains = np.tile(np.array(GAINS, np.float32), (len(raw), 1))
    inputs = network_inputs(raw, gains, NetworkInput(kind="balanced", white_balance=GAINS))
    planes = inputs.tensor([0], torch.device("cpu"))
    assert torch.allclose(planes, raw.tensor([0]) * torch.tensor([2.0, 1.0, 1.0, 1.6]).view(1, 4, 1, 1))
