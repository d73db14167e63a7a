"""Arrays, patch caches and preparations that no random damage would give: pickles, lies about size and bombs."""

import json
import pickle
from pathlib import Path

import numpy as np

from tests.hostile.hostile_parts import BOMB_BYTES, Contents, Executed, npy, npy_claiming, packed_archive


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
