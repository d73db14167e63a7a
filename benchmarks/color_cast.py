"""Measures the color cast of one model on RAW of other sensors, as they come and brought to its own.

Run: python benchmarks/color_cast.py MODEL CAMERA_FILE...
Prints one JSON object: for each file the distance in Lab's a and b between the mean color of the developed picture and
that of LibRaw's rendering with the file's own white balance (AHD): unadapted, and as `develop` does it.
Both pictures are first brought to one mean luminance in linear light, because LibRaw chooses its brightness by itself.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nas_isp.develop.pipeline import develop
from nas_isp.evaluation.color import srgb_to_lab
from nas_isp.raw.classical import decode_srgb, encode_srgb
from nas_isp.raw.libraw_rendering import render_by_libraw
from nas_isp.raw.readers import read_raw
from nas_isp.runtimes.load import load_developer

LUMINANCE = torch.tensor([0.2126, 0.7152, 0.0722])
MEAN_LUMINANCE = 0.18
WAYS = {"unadapted": {"adapt": False}, "develop": {}}


def main() -> None:
    """Develop each file in every way and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    settings = parser.parse_args()
    runner = load_developer(settings.model)
    rows = {}
    for file in settings.files:
        raw = read_raw(file)
        wanted = _mean_chroma(render_by_libraw(np.uint8, raw))
        casts = {name: _mean_chroma(develop(runner, raw, **how)) - wanted for name, how in WAYS.items()}
        rows[file.name] = {name: round(float(np.linalg.norm(cast)), 1) for name, cast in casts.items()}
    print(json.dumps(rows, indent=2))


def _mean_chroma(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Lab's a and b of the mean linear color at one luminance."""
    pixels = torch.from_numpy(picture[::2, ::2].astype(np.float32) / 255)
    mean = decode_srgb(pixels).mean(dim=(0, 1))
    color = encode_srgb((mean * MEAN_LUMINANCE / (mean @ LUMINANCE)).clamp(0, 1))
    lab = srgb_to_lab(color[None, :, None, None])
    return lab[0, 1:, 0, 0].double().numpy()


if __name__ == "__main__":
    main()
