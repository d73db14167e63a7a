"""SqueezeNet is the Caffe release read rightly, or torchvision's; wrong files are said plainly."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.perceptual.squeezenet import (
    CAFFE_WEIGHTS,
    Gain,
    load_caffe_squeezenet,
    load_squeezenet,
    unfilled_squeezenet,
)


def test_first_convolution_is_that_of_the_file_on_bgr_minus_the_mean(shared_data: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(shared_data / "weights" / CAFFE_WEIGHTS.name) as file:
        kernel, bias = file["conv1/uniform1"][()], file["conv1/conv1_b"][()]
    image = np.random.default_rng(0).random((9, 9, 3), dtype=np.float32)
    caffe = image[:, :, ::-1] * 255 - np.array([104.006, 116.669, 122.679])
    window = caffe[3:6, 5:8]
    by_hand = np.maximum(np.einsum("hwi,hwio->o", window, kernel) + bias, 0)
    network = load_caffe_squeezenet(shared_data / "weights" / CAFFE_WEIGHTS.name)
    gain = network.readouts["conv1"]
    assert isinstance(gain, Gain)
    values = network(torch.from_numpy(image).permute(2, 0, 1)[None], ("conv1",))["conv1"][0, :, 2, 3]
    np.testing.assert_allclose(values.numpy() / gain.factor, by_hand, rtol=1e-4, atol=1e-2)


def test_torchvisions_key_names_are_read(tmp_path: Path) -> None:
    network = unfilled_squeezenet()
    state = {"classifier.1.weight": torch.zeros(1000, 512, 1, 1)}
    convolutions = [part for part in network.stages.modules() if isinstance(part, torch.nn.Conv2d)]
    inner = ("squeeze1x1", "expand1x1", "expand3x3")
    names = ["features.0", *(f"features.{at}.{part}" for at in (3, 4, 6, 7, 9, 10, 11, 12) for part in inner)]
    for name, convolution in zip(names, convolutions, strict=True):
        state |= {f"{name}.{kind}": value for kind, value in convolution.state_dict().items()}
    torch.save(state, tmp_path / "squeezenet.pth")
    loaded, image = load_squeezenet(tmp_path / "squeezenet.pth"), torch.rand(1, 3, 32, 32)
    for layer, values in network(image).items():
        assert torch.equal(loaded(image)[layer], values)


def test_file_that_is_no_hdf5_is_refused_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    (tmp_path / CAFFE_WEIGHTS.name).write_bytes(b"not a weights file")
    with pytest.raises(InputError, match="not the weights of SqueezeNet") as caught:
        load_caffe_squeezenet(tmp_path / CAFFE_WEIGHTS.name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(3, 3, 3, 64), (3, 3, 3, 32)], ids=["other layers absent", "wrong size"])
def test_other_weights_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / CAFFE_WEIGHTS.name, "w") as file:
        file["conv1/kernel"], file["conv1/bias"] = np.zeros(shape), np.zeros(shape[-1])
    with pytest.raises(InputError, match="not the weights of SqueezeNet"):
        load_caffe_squeezenet(tmp_path / CAFFE_WEIGHTS.name)


def test_without_h5py_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / CAFFE_WEIGHTS.name).touch()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match="pip install h5py"):
        load_caffe_squeezenet(tmp_path / CAFFE_WEIGHTS.name)
