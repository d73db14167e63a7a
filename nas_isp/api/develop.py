"""`develop_photo`: a full-size RAW photo to a picture with any model."""

from pathlib import Path
from typing import TYPE_CHECKING

from nas_isp.arguments import PATH, TEXT, WHOLE, YES_NO, checked_arguments
from nas_isp.develop.photo import DevelopSettings, develop_file, save_classical
from nas_isp.develop.plan import plan_pictures
from nas_isp.errors import InputError
from nas_isp.files import AnyPath
from nas_isp.progress import Note, ReportsProgress, unheard, unseen
from nas_isp.raw.light import parse_light
from nas_isp.raw.readers import load_sensor
from nas_isp.runtimes.base import Runner
from nas_isp.search.models import load_runner

if TYPE_CHECKING:
    from nas_isp.generators.bundle import Bundle


@checked_arguments(
    **dict.fromkeys(("photo", "output"), PATH),
    **dict.fromkeys(("adapt", "balance", "compare", "shading"), YES_NO),
    sensor=TEXT,
    tile=WHOLE,
)
def develop_photo(
    model: "AnyPath | Bundle | Runner",
    photo: AnyPath,
    output: AnyPath,
    *,
    sensor: str | None = None,
    tile: int | None = None,
    adapt: bool = True,
    light: str | None = None,
    compare: bool = False,
    shading: bool | None = None,
    note: Note = unheard,
    progress: ReportsProgress = unseen,
) -> list[Path]:
    """Develop a full-size RAW photo into an sRGB picture, cropped and turned as the camera means it.

    Args:
        model: a bundle's, a .tflite or an .onnx file, STUDY:TRIAL, STUDY:knee, or a bundle or runner.
        photo: the RAW file.
        output: a .png, .jpg or (16 bits) .tiff file, or a folder, which gets a PNG of the photo's name.
        sensor: of a bare mosaic: a known name or a JSON file; None takes the description beside it.
        tile: side of a tile in pixels; any from the model's least on gives the same picture.
        adapt: bring RAW of another sensor to the model's.
        light: which light is neutral in the photo: as-shot (its file's, else estimated), estimated, fixed (that of the
            model's captures), or gains R,G,B; None as in training.
        compare: also write NAME_classical, rendered by LibRaw, or of a bare mosaic by nas_isp.
        shading: apply the gain maps that the file brings against lens shading; None does as the model's training did.
        note: told what is done to the mosaic and the colors, and who rendered.
        progress: told how far it is.

    Returns:
        The pictures written.

    Raises:
        InputError: a model or RAW that cannot be used, or a picture that cannot be written.
    """
    settings = DevelopSettings(tile, adapt, None if light is None else parse_light(light), shading)
    plan = plan_pictures([Path(photo)], Path(output), compare=compare)
    if len(plan.pictures) > 1:
        raise InputError(f"{photo}: a folder of {len(plan.pictures)} photos; give one of them", "photo")
    described, runner = load_sensor(sensor) if sensor else None, load_runner(model)
    plan.make_room()
    picture = plan.pictures[0]
    raw = develop_file(runner, picture.photo, picture.output, described, settings, note, progress)
    if picture.classical is not None:
        note(f"{picture.classical}: rendered by {save_classical(raw, picture.classical)}")
    return picture.files
