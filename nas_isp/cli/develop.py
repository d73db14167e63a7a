"""`nas-isp develop`: RAW photos to pictures with any model."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import progress_bar, say
from nas_isp.errors import InputError
from nas_isp.files import make_folder

if TYPE_CHECKING:
    from nas_isp.raw.image import RawImage
    from nas_isp.raw.sensor import SensorDescription
    from nas_isp.runtimes.base import Runner


class PictureFormat(StrEnum):
    """Formats of pictures in a folder."""

    PNG = "png"
    JPEG = "jpg"
    TIFF = "tiff"


@dataclass(frozen=True)
class _Job:
    """How every photo of a call is developed."""

    runner: "Runner"
    sensor: "SensorDescription | None"
    tile: int | None
    adapt: bool
    balance: bool
    compare: bool


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def develop(
        model: Annotated[
            str, typer.Argument(help="A bundle, a .tflite or an .onnx file, or STUDY:TRIAL, or STUDY:knee.")
        ],
        photos: Annotated[list[Path], typer.Argument(help="RAW photos, or folders of them.", metavar="PHOTO...")],
        out: Annotated[
            Path, typer.Option("-o", "--out", help="A .png, .jpg or (16 bits) .tiff file for one photo, else a folder.")
        ],
        format: Annotated[
            PictureFormat | None, typer.Option(help="Of the pictures in a folder; png unless it is given.")
        ] = None,
        sensor: Annotated[str | None, typer.Option(help="Sensor of bare mosaics: a name or FILE.json.")] = None,
        tile: Annotated[
            int | None,
            typer.Option(min=2, help="Side of a tile in pixels; any from the model's least on gives the same picture."),
        ] = None,
        adapt: Annotated[
            bool, typer.Option("--adapt/--no-adapt", help="Bring RAW of another sensor to the model's; says so.")
        ] = True,
        balance: Annotated[
            bool,
            typer.Option(
                "--balance", help="Also of the model's own sensor: bring its light to the model's neutral one."
            ),
        ] = False,
        compare: Annotated[
            bool, typer.Option("--compare", help="Also write NAME_classical: by LibRaw, for bare mosaics by nas-isp.")
        ] = False,
    ) -> None:
        """Develop full-size RAW photos; prints the pictures written."""
        if balance and not adapt:
            raise InputError("--balance changes colors and --no-adapt leaves them; give one of the two")
        files, refused = _expanded(photos)
        targets = _targets(files, out, format)
        written = [*targets, *map(_classical, targets)] if compare else targets
        _refuse_overwriting(files, written)

        from nas_isp.cli.datasets import check_output
        from nas_isp.cli.models import model_runner
        from nas_isp.raw.readers import load_sensor

        description = load_sensor(sensor) if sensor else None
        job = _Job(model_runner(model), description, tile, adapt, balance, compare)
        make_folder(targets[0].parent)
        for path in written:
            check_output(path)
        for reason in refused:
            say(f"nas-isp: {reason}")
        given, broken = len(files) + len(refused), len(refused)
        for file, target in zip(files, targets, strict=True):
            try:
                _develop_one(job, file, target)
            except InputError as error:
                if given == 1:
                    raise
                say(f"nas-isp: {error}")
                broken += 1
        if broken:
            raise InputError(f"{broken} of {given} photos could not be developed; the reasons are above")


def _expanded(photos: Sequence[Path]) -> tuple[list[Path], list[InputError]]:
    """The RAW files that are meant, and why some of what was given is none; a shell also gives descriptions of sensors.

    Raises:
        InputError: there is no RAW file among them.
    """
    from nas_isp.raw.readers import SENSOR_FILE, raw_files_of

    files: list[Path] = []
    refused: list[InputError] = []
    for photo in photos:
        if photo.name == SENSOR_FILE and len(photos) > 1:
            say(f"{photo}: describes a sensor and is no photo; left out")
            continue
        try:
            files += raw_files_of(photo)
        except InputError as error:
            refused.append(error)
    if not files:
        more = f" (and {len(refused) - 1} more that cannot be developed)" if len(refused) > 1 else ""
        raise InputError(f"{refused[0]}{more}" if refused else "no RAW photo among the files; give some")
    return files, refused


def _targets(files: Sequence[Path], out: Path, format: PictureFormat | None) -> list[Path]:
    """Where each photo's picture goes."""
    from nas_isp.develop.picture import FORMATS, check_picture_name

    if len(files) == 1 and not out.is_dir() and out.suffix:
        check_picture_name(out)
        if format is not None and FORMATS[out.suffix.lower()] != FORMATS[f".{format.value}"]:
            raise InputError(f"-o {out} and --format {format.value} contradict each other; leave out --format")
        return [out]
    if out.suffix.lower() in FORMATS and not out.is_dir():
        raise InputError(f"{out}: one picture file for {len(files)} photos; give a folder to -o")
    return [out / f"{file.stem}.{(format or PictureFormat.PNG).value}" for file in files]


def _refuse_overwriting(files: Sequence[Path], written: Sequence[Path]) -> None:
    """One picture over another, or over one of the photos; `written` are the pictures of all files, once or twice."""
    sources: dict[Path, Path] = {}
    for file, path in zip(cycle(files), written, strict=False):
        if path in sources:
            raise InputError(
                f"two pictures would be named '{path.name}', one over the other: of {sources[path]} and of {file}; "
                "develop the photos apart"
            )
        sources[path] = file
    photos = {file.resolve() for file in files}
    for path in written:
        if path.resolve() in photos:
            raise InputError(f"{path}: is one of the RAW photos and would be overwritten; give another place to -o")


def _classical(target: Path) -> Path:
    return target.with_name(f"{target.stem}_classical{target.suffix}")


def _develop_one(job: _Job, photo: Path, target: Path) -> None:
    from nas_isp.develop.picture import level_of, save_picture
    from nas_isp.develop.pipeline import develop_as
    from nas_isp.raw.readers import read_raw

    with progress_bar(photo.name) as report:
        raw = read_raw(photo, job.sensor)
        picture = develop_as(
            level_of(target), job.runner, raw, job.tile, report, adapt=job.adapt, balance=job.balance, note=say
        )
        report(0, None, "saving")
        save_picture(target, picture, raw.capture)
    print(target, flush=True)
    if job.compare:
        _save_classical(raw, _classical(target))


def _save_classical(raw: "RawImage", target: Path) -> None:
    """LibRaw's rendering of a camera file, our own of a bare mosaic, which LibRaw cannot read."""
    from nas_isp.develop.picture import SOFTWARE, level_of, save_picture
    from nas_isp.raw.camera_files import CAMERA_SUFFIXES

    if Path(raw.source).suffix.lower() in CAMERA_SUFFIXES:
        from nas_isp.raw.libraw_rendering import libraw_name, render_by_libraw

        software = libraw_name()
        save_picture(target, render_by_libraw(level_of(target), raw), raw.capture, software)
    else:
        from nas_isp.raw.classical import render_image

        software = f"{SOFTWARE}, classical"
        save_picture(target, render_image(raw), raw.capture, software)
    say(f"{target}: rendered by {software}")
    print(target, flush=True)
