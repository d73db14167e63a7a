"""Published checkpoints: folded weights equal the published computation, and reproduce its known figures."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nas_isp.data.pairs import load_pairs
from nas_isp.develop.pipeline import develop
from nas_isp.errors import InputError
from nas_isp.evaluation.metrics import psnr
from nas_isp.generators.build import assemble
from nas_isp.generators.bundle import load_bundle, network_of, save_bundle
from nas_isp.generators.published import PUBLISHED
from nas_isp.generators.published_checkpoints import import_checkpoint, published_weights, read_checkpoint
from nas_isp.generators.rmfa import RmfaNet
from nas_isp.raw.image import RawImage
from nas_isp.raw.packing import pack
from nas_isp.raw.sensor import SENSORS
from nas_isp.runtimes.torch_runner import TorchRunner

FUJIFILM = "seed_checkpoints/Fujifilm"
PUBLISHED_SITES = ((1, 1), (0, 1), (0, 0), (1, 0))
PUBLISHED_BLACK = (62.0, 60.0, 58.0, 61.0)
PUBLISHED_SENSORS = ("ultraisp", "zrr")


def plain_weights(name: str, seed: int = 0) -> dict[str, Tensor]:
    """Random weights as a published file of a plain network holds them."""
    torch.manual_seed(seed)
    middle = {"efficient-isp": (12, 12), "robust-isp": (16, 4)}[name]
    widths = (4, *middle, 12)
    layers = {f"conv{at + 1}": torch.nn.Conv2d(widths[at], widths[at + 1], 3) for at in range(3)}
    return {f"{name}.{key}": value for name, conv in layers.items() for key, value in conv.state_dict().items()}


def published_picture(weights: dict[str, Tensor], stored: np.ndarray) -> Tensor:
    """What the published code computes from a stored mosaic, written from its description: (3, H, W)."""
    planes = [
        (torch.from_numpy(stored[row::2, column::2].astype(np.float32)) - black) / (1023 - black)
        for (row, column), black in zip(PUBLISHED_SITES, PUBLISHED_BLACK, strict=True)
    ]
    x = torch.stack(planes)[None]
    for layer, activation in (("conv1", torch.tanh), ("conv2", F.relu), ("conv3", F.relu)):
        x = activation(F.conv2d(x, weights[f"{layer}.weight"], weights[f"{layer}.bias"], padding=1))
    return F.pixel_shuffle(x, 2)[0]


def stored_mosaic(sensor: str, side: int = 24) -> tuple[np.ndarray, RawImage]:
    """A random mosaic as its files store it, and as the program reads it."""
    described = SENSORS[sensor]
    true = np.random.default_rng(0).integers(50, 1024, (side, side)).astype(np.uint16)
    return true << described.shift, RawImage(
        mosaic=true, cfa=described.cfa, black=described.black_sites, white=described.white
    )


def imported(name: str, foreign: dict[str, Tensor], sensor: str) -> torch.nn.Module:
    net = assemble(PUBLISHED[name])
    net.load_state_dict(published_weights(name, foreign, SENSORS[sensor]))
    return net.eval()


@pytest.mark.parametrize("name", ["efficient-isp", "robust-isp"])
@pytest.mark.parametrize("sensor", PUBLISHED_SENSORS)
def test_folded_levels_and_order_give_the_published_picture(name: str, sensor: str) -> None:
    foreign = plain_weights(name)
    stored, raw = stored_mosaic(sensor)
    with torch.no_grad():
        ours = imported(name, foreign, sensor)(torch.from_numpy(pack(raw))[None])[0]
        theirs = published_picture(foreign, stored)
    inside = (slice(None), slice(6, -6), slice(6, -6))
    torch.testing.assert_close(ours[inside], theirs[inside], atol=1e-5, rtol=1e-5)
    assert theirs.std() > 0.01


@pytest.mark.parametrize("sensor", PUBLISHED_SENSORS)
def test_rmfa_sees_the_published_values_and_ones_elsewhere(sensor: str) -> None:
    torch.manual_seed(0)
    template = RmfaNet(PUBLISHED["rmfa-tiny"])
    foreign = {key: value for key, value in template.state_dict().items() if not key.startswith("input_g")}
    del foreign["input_offset"]
    net, (stored, raw) = imported("rmfa-tiny", foreign, sensor), stored_mosaic(sensor)
    seen: list[Tensor] = []
    net.input_module.register_forward_pre_hook(lambda _, given: seen.append(given[0][0]))
    net(torch.from_numpy(pack(raw))[None])
    values = (torch.from_numpy(stored.astype(np.float32)) - 63) / 1023
    colors = torch.tensor([[0, 1], [1, 2]]).repeat(12, 12)
    expected = torch.stack([torch.where(colors == color, values, torch.ones(())) for color in range(3)])
    torch.testing.assert_close(seen[0], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "file", "expected_db"),
    [
        ("efficient-isp", "Efficient_ISP_unpaired_step_27220.pth", 27.70),
        ("efficient-isp", "Efficient_ISP_paired_step_37580.pth", 27.17),
        ("efficient-isp", "Efficient_ISP_paired_wo_adv_losses_step_31190.pth", 26.38),
        ("robust-isp", "Robust_unpaired_step_66090.pth", 27.07),
    ],
)
def test_published_figures_of_the_true_pair(
    shared_data: Path, tmp_path: Path, name: str, file: str, expected_db: float
) -> None:
    bundle = import_checkpoint(shared_data / FUJIFILM / file, name, SENSORS["ultraisp"])
    save_bundle(tmp_path / "m.safetensors", bundle)
    (pair,) = load_pairs(shared_data / "ultraisp")
    picture = develop(TorchRunner(load_bundle(tmp_path / "m.safetensors"), name), pair.raw)
    assert psnr(picture, pair.photo) == pytest.approx(expected_db, abs=0.05)
    exact = published_picture(read_checkpoint(shared_data / FUJIFILM / file), pair.raw.mosaic << 2)
    rounded = (exact.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    assert psnr(rounded, pair.photo) == pytest.approx(expected_db, abs=0.01)


def test_rmfa_weights_make_a_plausible_picture(shared_data: Path) -> None:
    file = shared_data / FUJIFILM / "RMFA_TINY_unpaired_step_48270.pth"
    bundle = import_checkpoint(file, "rmfa-tiny", SENSORS["ultraisp"])
    (pair,) = load_pairs(shared_data / "ultraisp")
    assert psnr(develop(TorchRunner(bundle, "rmfa-tiny"), pair.raw), pair.photo) > 31


def test_zrr_weights_are_taken_as_they_are_but_for_the_plane_order(shared_data: Path) -> None:
    file = shared_data / "seed_checkpoints/ZRR/Efficient_ISP_unpaired_step_30750.pth"
    weights = import_checkpoint(file, "efficient-isp", SENSORS["zrr"]).weights
    first = read_checkpoint(file)["conv1.weight"]
    torch.testing.assert_close(weights["blocks.0.conv.weight"], first[:, [2, 1, 3, 0]])


def test_an_imported_bundle_says_where_it_comes_from(tmp_path: Path) -> None:
    torch.save(plain_weights("robust-isp"), tmp_path / "published.pth")
    bundle = import_checkpoint(tmp_path / "published.pth", "robust-isp", SENSORS["zrr"])
    assert bundle.record.origin["file"] == "published.pth"
    assert len(bundle.record.origin["sha256"]) == 64
    assert bundle.record.border == "zeros"
    assert sum(parameter.numel() for parameter in network_of(bundle, "test").parameters()) == 1616


def test_weights_of_another_network_are_refused_and_named() -> None:
    sensor = SENSORS["zrr"]
    with pytest.raises(InputError, match=r"no weights of efficient-isp \('conv1.weight' is .*it fits robust-isp"):
        published_weights("efficient-isp", plain_weights("robust-isp"), sensor)
    with pytest.raises(InputError, match=r"'input_module.0.weight' is missing.*it fits efficient-isp"):
        published_weights("rmfa-tiny", plain_weights("efficient-isp"), sensor)
    with pytest.raises(InputError, match="'extra' is not part of it"):
        published_weights("efficient-isp", plain_weights("efficient-isp") | {"extra": torch.zeros(1)}, sensor)
    with pytest.raises(InputError, match="known are efficient-isp, robust-isp, rmfa-tiny"):
        published_weights("pynet", {}, sensor)


def test_weights_that_are_not_finite_are_refused() -> None:
    broken = plain_weights("robust-isp")
    broken["conv2.bias"][0] = torch.nan
    with pytest.raises(InputError, match="not all finite"):
        published_weights("robust-isp", broken, SENSORS["zrr"])


class Code:
    """Something that only an unsafe reader would make."""


@pytest.mark.parametrize("case", ["missing", "text", "empty", "cut", "object", "list", "number"])
def test_files_that_are_no_checkpoints_are_refused_in_one_line(tmp_path: Path, case: str) -> None:
    file = tmp_path / "f.pth"
    content = {"object": {"conv1.weight": Code()}, "list": [torch.zeros(1)], "number": {"step": 3}}
    if case in content:
        torch.save(content[case], file)
    elif case == "cut":
        torch.save(plain_weights("robust-isp"), file)
        file.write_bytes(file.read_bytes()[:1000])
    elif case != "missing":
        file.write_bytes(b"" if case == "empty" else b"no weights here")
    with pytest.raises(InputError) as refused:
        read_checkpoint(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert "\n" not in str(refused.value)
