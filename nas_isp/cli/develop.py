"""`nas-isp develop`: RAW photos to pictures with any model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nas_isp.cli.common import progress_bar, say, with_options
from nas_isp.cli.options import AdaptOption, LightOption, ModelShadingOption, SensorOption
from nas_isp.errors import InputError

if TYPE_CHECKING:
    from nas_isp.develop.photo import DevelopSettings
    from nas_isp.develop.plan import PlannedPicture
    from nas_isp.raw.sensor import SensorDescription
    from nas_isp.runtimes.base import Runner


PhotosArgument = Annotated[list[Path], typer.Argument(help="RAW photos, or folders of them.", metavar="PHOTO...")]
OutputOption = Annotated[
    Path, typer.Option("-o", "--output", help="A .png, .jpg or (16 bits) .tiff file for one photo, else a folder.")
]
PictureOption = Annotated[
    Literal["png", "jpg", "tiff"] | None,
    typer.Option("--format", help="Of the pictures in a folder; png unless it is given."),
]
TileOption = Annotated[
    int | None,
    typer.Option(min=2, help="Side of a tile in pixels; any from the model's least on gives the same picture."),
]
CompareOption = Annotated[
    bool, typer.Option("--compare", help="Also write NAME_classical: by LibRaw, for bare mosaics by nas-isp.")
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("develop")(develop)


def develop(
    model: Annotated[str, typer.Argument(help="A bundle, a .tflite or an .onnx file, or STUDY:TRIAL, or STUDY:knee.")],
    photos: PhotosArgument,
    output: OutputOption,
    format: PictureOption = None,
    sensor: SensorOption = None,
    tile: TileOption = None,
    adapt: AdaptOption = True,
    light: LightOption = None,
    compare: CompareOption = False,
    shading: ModelShadingOption = None,
) -> None:
    """Develop full-size RAW photos; prints the pictures written."""
    from nas_isp.develop.photo import DevelopSettings
    from nas_isp.develop.plan import plan_pictures
    from nas_isp.raw.light import parse_light
    from nas_isp.raw.readers import load_sensor
    from nas_isp.search.models import load_runner

    settings = DevelopSettings(tile, adapt, None if light is None else parse_light(light), shading)
    plan = plan_pictures(photos, output, format, compare)
    for description in plan.left_out:
        say(f"{description}: describes a sensor and is no photo; left out")
    described, runner = load_sensor(sensor) if sensor else None, load_runner(model)
    plan.make_room()
    for reason in plan.refused:
        say(f"nas-isp: {with_options(reason)}")
    given, broken = len(plan.pictures) + len(plan.refused), len(plan.refused)
    for picture in plan.pictures:
        try:
            _develop_one(runner, picture, described, settings)
        except InputError as error:
            if given == 1:
                raise
            say(f"nas-isp: {with_options(error)}")
            broken += 1
    if broken:
        raise InputError(f"{broken} of {given} photos could not be developed; the reasons are above")


def _develop_one(
    runner: "Runner", picture: "PlannedPicture", sensor: "SensorDescription | None", settings: "DevelopSettings"
) -> None:
    from nas_isp.develop.photo import develop_file, save_classical

    with progress_bar(picture.photo.name) as report:
        raw = develop_file(runner, picture.photo, picture.output, sensor, settings, say, report)
    print(picture.output, flush=True)
    if picture.classical is not None:
        say(f"{picture.classical}: rendered by {save_classical(raw, picture.classical)}")
        print(picture.classical, flush=True)
