"""Contents that no random damage would find: bombs, lies, code and paths that lead out of the folder."""

import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import hostile_models as models
import numpy as np
import onnx
import torch
from dng_files import CFA_BYTES
from onnx import TensorProto, helper

from nas_isp.search.study import Study

Contents = Iterable[tuple[str, bytes]]

BLOCK = 1 << 24
BOMB_BYTES = 3 << 30
"""More than may be used: what is unpacked must be refused before."""


class Executed:
    """A pickle of this runs a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("touch executed ../executed",)


def npy(array: Any) -> bytes:
    """The `.npy` file of an array, pickled if need be."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def npy_claiming(shape: tuple[int, ...], kind: str = "<u2", header: str | None = None) -> bytes:
    """A `.npy` file whose header claims what does not follow."""
    text = header or f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    encoded = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(encoded)) + encoded + bytes(64)


def npys(path: str) -> Contents:
    """What may be found under the name of an array."""
    values = np.full((16, 16), 512.0)
    for spoiled in (np.nan, np.inf, -1.0, 0.5, 1e9, 65536.0):
        changed = values.copy()
        changed[3, 3] = spoiled
        yield path, npy(changed)
    yield path, npy(np.array([Executed()], dtype=object))
    yield path, pickle.dumps(Executed())
    for array in (
        values > 3,
        values.astype(complex),
        values.astype(str),
        np.float32(3),
        np.zeros((0, 8)),
        values[None],
    ):
        yield path, npy(array)
    yield path, npy(np.zeros((16, 16), dtype=[("a", "<u2")]))
    yield path, npy(values.astype(">u2"))
    yield path, npy(np.asfortranarray(values.astype(np.uint16)))
    for shape in ((10**9, 10**9), (65536, 65536), (2**63, 2), (-1, 4), (16, -16), (2**32, 2**32), (10**30,)):
        yield path, npy_claiming(shape)
    yield path, npy_claiming((16, 16), "|O")
    yield path, npy_claiming((0,), "|V2000000000")
    yield path, npy_claiming((), header="{'descr': '<u2', 'fortran_order': False, 'shape': " + "(" * 5000)
    yield path, npy_claiming((), header="__import__('os').system('touch executed')")
    yield path, packed_archive({"a.npy": npy(values)})


def packed_archive(members: dict[str, bytes], inflated: str = "", unpacked_bytes: int = 0) -> bytes:
    """A zip archive with packed members; in that named `inflated` so many zeros follow, which take a thousandth."""
    parts, directory = bytearray(), bytearray()
    for name, content in members.items():
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        more_bytes = unpacked_bytes if name == inflated else 0
        packed = packer.compress(content) + packer.flush(zlib.Z_FULL_FLUSH)
        packed += _zeros(more_bytes) + packer.flush()
        sizes = struct.pack("<III", zlib.crc32(content), len(packed), len(content) + more_bytes)
        head = struct.pack("<HHHHH", 20, 0, zipfile.ZIP_DEFLATED, 0, 33) + sizes + struct.pack("<HH", len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + head
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(parts)) + name.encode()
        parts += b"PK\x03\x04" + head + name.encode() + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(parts), 0)
    return bytes(parts + directory) + b"PK\x05\x06" + end


