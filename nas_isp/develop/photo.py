"""One RAW photo developed into a picture file, and beside it the same photo without any network."""

from dataclasses import dataclass
from pathlib import Path

from nas_isp.develop.picture import SOFTWARE, level_of, save_picture
from nas_isp.develop.pipeline import develop_as
from nas_isp.develop.shading import shading_for, told_otherwise
from nas_isp.errors import InputError
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.raw.camera_files import CAMERA_SUFFIXES
from nas_isp.raw.image import RawImage
from nas_isp.raw.light import LightChoice
from nas_isp.raw.readers import read_raw
from nas_isp.raw.sensor import SensorDescription
from nas_isp.runtimes.base import Runner

SMALLEST_TILE = 2


@dataclass(frozen=True)
class DevelopSettings:
    """How photos are developed.

    Attributes:
        tile: side of a tile in RGB pixels; None takes 1024, or more for a model that sees far.
        adapt: bring RAW of another sensor to the model's.
        light: which light is neutral in a capture, see `raw.light`; None as in training.
        shading: apply the gain maps that a file brings against lens shading; None does as the model's training did.

    Raises:
        InputError: a tile that is too small.
    """

    tile: int | None = None
    adapt: bool = True
    light: LightChoice | None = None
    shading: bool | None = None

    def __post_init__(self) -> None:
        if self.tile is not None and self.tile < SMALLEST_TILE:
            raise InputError(f"tile {self.tile}: give RGB pixels a side, from {SMALLEST_TILE}, or none", "tile")


def develop_file(
    runner: Runner,
    photo: Path,
    output: Path,
    sensor: SensorDescription | None = None,
    settings: DevelopSettings | None = None,
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> RawImage:
    """Develop a RAW file into a picture file; gives the RAW that was read.

    Args:
        runner: the model.
        photo: the RAW file.
        output: its suffix decides the format: 8 bits a value, 16 for TIFF.
        sensor: description of a bare mosaic; None takes the one beside it.
        settings: how.
        note: told what is done to the mosaic and to the colors, and what the file asks for and is not done.
        progress: told how far it is.

    Raises:
        InputError: RAW that cannot be read or developed, or a picture that cannot be written.
    """
    how, level = settings or DevelopSettings(), level_of(output)
    shading = shading_for(runner.sensor, how.shading)
    raw = read_raw(photo, sensor, shading)
    otherwise = told_otherwise(runner.sensor, shading, raw)
    for line in (*raw.applied, *raw.left, *([otherwise] if otherwise else [])):
        note(f"{photo}: {line}")
    picture = develop_as(level, runner, raw, how.tile, progress, adapt=how.adapt, light=how.light, note=note)
    progress(0, None, "saving")
    save_picture(output, picture, raw.capture)
    return raw


def save_classical(raw: RawImage, output: Path) -> str:
    """Save LibRaw's rendering of a camera file, our own of a bare mosaic, which LibRaw cannot read; says whose it is.

    Raises:
        InputError: RAW that LibRaw does not render, or a picture that cannot be written.
    """
    if Path(raw.source).suffix.lower() in CAMERA_SUFFIXES:
        from nas_isp.raw.libraw_rendering import libraw_name, render_by_libraw

        software = libraw_name()
        save_picture(output, render_by_libraw(level_of(output), raw), raw.capture, software)
    else:
        from nas_isp.raw.classical import render_image

        software = f"{SOFTWARE}, classical"
        save_picture(output, render_image(raw), raw.capture, software)
    return software
