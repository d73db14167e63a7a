"""A file of `torch.save` from a stranger runs nothing and takes no more memory than it has bytes."""

import zipfile
from pathlib import Path

import pytest
import torch

from nas_isp.errors import InputError
from nas_isp.torch_files import named_tensors, read_torch_file


def test_records_that_unpack_to_more_than_the_file_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1 << 20)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as plain, zipfile.ZipFile(tmp_path / "a.pth", "w", 8) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert (tmp_path / "a.pth").stat().st_size < 100_000
    with pytest.raises(InputError, match=r"a\.pth: its records unpack to 4\d{6} bytes"):
        read_torch_file(tmp_path / "a.pth")


@pytest.mark.parametrize(
    "odd",
    [
        torch.zeros(2).to_sparse(),
        torch.zeros(2, device="meta"),
        torch.zeros(2, dtype=torch.complex64),
        torch.zeros(2, dtype=torch.bool),
        2.0,
    ],
    ids=["sparse", "meta", "complex", "bool", "number"],
)
def test_only_plain_tensors_are_weights(odd: object) -> None:
    assert named_tensors({"a": torch.zeros(2), "b": odd}) is None
    assert named_tensors([torch.zeros(2)]) is None
