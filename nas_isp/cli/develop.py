"""`nas-isp develop`: RAW photos to pictures with any model."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_isp.cli.common import progress_bar, say
from nas_isp.errors import InputError

if TYPE_CHECKING:
    from nas_isp.export.runners import Runner
    from nas_isp.raw.sensor import SensorDescription

PICTURE_SUFFIX = ".png"


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def develop(
        model: Annotated[
            str, typer.Argument(help="A bundle, a .tflite or an .onnx file, or STUDY:TRIAL, or STUDY:knee.")
        ],
        photos: Annotated[list[Path], typer.Argument(help="RAW photos, or folders of them.", metavar="PHOTO...")],
        out: Annotated[Path, typer.Option("-o", "--out", help="A .png or .jpg file for one photo, else a folder.")],
        sensor: Annotated[str | None, typer.Option(help="Sensor of bare mosaics: a name or FILE.json.")] = None,
        tile: Annotated[
            int | None, typer.Option(min=2, help="Side of a tile in pixels; any gives the same picture.")
        ] = None,
        adapt: Annotated[
            bool, typer.Option("--adapt/--no-adapt", help="Bring RAW of another sensor to the model's; says so.")
        ] = True,
        compare: Annotated[
            bool, typer.Option("--compare", help="Also write NAME_classical, developed without a network.")
        ] = False,
    ) -> None:
        """Develop full-size RAW photos; prints the pictures written."""
        files = _expanded(photos)
        targets = _targets(files, out)
        _refuse_overwriting(files, [*targets, *map(_classical, targets)] if compare else targets)

        from nas_isp.cli.models import model_runner
        from nas_isp.raw.readers import load_sensor

        description = load_sensor(sensor) if sensor else None
        runner = model_runner(model)
        broken = 0
        for file, target in zip(files, targets, strict=True):
            try:
                _develop_one(runner, file, target, description, tile, adapt, compare)
            except InputError as error:
                if len(files) == 1:
                    raise
                say(f"nas-isp: {error}")
                broken += 1
        if broken:
            raise InputError(f"{broken} of {len(files)} photos could not be developed; the reasons are above")


def _expanded(photos: Sequence[Path]) -> list[Path]:
    from nas_isp.raw.readers import list_raw_files

    return [file for photo in photos for file in (list_raw_files(photo) if photo.is_dir() else [photo])]


def _targets(files: Sequence[Path], out: Path) -> list[Path]:
    """Where each photo's picture goes; a folder is made if need be."""
    from nas_isp.export.picture import PICTURE_SUFFIXES, check_picture_name

    if len(files) == 1 and not out.is_dir() and out.suffix:
        check_picture_name(out)
        return [out]
    if out.suffix.lower() in PICTURE_SUFFIXES and not out.is_dir():
        raise InputError(f"{out}: one picture file for {len(files)} photos; give a folder to -o")
    twice = [name for name, count in Counter(file.stem for file in files).items() if count > 1]
    if twice:
        raise InputError(f"two photos are named '{twice[0]}': their pictures would overwrite each other; develop apart")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror}); give a writable folder") from error
    return [out / f"{file.stem}{PICTURE_SUFFIX}" for file in files]


def _refuse_overwriting(files: Sequence[Path], written: Sequence[Path]) -> None:
    photos = {file.resolve() for file in files}
    for path in written:
        if path.resolve() in photos:
            raise InputError(f"{path}: is one of the RAW photos and would be overwritten; give another place to -o")


def _classical(target: Path) -> Path:
    return target.with_name(f"{target.stem}_classical{target.suffix}")


def _develop_one(
    runner: "Runner",
    photo: Path,
    target: Path,
    sensor: "SensorDescription | None",
    tile: int | None,
    adapt: bool,
    compare: bool,
) -> None:
    from nas_isp.export.develop import develop
    from nas_isp.export.picture import save_picture
    from nas_isp.raw.readers import read_raw

    with progress_bar(photo.name) as report:
        raw = read_raw(photo, sensor)
        save_picture(target, develop(runner, raw, tile, report, adapt, say))
    print(target, flush=True)
    if compare:
        from nas_isp.raw.classical import render_image

        classical = _classical(target)
        save_picture(classical, render_image(raw))
        print(classical, flush=True)
