"""Which photos are developed into which picture files, settled before the first one is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Literal, NamedTuple

from nas_isp.develop.picture import FORMATS, check_picture_name
from nas_isp.errors import InputError
from nas_isp.files import check_output, make_folder
from nas_isp.raw.capture_table import TABLE_FILE
from nas_isp.raw.readers import SENSOR_FILE, raw_files_of

PictureFormat = Literal["png", "jpg", "tiff"]


class PlannedPicture(NamedTuple):
    """A photo, where its picture goes, and where its classical rendering goes, if one is wanted."""

    photo: Path
    output: Path
    classical: Path | None = None

    @property
    def files(self) -> list[Path]:
        """What is written."""
        return [self.output] if self.classical is None else [self.output, self.classical]


@dataclass(frozen=True)
class Plan:
    """The pictures of some photos.

    Attributes:
        pictures: one a photo.
        refused: why some of what was given is no photo.
        left_out: descriptions of sensors, which a shell's pattern gives too.
    """

    pictures: list[PlannedPicture]
    refused: list[InputError]
    left_out: list[Path]

    def make_room(self) -> None:
        """Make the folder of the pictures, and find out whether they can be written.

        Raises:
            InputError: they cannot.
        """
        make_folder(self.pictures[0].output.parent)
        for picture in self.pictures:
            for file in picture.files:
                check_output(file)


def plan_pictures(
    photos: Sequence[Path], output: Path, format: PictureFormat | None = None, compare: bool = False
) -> Plan:
    """Settle what is developed into what.

    Args:
        photos: RAW files, or folders of them.
        output: a picture file for one photo, else a folder.
        format: of the pictures in a folder; None is png.
        compare: also plan NAME_classical beside each picture.

    Raises:
        InputError: no photo among what was given, a file for several photos, or a picture over another or a photo.
    """
    files, refused, left_out = _expanded(photos)
    outputs = _outputs(files, output, format)
    pictures = [
        PlannedPicture(file, target, _classical(target) if compare else None)
        for file, target in zip(files, outputs, strict=True)
    ]
    written = [*outputs, *map(_classical, outputs)] if compare else outputs
    _refuse_overwriting(files, written)
    return Plan(pictures, refused, left_out)


def _expanded(photos: Sequence[Path]) -> tuple[list[Path], list[InputError], list[Path]]:
    """The RAW files that are meant, why some of what was given is none, and the descriptions of sensors among it.

    Raises:
        InputError: there is no RAW file among them.
    """
    files: list[Path] = []
    refused: list[InputError] = []
    left_out: list[Path] = []
    for photo in photos:
        if photo.name in (SENSOR_FILE, TABLE_FILE) and len(photos) > 1:
            left_out.append(photo)
            continue
        try:
            files += raw_files_of(photo)
        except InputError as error:
            refused.append(error)
    if not files:
        more = f" (and {len(refused) - 1} more that cannot be developed)" if len(refused) > 1 else ""
        raise InputError(f"{refused[0]}{more}" if refused else "no RAW photo among the files; give some")
    return files, refused, left_out


def _outputs(files: Sequence[Path], output: Path, format: PictureFormat | None) -> list[Path]:
    """Where each photo's picture goes."""
    if len(files) == 1 and not output.is_dir() and output.suffix:
        check_picture_name(output)
        if format is not None and FORMATS[output.suffix.lower()] != FORMATS[f".{format}"]:
            raise InputError(
                f"output {output} and format {format} contradict each other; leave out the format", "output", "format"
            )
        return [output]
    if output.suffix.lower() in FORMATS and not output.is_dir():
        raise InputError(f"{output}: one picture file for {len(files)} photos; give a folder", "output")
    return [output / f"{file.stem}.{format or 'png'}" for file in files]


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
            raise InputError(f"{path}: is one of the RAW photos and would be overwritten; give another place", "output")


def _classical(output: Path) -> Path:
    return output.with_name(f"{output.stem}_classical{output.suffix}")
