"""Foreign weight files: tensors by name or one plain line, and nothing in them runs."""

import pickle
from pathlib import Path

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.perceptual.state import read_state


class _Marker:
    """Makes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_are_read_from_both_formats_of_torch(tmp_path: Path, zipped: bool) -> None:
    state = {"a.weight": torch.rand(2, 3), "b": torch.arange(4)}
    torch.save(state, tmp_path / "state.pth", _use_new_zipfile_serialization=zipped)
    read = read_state(tmp_path / "state.pth")
    assert read.keys() == state.keys()
    assert all(torch.equal(read[key], state[key]) for key in state)


@pytest.mark.parametrize("name", ["broken.pth", "broken.safetensors"])
def test_a_broken_file_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    for content in (b"", b"not weights", b"PK\x03\x04 half a zip"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=name) as caught:
            read_state(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_something_else_than_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "model": {"weight": torch.zeros(1)}}, tmp_path / "checkpoint.pth")
    with pytest.raises(InputError, match="no state dictionary"):
        read_state(tmp_path / "checkpoint.pth")


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"a": _Marker(ran)}))
    with pytest.raises(InputError, match="cannot be read as weights"):
        read_state(tmp_path / "evil.pth")
    assert not ran.exists()
