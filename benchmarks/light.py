"""Measures how far methods are off the light of captures: the estimator, simple statistics, and a constant.

Run: python benchmarks/light.py [--balanced-bench DIR ...] [--bench DIR ...] [--files CAMERA_FILE ...] [-o FILE.json]

A bench holds `train/raw` and `val/raw` with gains in captures.tsv. Those of a balanced bench are replaced where its
pairs tell the exact ones: its photos are balanced, so neutral pixels of a photo (val/rgb, paired_reference/rgb) say
what the light was. Other benches' gains have the error of their camera's own balance. Camera files bring theirs.

The error is the angle, in degrees, between gray as the method would show it and gray (reproduction angular error:
Finlayson, Zakizadeh, BMVC 2014): mean, median, mean of the worst quarter; then the share of captures on which
`estimated` is closer. `constant` is the geometric mean of the gains of the bench's train captures, or of all the files;
`estimated, set known` starts from it. All others know nothing of the set.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_isp.data.photos import read_photo
from nas_isp.raw.light_estimator import estimate_light
from nas_isp.raw.packing import align_to_rggb, pack
from nas_isp.raw.readers import list_raw_files, read_raw
from nas_isp.raw.saturation import SATURATED, packed_saturation
from nas_isp.raw.sensor import Gains

Floats = NDArray[np.float32]

NEUTRAL_CHROMA, NEUTRAL_LEVELS, FEWEST_NEUTRAL = 0.03, (0.15, 0.85), 30


@dataclass(frozen=True)
class Capture:
    """A capture, its true gains, and the photo it was taken of or one of it."""

    scene: str
    packed: Floats
    saturation: float
    gains: Gains


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--balanced-bench", type=Path, nargs="*", default=[])
    parser.add_argument("--bench", type=Path, nargs="*", default=[])
    parser.add_argument("--files", type=Path, nargs="*", default=[])
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    rows: dict[str, Any] = {}
    for folder in (*arguments.balanced_bench, *arguments.bench):
        balanced = folder in arguments.balanced_bench
        train = _bench(folder, "train", "paired_reference/rgb" if balanced else None)
        constant = _constant(train)
        rows[f"{folder.name}/train"] = _errors(train, constant)
        rows[f"{folder.name}/val"] = _errors(_bench(folder, "val", "val/rgb" if balanced else None), constant)
    if arguments.files:
        captures = [_capture(path, path.stem) for path in arguments.files]
        rows["files"] = _errors(captures, _constant(captures))
    for name, errors in rows.items():
        print(f"{name} ({errors['captures']} captures)")
        for method, numbers in errors["degrees"].items():
            print(f"  {method:24s}" + "".join(f"{number:7.2f}" for number in numbers))
    if arguments.output:
        arguments.output.write_text(json.dumps(rows, indent=2))


def _errors(captures: list[Capture], constant: Gains) -> dict[str, Any]:
    methods: dict[str, Callable[[Capture], Gains]] = {
        "constant": lambda _: constant,
        "gray world": lambda one: _minkowski(one, 1),
        "shades of gray (3)": lambda one: _minkowski(one, 3),
        "shades of gray (6)": lambda one: _minkowski(one, 6),
        "white patch": _white_patch,
        "estimated": lambda one: estimate_light(one.packed, saturation=one.saturation),
        "estimated, set known": lambda one: estimate_light(one.packed, constant, one.saturation),
    }
    of_each = {
        name: np.array([angular_error(method(capture), capture.gains) for capture in captures])
        for name, method in methods.items()
    }
    degrees = {}
    for name, errors in of_each.items():
        worst = np.sort(errors)[-max(len(errors) // 4, 1) :]
        closer = (of_each["estimated"] < errors).mean()
        degrees[name] = [round(float(number), 2) for number in (errors.mean(), np.median(errors), worst.mean(), closer)]
    return {"captures": len(captures), "degrees": degrees}


def angular_error(estimated: Gains, true: Gains) -> float:
    """Degrees between gray, balanced by estimated gains, and gray."""
    balanced = np.divide(estimated, true)
    cosine = balanced.sum() / (np.linalg.norm(balanced) * np.sqrt(3))
    return float(np.degrees(np.arccos(min(cosine, 1.0))))


def _constant(captures: list[Capture]) -> Gains:
    red, green, blue = np.exp(np.log([capture.gains for capture in captures]).mean(axis=0)).tolist()
    return red, green, blue


def _bench(folder: Path, split: str, photos: str | None) -> list[Capture]:
    """The captures of a split; with `photos`, gains are those of neutral pixels, a scene's patches together."""
    files = list_raw_files(folder / split / "raw")
    captures = [_capture(file, file.stem.rsplit("_", 1)[0] if photos else file.stem) for file in files]
    if photos is None:
        return captures
    found: dict[str, list[tuple[float, NDArray[np.float64]]]] = {}
    for file, capture in zip(files, captures, strict=True):
        beside = next((folder / photos).glob(f"{file.stem}.*"))
        neutral = _neutral_gains(capture.packed, read_photo(beside))
        if neutral is not None:
            found.setdefault(capture.scene, []).append(neutral)
    exact = {
        scene: np.exp(np.average([logs for _, logs in known], axis=0, weights=[number for number, _ in known]))
        for scene, known in found.items()
    }
    return [
        Capture(one.scene, one.packed, one.saturation, tuple(exact.get(one.scene, np.array(one.gains)).tolist()))
        for one in captures
    ]


