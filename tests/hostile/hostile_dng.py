"""A DNG file with every tag that asks for something to be done to its mosaic, and what asks for too much."""

import struct
from pathlib import Path

import numpy as np

from nas_isp.develop.picture import save_picture
from nas_isp.raw.libraw_rendering import render_by_libraw
from nas_isp.raw.packing import align_to_rggb, pack, storable
from nas_isp.raw.readers import read_raw
from tests.dng_files import fractions, gain_map, opcode_list, write_dng
from tests.hostile.hostile_parts import Contents, check_header

HEIGHT, WIDTH = 48, 64
LIST1, LIST2, LIST3 = 51008, 51009, 51022
HUGE = 2**32 - 1


def make_dng(folder: Path) -> None:
    """As phones write it, and more."""
    points = struct.pack(">5I", 0, 1, 0, 7, 9)
    gains = np.linspace(1, 3, 35, dtype=np.float32).reshape(5, 7)
    maps = [gain_map(gains, (row, column, HEIGHT, WIDTH), (2, 2)) for row in (0, 1) for column in (0, 1)]
    radial = (3, struct.pack(">7d", 0.5, 0.1, 0, 0, 0, 0.5, 0.5))
    _write(folder, opcode_list((5, points), (4, bytes(8))), opcode_list(*maps), opcode_list(radial, (1, bytes(70))))


def read(folder: Path) -> None:
    """As training, developing and comparing do."""
    check_header(folder / "a.dng")
    raw = read_raw(folder / "a.dng")
    packed = pack(align_to_rggb(raw))
    assert np.isfinite(packed).all()
    assert storable(raw)[0].mosaic.dtype == np.uint16
    assert raw.color_matrix is None or np.isfinite(raw.color_matrix).all()
    save_picture(folder / "a.png", render_by_libraw(np.uint8, raw), raw.capture)


def dngs(folder: Path) -> Contents:
    whole = gain_map(np.full((5, 7), 2, np.float32), (0, 0, HEIGHT, WIDTH))[1]
    for at, values in (
        (0, (HUGE,) * 4),
        (24, (HUGE, HUGE)),
        (24, (0, 0)),
        (32, (HUGE, HUGE)),
        (32, (1, 35)),
        (72, (0,)),
    ):
        content = bytearray(whole)
        struct.pack_into(f">{len(values)}I", content, at, *values)
        yield "a.dng", _with(folder, two=opcode_list((9, bytes(content))))
    for at, number in ((40, 0.0), (40, -1e308), (48, float("nan")), (56, 1e308), (64, float("-inf")), (40, 5e-324)):
        content = bytearray(whole)
        struct.pack_into(">d", content, at, number)
        yield "a.dng", _with(folder, two=opcode_list((9, bytes(content))))
    long = gain_map(np.ones((1, 1_000_000), np.float32), (0, 0, HEIGHT, WIDTH))
    yield "a.dng", _with(folder, two=opcode_list(long))
    yield "a.dng", _with(folder, two=opcode_list(*[(9, whole)] * 64))
    yield "a.dng", _with(folder, two=struct.pack(">I", HUGE) + bytes(400))
    yield "a.dng", _with(folder, two=struct.pack(">5I", 1, 9, 0, 0, HUGE))
    everything = struct.pack(">3I", 0, 0, 90_000) + struct.pack(">4I", 0, 0, HUGE, HUGE) * 90_000
    yield "a.dng", _with(folder, one=opcode_list((5, everything)))
    yield "a.dng", _with(folder, one=opcode_list((5, struct.pack(">3I", 0, HUGE, HUGE))))
    yield "a.dng", _with(folder, three=opcode_list((3, struct.pack(">7d", *[1e308] * 7))))
    yield "a.dng", _with(folder, three=opcode_list((3, struct.pack(">7d", -9, -9, -9, -9, -9, 1e300, -1e300))))
    for matrix in ((0,) * 9, (1,) * 9, (-1, 0, 0, 0, -1, 0, 0, 0, -1), (100_000, 0, 0, 0, 1e-4, 0, 0, 0, 1e-4)):
        yield "a.dng", _with(folder, matrix=matrix)
    for delta in (-100_000, 100_000):
        yield "a.dng", _with(folder, delta=[float(delta)] * WIDTH)


def _with(folder: Path, **given: object) -> bytes:
    other = folder / "other"
    other.mkdir(exist_ok=True)
    parts = {"one": b"", "two": b"", "three": b""} | {name: given.pop(name) for name in tuple(given) if name in NAMES}
    _write(other, parts["one"], parts["two"], parts["three"], **given)  # type: ignore[arg-type]
    content = (other / "a.dng").read_bytes()
    (other / "a.dng").unlink()
    other.rmdir()
    return content


NAMES = ("one", "two", "three")


def _write(
    folder: Path,
    one: bytes,
    two: bytes,
    three: bytes,
    matrix: tuple[float, ...] = (0.8, -0.1, -0.1, -0.5, 1.4, 0.1, -0.1, 0.3, 0.4),
    delta: list[float] | None = None,
) -> None:
    lists = [(code, "B", len(part), part, True) for code, part in ((LIST1, one), (LIST2, two), (LIST3, three)) if part]
    write_dng(
        folder / "a.dng",
        np.random.default_rng(0).integers(64, 1024, (HEIGHT, WIDTH), dtype=np.uint16),
        neutral=None,
        black_pattern=(4, 4, [60.0 + index / 4 for index in range(16)]),
        extra_tags=[
            *lists,
            (50715, "2i", WIDTH, fractions(delta or [index / 8 for index in range(WIDTH)], 100), True),
            (50722, "2i", 9, fractions(matrix), True),
            (50729, "2I", 2, fractions((0.3457, 0.3585)), True),
            (50778, "H", 1, 17, True),
            (50779, "H", 1, 21, True),
            (50965, "2i", 9, fractions((0.6, 0.3, 0.06, 0.25, 0.8, -0.05, 0.02, -0.1, 0.9)), True),
            (51041, "d", 2, (2e-4, 3e-6), True),
        ],
    )
