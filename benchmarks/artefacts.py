"""What the artefact check says of clean pictures, and how many spoilt ones it finds: where its limits come from.

Run: python benchmarks/artefacts.py PAIRS_FOLDER [--model FILE_OR_STUDY:TRIAL ...]
PAIRS_FOLDER holds raw/ and rgb/. Clean are the true photos, both classical renderings, and the pictures of each model;
the reference is the bilinear rendering, as in `nas-isp evaluate`. Prints Markdown: for each number the median, the 95th
percentile and the worst over the clean pictures; then for each way of spoiling them the share that is found.
"""

import argparse
from collections.abc import Callable
from itertools import repeat
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from nas_isp.data.patches import Pairs, load_pairs
from nas_isp.develop.pipeline import develop
from nas_isp.evaluation.artefact_measures import (
    blotch_lab,
    displacement,
    flat_channels,
    lattice_levels,
    needlessly_clipped,
)
from nas_isp.evaluation.artefacts import ArtefactLimits, artefact_report, artefacts_of
from nas_isp.evaluation.color import srgb_to_lab
from nas_isp.raw.classical import encode_srgb, render_image
from nas_isp.raw.orientation import upright
from nas_isp.search.models import load_runner

Picture = NDArray[np.uint8]
Spoil = Callable[[Picture, np.random.Generator], Picture]

LAB_TO_XYZ_WHITE = (0.95047, 1.0, 1.08883)
XYZ_TO_SRGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--model", action="append", default=[], help="a bundle, .tflite, .onnx or STUDY:TRIAL")
    given = parser.parse_args()
    pairs = load_pairs(given.pairs)
    references = [render_image(pair.raw, "bilinear") for pair in pairs]
    clean = clean_pictures(pairs, given.model)
    torch.set_num_threads(1)  # small tiles; the runners of bundles take all cores
    limits = ArtefactLimits().model_dump()
    print(f"| clean pictures (median / 95 % / worst) | {' | '.join(limits)} | verdict |")
    print("|---" * (len(limits) + 2) + "|")
    print(f"| limit | {' | '.join(f'{limit:g}' for limit in limits.values())} | |")
    for name, pictures in {"bilinear": references, **clean}.items():
        numbers = [artefacts_of(*both) for both in zip(pictures, references, strict=True)]
        cells = [spread_of([row[check] for row in numbers]) for check in limits]
        print(f"| {name} | {' | '.join(cells)} | {artefact_report(numbers)['verdict']} |")
    print(f"\n| spoilt by | looked at | found in {' | found in '.join(clean)} |")
    print("|---" * (len(clean) + 2) + "|")
    for name, (check, spoil) in SPOILS.items():
        shares = [share_found(pictures, references, check, spoil) for pictures in clean.values()]
        print(f"| {name} | {check} | {' | '.join(f'{share:.0%}' for share in shares)} |")


def clean_pictures(pairs: Pairs, models: list[str]) -> dict[str, list[Picture]]:
    """Pictures that should pass, by where they come from."""
    clean = {
        "true photo": [upright(pair.photo, pair.raw.flip) for pair in pairs],
        "Malvar": [render_image(pair.raw, "malvar") for pair in pairs],
    }
    for model in models:
        runner = load_runner(model)
        clean[Path(model).stem] = [develop(runner, pair.raw) for pair in pairs]
    return clean


def spread_of(values: list[float | None]) -> str:
    """Median, 95th percentile and worst."""
    known = [value for value in values if value is not None]
    return " / ".join(f"{np.quantile(known, at):.2f}" for at in (0.5, 0.95, 1.0)) if known else "-"


def share_found(pictures: list[Picture], references: list[Picture], check: str, spoil: Spoil) -> float:
    """The share of spoilt pictures over the limit."""
    generator, limit = np.random.default_rng(0), getattr(ArtefactLimits(), check)
    found = [
        NUMBER[check](spoil(*both), reference)
        for *both, reference in zip(pictures, repeat(generator), references, strict=False)
    ]
    return float(np.mean([value is not None and value > limit for value in found]))


