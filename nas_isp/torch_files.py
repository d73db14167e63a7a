"""Reads what `torch.save` wrote, also for strangers: no code of the file runs, and nothing in it is unpacked."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from nas_isp.errors import InputError


def read_torch_file(path: Path, device: torch.device | str = "cpu", mapped: bool = False) -> object:
    """The tensors and plain values in a file.

    Args:
        path: the file.
        device: where tensors go.
        mapped: map the file into memory where its format allows it, so that tensors which nobody needs are not read.

    Raises:
        InputError: unreadable, holding anything that would run code, or packed records.
    """
    try:
        is_archive = zipfile.is_zipfile(path)
        if is_archive:
            _refuse_packed(path)
        return torch.load(path, map_location=device, weights_only=True, mmap=mapped and is_archive)
    except InputError:
        raise
    except Exception as error:
        # A damaged or hostile pickle fails in too many ways to list; the reasons run over many lines.
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a file of tensors and plain values ({reason})") from error


def named_tensors(content: object) -> dict[str, Tensor] | None:
    """The tensors of a state dictionary by name, or None if it is none or has others than plain dense ones."""
    if not isinstance(content, Mapping) or not all(map(_is_plain, content.values())):
        return None
    return {str(name): tensor for name, tensor in content.items()}


def _refuse_packed(path: Path) -> None:
    """`torch.save` stores records as they are: compressed or overlapping ones are there to fill the memory."""
    with zipfile.ZipFile(path) as archive:
        records = archive.infolist()
    unpacked_bytes = sum(record.file_size for record in records)
    if any(record.compress_type != zipfile.ZIP_STORED for record in records) or unpacked_bytes > path.stat().st_size:
        raise InputError(f"{path}: its records unpack to {unpacked_bytes} bytes; PyTorch writes them unpacked")


def _is_plain(value: object) -> bool:
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type != "meta"
        and not value.is_quantized
        and (value.is_floating_point() or value.dtype in (torch.int64, torch.int32, torch.uint8, torch.int8))
    )