def _capture(file: Path, scene: str) -> Capture:
    raw = align_to_rggb(read_raw(file))
    if raw.white_balance is None:
        raise SystemExit(f"{file}: does not know its gains; give files that do")
    return Capture(scene, pack(raw), packed_saturation(raw), raw.white_balance)


def _neutral_gains(packed: Floats, photo: NDArray[np.uint8]) -> tuple[float, NDArray[np.float64]] | None:
    """Number of cells that are neutral in the photo, and logarithms of the gains that make them neutral in the RAW."""
    _, height, width = packed.shape
    blocks = (photo[: 2 * height, : 2 * width] / 255).reshape(height, 2, width, 2, 3)
    chroma = np.abs(blocks - blocks.mean(axis=-1, keepdims=True)).max(axis=(1, 3, 4))
    level = blocks.mean(axis=(1, 3, 4))
    neutral = (chroma < NEUTRAL_CHROMA) & (level > NEUTRAL_LEVELS[0]) & (level < NEUTRAL_LEVELS[1])
    neutral &= packed.max(axis=0) < SATURATED
    if neutral.sum() < FEWEST_NEUTRAL:
        return None
    red, green1, green2, blue = packed[:, neutral].astype(np.float64).sum(axis=1)
    green = (green1 + green2) / 2
    return float(neutral.sum()), np.log([green / red, 1, green / blue])


def _cells(capture: Capture) -> NDArray[np.float64]:
    """Means `(3, n)` of 2x2 cells without a saturated sample."""
    _, height, width = capture.packed.shape
    even = capture.packed[:, : height // 2 * 2, : width // 2 * 2] / capture.saturation
    cells = even.reshape(4, height // 2, 2, width // 2, 2).mean(axis=(2, 4)).reshape(4, -1)
    red, green1, green2, blue = np.maximum(cells[:, cells.max(axis=0) < SATURATED], 1e-6).astype(np.float64)
    return np.stack((red, (green1 + green2) / 2, blue))


def _minkowski(capture: Capture, power: int) -> Gains:
    """Finlayson, Trezzi, "Shades of Gray and Color Constancy", Color Imaging Conference 2004; 1 is gray world."""
    red, green, blue = ((_cells(capture) ** power).mean(axis=1) ** (1 / power)).tolist()
    return green / red, 1.0, green / blue


def _white_patch(capture: Capture) -> Gains:
    """The 99th percentile of each channel is white."""
    red, green, blue = np.quantile(_cells(capture), 0.99, axis=1).tolist()
    return green / red, 1.0, green / blue


if __name__ == "__main__":
    main()