def lattice(pattern: list[list[float]], levels: float, channels: tuple[int, int, int] = (1, 1, 1)) -> Spoil:
    """Adds a repeated pattern."""

    def spoil(picture: Picture, _: np.random.Generator) -> Picture:
        height, width = picture.shape[:2]
        tile = np.asarray(pattern) * levels
        added = np.tile(tile, (height // len(tile) + 1, width // len(tile) + 1))[:height, :width, None] * channels
        return np.clip(np.round(picture + added), 0, 255).astype(np.uint8)

    return spoil


def blotches(lab: float, size: int) -> Spoil:
    """Adds smooth random a and b of that root mean square, varying over `size` pixels."""

    def spoil(picture: Picture, generator: np.random.Generator) -> Picture:
        height, width = picture.shape[:2]
        coarse = torch.from_numpy(generator.normal(size=(1, 2, height // size + 3, width // size + 3))).float()
        field = functional.interpolate(coarse, scale_factor=size, mode="bicubic")[0, :, size:, size:][
            :, :height, :width
        ]
        changed = srgb_to_lab(torch.tensor(picture).permute(2, 0, 1)[None] / 255)
        changed[0, 1:] += field * lab / field.square().sum(0).mean().sqrt()
        return (lab_to_srgb(changed)[0] * 255).round().byte().permute(1, 2, 0).numpy()

    return spoil


def lab_to_srgb(lab: torch.Tensor) -> torch.Tensor:
    """The inverse of `srgb_to_lab`, clipped to 0..1."""
    light, a, b = lab.unbind(1)
    middle = (light + 16) / 116
    f = torch.stack((middle + a / 500, middle, middle - b / 200), 1)
    relative = torch.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2)
    xyz = relative * torch.tensor(LAB_TO_XYZ_WHITE)[:, None, None]
    return encode_srgb(torch.einsum("ij,bjhw->bihw", torch.tensor(XYZ_TO_SRGB), xyz).clamp(0, 1))


def shifted(down: int, right: int) -> Spoil:
    """Moves the picture."""
    return lambda picture, _: np.roll(picture, (down, right), (0, 1))


def scaled(factor: float) -> Spoil:
    """Enlarges the picture about its center and cuts it to its size."""

    def spoil(picture: Picture, _: np.random.Generator) -> Picture:
        height, width = picture.shape[:2]
        left, top = (width - width / factor) / 2, (height - height / factor) / 2
        box = (left, top, width - left, height - top)
        return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box))

    return spoil


def flat(picture: Picture, _: np.random.Generator) -> Picture:
    """Kills the blue channel."""
    return np.concatenate((picture[:, :, :2], np.full_like(picture[:, :, 2:], 128)), 2)


def clipped(picture: Picture, _: np.random.Generator) -> Picture:
    """Five times the contrast."""
    return np.clip((picture.astype(np.float64) - 128) * 5 + 128, 0, 255).astype(np.uint8)


CHECKERBOARD = [[1.0, -1.0], [-1.0, 1.0]]
COLUMNS = [[1.0, -1.0], [1.0, -1.0]]
SQUARES = [[1.0, 1, -1, -1], [1, 1, -1, -1], [-1, -1, 1, 1], [-1, -1, 1, 1]]

NUMBER: dict[str, Callable[[Picture, Picture], float | None]] = {
    "checkerboard": lambda picture, reference: lattice_levels(picture, reference, 2),
    "lattice": lambda picture, reference: lattice_levels(picture, reference, 4),
    "blotches": blotch_lab,
    "shift": lambda picture, reference: (displacement(picture, reference) or (None, None))[0],
    "distortion": lambda picture, reference: (displacement(picture, reference) or (None, None))[1],
    "flat_channels": flat_channels,
    "clipped": needlessly_clipped,
}

SPOILS: dict[str, tuple[str, Spoil]] = {
    "checkerboard, +-2 levels": ("checkerboard", lattice(CHECKERBOARD, 2)),
    "checkerboard in green only, +-2 levels": ("checkerboard", lattice(CHECKERBOARD, 2, (0, 1, 0))),
    "columns, +-2 levels": ("checkerboard", lattice(COLUMNS, 2)),
    "squares of 2 pixels, +-2 levels": ("lattice", lattice(SQUARES, 2)),
    "blotches of 16 pixels, 3 Lab units RMS": ("blotches", blotches(3, 16)),
    "blotches of 32 pixels, 3 Lab units RMS": ("blotches", blotches(3, 32)),
    "blotches of 64 pixels, 3 Lab units RMS": ("blotches", blotches(3, 64)),
    "shift by 1 pixel": ("shift", shifted(0, 1)),
    "enlarged by 2 %": ("distortion", scaled(1.02)),
    "a flat channel": ("flat_channels", flat),
    "five times the contrast": ("clipped", clipped),
}

if __name__ == "__main__":
    main()