@cache
def _zeros(unpacked_bytes: int) -> bytes:
    """So many zeros as a part of a deflated stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    last = packer.compress(bytes(unpacked_bytes % BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (unpacked_bytes // BLOCK) + last


def mosaic_npys(folder: Path) -> Contents:
    yield from npys("a.npy")


def set_npys(folder: Path) -> Contents:
    yield from npys("b.npy")
    yield from npys("raws/a.npy")


def caches(folder: Path) -> Contents:
    for name in ("raw/packed.npy", "raw/black.npy", "photos/pixels.npy"):
        yield from npys(name)


def preparations(folder: Path) -> Contents:
    yield from npys("prepared/references.npy")
    yield from npys("prepared/synthetic.npy")
    bomb = npy_claiming((BOMB_BYTES,), "|u1")[:-64]
    yield "prepared/pairs.npz", packed_archive({"raw_0.npy": bomb, "rgb_0.npy": bomb}, "raw_0.npy", BOMB_BYTES)
    yield "prepared/pairs.npz", packed_archive({"a.npy": npy(np.zeros(3))})
    for _, content in npys(""):
        photo = npy(np.zeros((32, 32, 3), np.uint8))
        yield "prepared/pairs.npz", packed_archive({"raw_0.npy": content, "rgb_0.npy": photo})
        yield (
            "prepared/pairs.npz",
            packed_archive({"raw_0.npy": npy(np.zeros((4, 16, 16), np.float32)), "rgb_0.npy": content}),
        )
    record = json.loads((folder / "prepared/prepared.json").read_text())
    for place in ("../../../../../etc", "/etc", "..", "\0", "x" * 5000, "/proc/self"):
        yield "prepared/prepared.json", json.dumps(record | {"raw": place}).encode()


def png(width: int, height: int, depth: int, colour: int, rows: int | None = None) -> bytes:
    """A PNG of zeros that claims a size; `rows` of it are there."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = 1 + (width * channels * depth + 7) // 8
    packed = b"\x78\x01" + _zeros(row * (height if rows is None else rows)) + b"\x03\x00"
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)),
        (b"IDAT", packed),
        (b"IEND", b""),
    ]
    if colour == 3:
        chunks.insert(1, (b"PLTE", bytes(6)))
        chunks.insert(2, (b"tRNS", bytes(1)))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def mosaic_pngs(folder: Path) -> Contents:
    yield "a.png", png(30000, 30000, 16, 0, rows=1)
    yield "a.png", png(13000, 13000, 16, 0)
    yield "a.png", png(2**31 - 1, 2**31 - 1, 16, 0, rows=0)
    yield "a.png", png(64, 48, 8, 2)
    yield "a.png", png(64, 48, 1, 0)
    yield "a.png", png(3, 3, 16, 0)


def photo_pngs(folder: Path) -> Contents:
    yield "a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(executed) (w) file closefile\n"
    yield "a.png", png(10480, 10480, 8, 6)
    yield "a.png", png(13000, 13000, 8, 6)
    yield "a.png", png(13000, 13000, 1, 3)
    yield "a.png", png(13000, 13000, 8, 2, rows=1)
    yield "a.png", png(2**31 - 1, 1, 8, 2, rows=0)
    yield "a.png", png(1, 170_000_000, 1, 0, rows=1)
    yield "a.png", png(64, 48, 16, 0)
    yield "a.png", png(64, 48, 16, 2)


def dngs(folder: Path) -> Contents:
    """Sizes, filters and levels that the pixels do not bear out."""
    content = (folder / "a.dng").read_bytes()
    for width, height in ((60000, 60000), (65535, 65535), (30000, 20000), (64, 10**6), (1, 1), (0, 0), (3, 3)):
        yield "a.dng", with_tags(content, {256: width, 257: height})
    for pattern in ((0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 2, 3), (9, 9, 9, 9), (2, 1, 0, 1)):
        yield "a.dng", content.replace(bytes(CFA_BYTES["RGGB"]), bytes(pattern))
    for tag, value in ((50717, 0), (50717, 65535), (50717, 60), (258, 1), (258, 32), (259, 7), (259, 34892), (277, 3)):
        yield "a.dng", with_tags(content, {tag: value})


def with_tags(content: bytes, values: dict[int, int]) -> bytes:
    """A little-endian TIFF with other values of tags that hold one number."""
    changed, place = bytearray(content), struct.unpack_from("<I", content, 4)[0]
    for index in range(struct.unpack_from("<H", content, place)[0]):
        entry = place + 2 + 12 * index
        tag, _, number = struct.unpack_from("<HHI", content, entry)
        if tag in values and number == 1:
            struct.pack_into("<HHII", changed, entry, tag, 4, 1, values[tag])
    return bytes(changed)


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


