"""Published networks: their weights load under our names and reproduce known figures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nas_isp.errors import InputError
from nas_isp.generators.build import assemble
from nas_isp.generators.published import PLANE_ORDER, PUBLISHED, map_state_dict

FUJIFILM = "seed_checkpoints/Fujifilm"
PLAIN_BLACK = (62.0, 60.0, 58.0, 61.0)
"""In the published plane order; `PLANE_ORDER` says which plane of ours that is."""


def load(name: str, checkpoint: Path) -> torch.nn.Module:
    net = assemble(PUBLISHED[name])
    foreign = torch.load(checkpoint, weights_only=True, map_location="cpu")
    net.load_state_dict(map_state_dict(name, foreign))
    return net.eval()


def mosaic(shared_data: Path) -> np.ndarray:
    return np.array(Image.open(shared_data / "ultraisp/raw/15.png")).astype(np.float32)


def planes(values: np.ndarray) -> torch.Tensor:
    cells = [values[0::2, 0::2], values[0::2, 1::2], values[1::2, 0::2], values[1::2, 1::2]]
    return torch.from_numpy(np.stack(cells))[None]


def psnr_of_saved(output: torch.Tensor, truth: Path) -> float:
    saved = (output[0].clamp(0, 1) * 255).floor().permute(1, 2, 0).double().numpy()
    return float(10 * np.log10(255**2 / np.mean((saved - np.array(Image.open(truth).convert("RGB"))) ** 2)))


@pytest.mark.parametrize(
    ("name", "file", "expected_db"),
    [
        ("efficient-isp", "Efficient_ISP_unpaired_step_27220.pth", 27.4),
        ("robust-isp", "Robust_unpaired_step_66090.pth", 26.8),
    ],
)
def test_published_weights_reproduce_the_known_picture(
    shared_data: Path, name: str, file: str, expected_db: float
) -> None:
    net = load(name, shared_data / FUJIFILM / file)
    black = torch.zeros(4)
    black[list(PLANE_ORDER)] = torch.tensor(PLAIN_BLACK)
    black = black[:, None, None]
    with torch.no_grad():
        output = net((planes(mosaic(shared_data)) - black) / (1023 - black))
    assert psnr_of_saved(output, shared_data / "ultraisp/rgb/15.png") == pytest.approx(expected_db, abs=0.1)


def test_rmfa_weights_make_a_plausible_picture(shared_data: Path) -> None:
    net = load("rmfa-tiny", shared_data / FUJIFILM / "RMFA_TINY_unpaired_step_48270.pth")
    with torch.no_grad():
        output = net((planes(mosaic(shared_data)) - 63) / 1023)
    assert psnr_of_saved(output, shared_data / "ultraisp/rgb/15.png") > 31


@pytest.mark.parametrize("name", PUBLISHED)
def test_weights_of_another_network_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="is missing"):
        map_state_dict(name, {"features.weight": torch.zeros(1)})


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="efficient-isp, robust-isp, rmfa-tiny"):
        map_state_dict("pynet", {})
