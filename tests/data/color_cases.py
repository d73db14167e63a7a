"""Four patches whose sRGB values are known, coded in other spaces by the matrices that CSS Color 4 publishes."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

WANTED = np.array([(200, 60, 40), (40, 180, 60), (50, 70, 200), (128, 128, 128)])

XYZ_TO = {
    "sRGB": np.array(
        [[3.2409699, -1.5373832, -0.4986108], [-0.9692436, 1.8759675, 0.0415551], [0.0556301, -0.2039770, 1.0569715]]
    ),
    "Display P3": np.linalg.inv(
        [[0.4865709, 0.2656677, 0.1982173], [0.2289746, 0.6917385, 0.0792869], [0, 0.0451134, 1.0439444]]
    ),
    "Adobe RGB": np.linalg.inv(
        [[0.5766690, 0.1855582, 0.1882286], [0.2973450, 0.6273636, 0.0752915], [0.0270314, 0.0706889, 0.9913375]]
    ),
    "BT.2020": np.linalg.inv(
        [[0.6369580, 0.1446169, 0.1688810], [0.2627002, 0.6779981, 0.0593017], [0, 0.0280727, 1.0609851]]
    ),
}
"""XYZ of D65 to the light of each space."""


def linear() -> np.ndarray:
    """The light of the patches in sRGB, `(4, 3)`."""
    coded = WANTED / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def patches(space: str, encode: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The picture `(8, 32, 3)` of the patches in a space, coded by a curve."""
    light = linear() @ np.linalg.inv(XYZ_TO["sRGB"]).T @ XYZ_TO[space].T
    coded = np.rint(encode(np.clip(light, 0, 1)) * 255).astype(np.uint8)
    return np.repeat(np.repeat(coded[None], 8, axis=0), 8, axis=1)


def srgb_encode(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def power(exponent: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda light: light**exponent


def assert_patches(photo: np.ndarray, within: int = 2) -> None:
    """The photo shows the patches."""
    assert photo.shape == (8, 32, 3)
    np.testing.assert_allclose(photo[4, 4::8].astype(int), WANTED, atol=within)


def write_png(path: Path, pixels: np.ndarray, **chunks: bytes) -> Path:
    """A PNG with chunks of these types right after its header."""
    Image.fromarray(pixels).save(path)
    content = path.read_bytes()
    added = b"".join(_chunk(kind.encode(), data) for kind, data in chunks.items())
    path.write_bytes(content[:33] + added + content[33:])
    return path


def png16(path: Path, values: np.ndarray, **chunks: bytes) -> Path:
    """A PNG of 16 bits, each row with another filter of the five."""
    height, width, channels = values.shape
    step, rows = 2 * channels, values.astype(">u2").view(np.uint8).reshape(height, -1).astype(int)
    content, above = b"", np.zeros(rows.shape[1], int)
    for number, row in enumerate(rows):
        left, corner = (np.concatenate([np.zeros(step, int), one[:-step]]) for one in (row, above))
        guess = left + above - corner
        distances = [abs(guess - one) for one in (left, above, corner)]
        paeth = np.select(
            [(distances[0] <= distances[1]) & (distances[0] <= distances[2]), distances[1] <= distances[2]],
            [left, above],
            corner,
        )
        kind = number % 5
        predicted = (0 * row, left, above, (left + above) // 2, paeth)[kind]
        content += bytes([kind]) + ((row - predicted) % 256).astype(np.uint8).tobytes()
        above = row
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = {"IHDR": head, **chunks, "IDAT": zlib.compress(content), "IEND": b""}
    written = b"".join(
        struct.pack(">I", len(data)) + name.encode() + data + struct.pack(">I", zlib.crc32(name.encode() + data))
        for name, data in parts.items()
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + written)
    return path


def iccp(profile: bytes) -> bytes:
    """The content of an iCCP chunk."""
    return b"ICC profile\0\0" + zlib.compress(profile)


def gama(gamma: float) -> bytes:
    return struct.pack(">I", round(gamma * 100000))


def chrm(*points: float) -> bytes:
    """White, red, green, blue."""
    return struct.pack(">8I", *(round(value * 100000) for value in points))


P3_CHRM = chrm(0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