def tflites(folder: Path) -> Contents:
    """Records that lie about the network, in files that are whole."""
    from nas_isp.export import tflite_file

    content = (folder / "a.tflite").read_bytes()
    for text in _records("NHWC"):
        model = tflite_file.parse(content, folder)
        model.metadata = []
        tflite_file.add_record(model, text)
        yield "a.tflite", tflite_file.serialise(model)


def _records(layout: str) -> list[str]:
    record = json.loads(models.record(layout))
    changes: list[dict[str, Any]] = [
        *({"halo": value} for value in (0, 10**9, 10**400, -1)),
        *({"step": value} for value in (2, 3, 10**9)),
        *({"packed_height": value} for value in (None, 4, 2**31, 10**12)),
        *({"global_head": True}, {"whole_picture": True}, {"border": "zeros"}, {"layout": "x"}, {"precision": "x"}),
    ]
    return [*(json.dumps(record | change) for change in changes), "9" * 5000, "[" * 100_000, "null", "[]"]


def onnxs(folder: Path) -> Contents:
    """Weights in other files, and graphs that are no graphs."""
    for text in _records("NCHW"):
        model = models.onnx_model()
        model.metadata_props[0].value = text
        yield "a.onnx", model.SerializeToString()
    (folder / "weights.bin").write_bytes(bytes(8 * 4 * 9 * 4))
    try:
        for location in ("weights.bin", "../weights.bin", "../../secret", "/etc/passwd", "secret", "/dev/zero"):
            model = models.onnx_model()
            _outside(model.graph.initializer[0], location)
            yield "a.onnx", model.SerializeToString()
        model = models.onnx_model()
        hidden = model.graph.initializer[0]
        _outside(hidden, "secret")
        model.graph.node.insert(0, helper.make_node("Constant", [], ["first"], value=hidden))
        del model.graph.initializer[0]
        yield "a.onnx", model.SerializeToString()
    finally:
        (folder / "weights.bin").unlink()
    for change in ("domain", "opset", "loop", "input", "giant", "element"):
        yield "a.onnx", _broken(models.onnx_model(), change).SerializeToString()


def _outside(tensor: onnx.TensorProto, location: str) -> None:
    """Make a tensor say that its values are in another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(8 * 4 * 9 * 4))):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def _broken(model: onnx.ModelProto, change: str) -> onnx.ModelProto:
    first = model.graph.node[0]
    if change == "domain":
        first.domain = "somewhere"
    elif change == "opset":
        model.opset_import[0].version = 2**62
    elif change == "loop":
        first.input[0] = "planes"
    elif change == "input":
        model.graph.input[0].name = "other"
    elif change == "giant":
        model.graph.initializer[0].dims[:] = [2**31, 2**31, 3, 3]
    else:
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    return model


def studies(folder: Path) -> Contents:
    """Records of this study with values that the format allows and a search never writes."""
    study = Study(folder, Study.open(folder).config)
    record = study.records[1].model_dump(mode="json")
    changes: list[dict[str, Any]] = [
        *({"quality": value} for value in (None, 1e308, -1e308)),
        *({"latency_ms": value} for value in (None, 1e-300, 1e300)),
        *({"trial": value} for value in (0, 2, 10**30)),
        *({"scores": value} for value in ({}, {"psnr": 1e308}, {"x" * 10_000: 1})),
        *({"score_kind": value} for value in (None, "x" * 1000)),
        *({"state": "failed", "reason": "<script>alert(1)</script>"}, {"params": 10**400}, {"rungs": [{"step": 1}]}),
    ]
    for change in changes:
        yield "trials/0001/result.json", json.dumps(record | change).encode()
        yield "rejected.jsonl", (json.dumps(record | change) + "\n").encode()
    yield "rejected.jsonl", b"\xff\xfe\n"
    yield "trials/0001/sample.png", b"not a picture"
