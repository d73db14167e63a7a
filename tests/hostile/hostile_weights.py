"""Bundles, weights and checkpoints that no random damage would give: code, lying headers and bombs."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.hostile.hostile_parts import BOMB_BYTES, Contents, Executed, packed_archive


def safetensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A file with this header, which may lie."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def bundles(folder: Path) -> Contents:
    name, whole = "a.safetensors", (folder / "a.safetensors").read_bytes()
    length = struct.unpack_from("<Q", whole)[0]
    header, data = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    first = next(key for key in header if key != "__metadata__")
    for claimed in (0, 2**63, 2**64 - 1, 10**8, len(whole), len(whole) + 1):
        yield name, safetensors(header, data, claimed)
    changes: list[dict[str, Any]] = [
        *({"data_offsets": offsets} for offsets in ([0, 2**62], [-4, 4], [8, 0], [0, 1], [2**63, 2**63 + 4])),
        *({"shape": shape} for shape in ([2**62], [10**6, 10**6], [-1], [0], [], ["a"])),
        *({"dtype": kind} for kind in ("F64", "BOOL", "I8", "F8_E4M3", "C64", "X")),
    ]
    for change in changes:
        yield name, safetensors(header | {first: header[first] | change}, data)
    yield name, safetensors(header | {"../../outside": header[first]}, data)
    record = json.loads(header["__metadata__"]["nas_isp"])
    block = {"kind": "rep3", "channels": 512}
    records: list[Any] = [
        record | {"architecture": {"family": "plain", "blocks": [block] * 64, "tail_kernel": 5}},
        record | {"architecture": {"family": "rmfa", "width": 64, "depth": 16}},
        record | {"format_version": 10**400},
        record | {"recipe": {"a": [[[[]]]]}},
        record | {"sensor": record["sensor"] | {"width": 10**400}},
        [record],
        7,
    ]
    texts = [*map(json.dumps, records), "9" * 5000, "[" * 100_000, "NaN", "", '{"a": ' * 100_000, "\ud800"]
    for text in texts:
        metadata = {"nas_isp": text}
        yield name, safetensors(json.dumps(header | {"__metadata__": metadata}).encode(), data)
    for value in (np.nan, np.inf):
        yield name, safetensors(header, np.full(len(data) // 4, value, "<f4").tobytes() + bytes(len(data) % 4))


def pths(folder: Path) -> Contents:
    """Code, other things than weights, and bombs."""
    state = torch.load(folder / "a.pth", weights_only=True)
    first, tensor = next(iter(state.items()))
    others: list[Any] = [
        *(tensor, [tensor], 7, None, {"state_dict": state}, {1: tensor}, {first: 3.0}, {}),
        *(state | {first: changed} for changed in _odd_tensors(tensor)),
    ]
    for content in others:
        for zipped in (True, False):
            yield "a.pth", saved(content, zipped)
    for content in (Executed(), {first: Executed()}, torch.nn.Linear(2, 2), {"a": range(3)}):
        for zipped in (True, False):
            yield "a.pth", saved(content, zipped)
        yield "a.pth", pickle.dumps(content)
    yield from repacked(folder, "a.pth")


def _odd_tensors(tensor: torch.Tensor) -> list[torch.Tensor]:
    return [
        *(tensor * float("nan"), tensor.to(torch.float64), tensor.to(torch.complex64), tensor.to(torch.bool)),
        *(tensor.to_sparse(), tensor.to("meta"), tensor.to(torch.float16), tensor.to(torch.float8_e5m2)),
        *(torch.zeros(1).expand(10**6, 10**6), tensor[:0], tensor.T.contiguous().T if tensor.ndim == 2 else tensor[0]),
        *(torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8), torch.nn.Parameter(tensor)),
    ]


def saved(content: Any, zipped: bool = True) -> bytes:
    """What `torch.save` writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


def repacked(folder: Path, name: str) -> Contents:
    """A checkpoint whose records are packed a thousandfold, have other names, or lead out of the folder."""
    with zipfile.ZipFile(folder / name) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    record = next(member for member in members if member.endswith("data/0"))
    for changed in (
        members | {record: bytes(1 << 20)},
        {member: content for member, content in members.items() if not member.endswith("data.pkl")},
        {member: content for member, content in members.items() if member != record},
        {f"../../{member}": content for member, content in members.items()},
        members | {"../../../outside": b"x"},
        members | {next(iter(members)): pickle.dumps(Executed(), 2)},
    ):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for member, content in changed.items():
                archive.writestr(member, content)
        yield name, buffer.getvalue()
    yield name, packed_archive(members)
    yield (
        name,
        packed_archive(
            {member: content for member, content in members.items() if member != record} | {record: b""}, 1 << 28
        ),
    )
    yield name, packed_archive(members, record, BOMB_BYTES)


def weights(folder: Path) -> Contents:
    state = torch.load(folder / "a.pth", weights_only=True)
    first, tensor = next(iter(state.items()))
    for changed in _odd_tensors(tensor):
        yield "a.pth", saved(state | {first: changed})
    yield "a.pth", saved({first: Executed()})
    yield from repacked(folder, "a.pth")


def checkpoints(folder: Path) -> Contents:
    """Of this very training, but with other parts."""
    name = "training/checkpoint.pt"
    state = torch.load(folder / name, weights_only=True)
    for key in state:
        yield name, saved({other: value for other, value in state.items() if other != key})
        for value in (None, "x", -1, 10**30, [], {}, {"a": 1}, float("nan"), torch.zeros(2)):
            yield name, saved(state | {key: value})
    for part in ("learner", "contest", "selection"):
        for key in state[part]:
            for value in (None, "x", {}, {"a": torch.zeros(1)}, 7):
                yield name, saved(state | {part: state[part] | {key: value}})
    yield name, saved(state | {"step": Executed()})
    yield from repacked(folder, name)
