"""Makes the demo set that ships in `nas_isp/data/demo`: the same files every time.

    python tools/make_demo_set.py [FOLDER] [--sheet SHEET.jpg]

Every picture is a scene of `demo_world` with its own seed, rendered as a finished photo. Scenes of `rgb/` stay photos,
those of `raw/` are run backwards into RAW and their photos thrown away, those of `val/` keep both. A file's name is
kind and seed of its scene, so no scene is in two folders.
"""

import argparse
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from demo_world import closeups, outdoors, people
from demo_world.canvas import Array, Canvas
from demo_world.finish import photograph
from PIL import Image

from nas_isp.raw.classical import render_image
from nas_isp.raw.synthesis import SyntheticCamera, synthesize_raw

FOLDER = Path(__file__).resolve().parent.parent / "nas_isp" / "data" / "demo"
KINDS: dict[str, Callable[[Canvas], None]] = {
    "hills": outdoors.hills,
    "table": closeups.table,
    "houses": outdoors.houses,
    "foliage": closeups.foliage,
    "people": people.crowd,
    "shore": outdoors.shore,
    "books": closeups.books,
    "fruit": closeups.fruit,
    "night": outdoors.night,
    "cloth": closeups.cloth,
    "flower": closeups.flower,
    "pebbles": closeups.pebbles,
}
CAMERA = SyntheticCamera(
    name="demo camera",
    cool_share=(0.7, 1.0),
    red_gain=(1.9, 2.3),
    blue_gain=(1.4, 1.7),
    tone_strength=(0.75, 0.9),
    exposure=(0.7, 0.95),
    vignetting=(0.0, 0.12),
    shot_noise=(2e-4, 1e-3),
    read_noise=(1e-6, 1e-5),
)
RAW_SIDE, PHOTO_SIDE = 192, 256


@dataclass(frozen=True)
class Scene:
    """One picture to make: its folder, its kind and seed, and its side in pixels."""

    folder: str
    kind: str
    seed: int
    side: int

    @property
    def stem(self) -> str:
        """Name of its files, without suffix."""
        return f"{self.kind}-{self.seed}"


def plan() -> list[Scene]:
    """All scenes of the set; seeds 1000.. are RAW, 2000.. photos, 3000.. pairs, and no two are equal."""
    kinds = list(KINDS)
    raw = [Scene("raw", kinds[n % 12], 1000 + n, RAW_SIDE) for n in range(24)]
    photos = [Scene("rgb", kinds[n % 12], 2000 + n, PHOTO_SIDE) for n in range(40)]
    pairs = [Scene("val", kinds[n], 3000 + n, RAW_SIDE) for n in range(8)]
    return raw + photos + pairs


def photo_of(scene: Scene) -> Array:
    """The finished photo, sRGB float32 `(side, side, 3)` in 0..1."""
    canvas = Canvas(scene.side, np.random.default_rng(scene.seed))
    KINDS[scene.kind](canvas)
    return photograph(canvas, night=scene.kind == "night")


def files_of(scene: Scene) -> Iterator[tuple[str, bytes, Array]]:
    """Path inside the set, content, and a viewable picture (float 0..1) of each file of a scene."""
    photo = photo_of(scene)
    if scene.folder == "rgb":
        yield f"rgb/{scene.stem}.jpg", jpeg(photo, 90, "4:2:0"), photo
        return
    raw = synthesize_raw(photo, np.random.default_rng([scene.seed, 1]), CAMERA)
    folder = "raw" if scene.folder == "raw" else "val/raw"
    yield f"{folder}/{scene.stem}.png", png(raw.mosaic), (render_image(raw) / 255).astype(np.float32)
    if scene.folder == "val":
        yield f"val/rgb/{scene.stem}.jpg", jpeg(photo, 95, "4:4:4"), photo


def jpeg(photo: Array, quality: int, subsampling: str) -> bytes:
    """A JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(to_bytes(photo)).save(buffer, "JPEG", quality=quality, subsampling=subsampling, optimize=True)
    return buffer.getvalue()


def png(mosaic: np.ndarray) -> bytes:
    """A 16-bit grayscale PNG."""
    buffer = io.BytesIO()
    Image.fromarray(mosaic).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def to_bytes(photo: Array) -> np.ndarray:
    """Float 0..1 as uint8, rounded."""
    return np.rint(np.clip(photo, 0, 1) * 255).astype(np.uint8)


def sheet(pictures: list[Array], columns: int, side: int) -> Image.Image:
    """A contact sheet of pictures reduced to `side`."""
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * side, rows * side), "white")
    for number, picture in enumerate(pictures):
        small = Image.fromarray(to_bytes(picture)).resize((side, side), Image.Resampling.LANCZOS)
        whole.paste(small, (number % columns * side, number // columns * side))
    return whole


def main() -> None:
    """Write the set, and the contact sheet if asked for: photos, then developed RAW, then pairs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet")
    arguments = parser.parse_args()
    shown: dict[str, list[Array]] = {"rgb": [], "raw": [], "val": []}
    total = 0
    for number, scene in enumerate(plan()):
        for name, content, picture in files_of(scene):
            target = arguments.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            shown[scene.folder].append(picture)
            total += len(content)
        print(f"{number + 1}/{len(plan())} {scene.folder} {scene.stem}", file=sys.stderr)
    for folder in ("raw", "val/raw"):
        description = CAMERA.sensor().model_dump_json(indent=2, exclude_none=True) + "\n"
        (arguments.folder / folder / "sensor.json").write_text(description, encoding="utf-8")
    print(f"{total} bytes in {arguments.folder}")
    if arguments.sheet:
        pictures = shown["rgb"] + shown["raw"] + shown["val"]
        sheet(pictures, 10, 84).save(arguments.sheet, "JPEG", quality=72, optimize=True)


if __name__ == "__main__":
    main()
