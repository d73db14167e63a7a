"""SqueezeNet is the Caffe release read rightly, and missing or wrong files are said plainly."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.perceptual.squeezenet import WEIGHTS_NAME, WEIGHTS_VARIABLE, load_squeezenet


def test_first_convolution_is_that_of_the_file_on_bgr_minus_the_mean(shared_data: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(shared_data / "weights" / WEIGHTS_NAME) as file:
        kernel, bias = file["conv1/uniform1"][()], file["conv1/conv1_b"][()]
    image = np.random.default_rng(0).random((9, 9, 3), dtype=np.float32)
    caffe = image[:, :, ::-1] * 255 - np.array([104.006, 116.669, 122.679])
    window = caffe[3:6, 5:8]
    by_hand = np.maximum(np.einsum("hwi,hwio->o", window, kernel) + bias, 0)
    network = load_squeezenet(shared_data / "weights")
    values = network(torch.from_numpy(image).permute(2, 0, 1)[None], ("conv1",))["conv1"][0, :, 2, 3]
    np.testing.assert_allclose(values.numpy() / network.gains["conv1"], by_hand, rtol=1e-4, atol=1e-2)


def test_folder_is_taken_from_the_environment(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(shared_data / "weights"))
    assert load_squeezenet().layers == ("conv1", "fire3", "fire5", "fire9")


def test_without_a_folder_the_error_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(WEIGHTS_VARIABLE, raising=False)
    with pytest.raises(InputError, match=WEIGHTS_VARIABLE):
        load_squeezenet()


def test_missing_file_is_named_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"{WEIGHTS_NAME} in {tmp_path}"):
        load_squeezenet(tmp_path)


def test_file_that_is_no_hdf5_is_refused_in_one_line(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    (tmp_path / WEIGHTS_NAME).write_bytes(b"not a weights file")
    with pytest.raises(InputError, match="not the weights of SqueezeNet") as caught:
        load_squeezenet(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(3, 3, 3, 64), (3, 3, 3, 32)], ids=["other layers absent", "wrong size"])
def test_other_weights_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / WEIGHTS_NAME, "w") as file:
        file["conv1/kernel"], file["conv1/bias"] = np.zeros(shape), np.zeros(shape[-1])
    with pytest.raises(InputError, match="not the weights of SqueezeNet"):
        load_squeezenet(tmp_path)


def test_without_h5py_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / WEIGHTS_NAME).touch()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match="pip install h5py"):
        load_squeezenet(tmp_path)
