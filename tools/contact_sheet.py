"""Puts RAW files of many kinds, developed by one model, on a contact sheet.

Run: python tools/contact_sheet.py MODEL FILE... -o sheet.jpg
Each row is one file: the model on its samples as they are (--no-adapt), the model as `develop` runs it, and a
classical rendering (LibRaw's for camera files, our own for bare mosaics). The line above says the file, its phase, and
what was done to bring it to the model's sensor. A file that cannot be developed gets a row with the reason.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from nas_isp.develop.pipeline import develop
from nas_isp.errors import InputError
from nas_isp.raw.camera_files import CAMERA_SUFFIXES
from nas_isp.raw.classical import render_image
from nas_isp.raw.libraw_rendering import render_by_libraw
from nas_isp.raw.readers import read_raw
from nas_isp.runtimes.base import Runner
from nas_isp.runtimes.load import load_developer

CELL_WIDTH, CELL_HEIGHT, LINE, GAP = 260, 180, 16, 4
JPEG_QUALITY = 72
LONGEST_LINE = 128


def main() -> None:
    """Develop every file and save the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--columns", type=int, default=2, help="rows side by side")
    settings = parser.parse_args()
    runner = load_developer(settings.model)
    rows = [_row(runner, file) for file in settings.files]
    width, height = rows[0].width + 2 * GAP, rows[0].height + GAP
    lines = -(-len(rows) // settings.columns)
    sheet = Image.new("RGB", (settings.columns * width, lines * height), "white")
    for index, row in enumerate(rows):
        sheet.paste(row, ((index // lines) * width + GAP, (index % lines) * height))
    sheet.save(settings.output, quality=JPEG_QUALITY)


def _row(runner: Runner, file: Path) -> Image.Image:
    row = Image.new("RGB", (3 * CELL_WIDTH + 2 * GAP, LINE + CELL_HEIGHT), "white")
    notes: list[str] = []
    try:
        raw = read_raw(file)
        pictures = [develop(runner, raw, adapt=False), develop(runner, raw, note=notes.append)]
        is_camera_file = file.suffix.lower() in CAMERA_SUFFIXES
        pictures.append(render_by_libraw(np.uint8, raw) if is_camera_file else render_image(raw, auto_exposure=True))
        match = notes[0].partition("brought there by ")[2].partition(", --")[0] if notes else "own sensor"
        facts = [raw.cfa, match or "colors unknown"]
        for index, picture in enumerate(pictures):
            row.paste(_fitted(picture), (index * (CELL_WIDTH + GAP), LINE))
    except InputError as error:
        facts = [str(error).partition(": ")[2]]
    text = f"{file.parent.name}/{file.name}: {', '.join(facts)}"
    ImageDraw.Draw(row).text((0, 2), text[:LONGEST_LINE], fill="black")
    return row


def _fitted(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture)
    image.thumbnail((CELL_WIDTH, CELL_HEIGHT), Image.Resampling.LANCZOS)
    return image


if __name__ == "__main__":
    main()
