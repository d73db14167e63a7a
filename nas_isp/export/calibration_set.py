"""The RAW pictures that an int8 file's ranges are observed on, and those it is then compared on."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from nas_isp.data.capture_groups import of_group
from nas_isp.data.dataset_folders import find_raw
from nas_isp.data.demo import demo_folders
from nas_isp.data.pixel_sample import spread
from nas_isp.develop.sensor_match import is_same_sensor
from nas_isp.errors import InputError
from nas_isp.export.check_set import SENSOR_INPUT, RealPictures, brighter, real_pictures
from nas_isp.generators.bundle import RAW_FOLDER, Bundle
from nas_isp.raw.groups import CaptureGroup, grouped, sensor_facts
from nas_isp.raw.image import RawHeader
from nas_isp.raw.network_input import NetworkInput
from nas_isp.raw.readers import list_raw_files, read_header
from nas_isp.raw.sensor import SensorDescription
from nas_isp.runtimes.base import Floats
from nas_isp.scratch import scratch_folder

CALIBRATION_FILES = 24
CALIBRATION_SIDE = 128
"""Packed pixels: the middle of each file."""

MOST_LOOKED_AT = 96
"""Files whose headers tell which are of the model's sensor."""


@dataclass(frozen=True)
class RawSource:
    """A folder of RAW.

    Attributes:
        folder: of RAW files, or a data set with such a folder; see `layouts.find_raw`. None takes the demo set.
        name: what a report calls it.
        sensor: description of bare mosaics; None takes the one beside them.
        group: take the captures of one sensor only: its number or a part of its name; see `raw.groups.chosen`.
        model: sensor of the model. Without `group`, captures of its sensor alone are taken where a folder has others.
    """

    folder: Path | None
    name: str
    sensor: SensorDescription | None = None
    group: str | None = None
    model: SensorDescription | None = None

    def to_calibrate_on(self, network_input: NetworkInput = SENSOR_INPUT) -> RealPictures:
        """Pictures to observe ranges on: `CALIBRATION_FILES` at most; a quarter of the files is left to compare on."""
        with self._opened() as files:
            limit = min(CALIBRATION_FILES, max(1, len(files) * 3 // 4))
            read = partial(real_pictures, sensor=self.sensor, shading=self._shading, network_input=network_input)
            found = read(files, CALIBRATION_SIDE, CALIBRATION_SIDE, limit=limit)
        if self.folder is not None and self._captures.note:
            found.left_out.append(self._captures.note)
        return found

    def to_compare_on(
        self,
        height: int,
        width: int,
        calibrated: RealPictures | None,
        network_input: NetworkInput = SENSOR_INPUT,
    ) -> RealPictures:
        """Pictures of a size, packed; of files other than those that were calibrated on, where there are others."""
        with self._opened() as files:
            names = {file.name for file in calibrated.files} if calibrated else set()
            used = [file for file in files if file.name in names]
            read = partial(real_pictures, sensor=self.sensor, shading=self._shading, network_input=network_input)
            return read(files, height, width, unless=used)

    @property
    def _shading(self) -> bool:
        """As the model was trained."""
        return self.model is None or not self.model.shading_left

    @cached_property
    def _captures(self) -> "_Captures":
        """The files that count, found once."""
        assert self.folder is not None
        folder = find_raw(self.folder).raw
        files = list_raw_files(folder)
        if self.group is not None:
            return _Captures(of_group(files, self.group, folder, self.sensor)[0])
        return _Captures(files) if self.model is None else _of_model(files, self.model, self.sensor, folder)

    @contextmanager
    def _opened(self) -> Iterator[list[Path]]:
        if self.folder is not None:
            yield self._captures.files
            return
        with scratch_folder() as scratch:
            yield list_raw_files(demo_folders(scratch)[0])


@dataclass(frozen=True)
class _Captures:
    """Files to take pictures of, and a line for the user where others were left."""

    files: list[Path]
    note: str | None = None


def _of_model(files: list[Path], model: SensorDescription, sensor: SensorDescription | None, folder: Path) -> _Captures:
    """The captures of a model's sensor; all where none is known to be, and for a model of several.

    Of large folders a part is looked at, evenly spread: no more pictures are needed.
    """
    if model.other_levels:
        return _Captures(files)
    headers: dict[Path, RawHeader] = {}
    for file in spread(files, MOST_LOOKED_AT):
        with suppress(InputError):  # said when it is read for its picture
            headers[file] = read_header(file, sensor)
    looked_at = list(headers)
    groups = grouped([sensor_facts(header) for header in headers.values()])
    mine = [group for group in groups if _is_of_model(group, headers[looked_at[group.members[0]]], model)]
    if not mine or len(mine) == len(groups):
        return _Captures(files)
    taken = sorted(place for group in mine for place in group.members)
    names = "; ".join(group.name for group in mine)
    note = f"{folder}: captures of {len(groups)} sensors or lenses; those of the model's are taken: {names}"
    return _Captures([looked_at[place] for place in taken], note)


def _is_of_model(group: CaptureGroup, first: RawHeader, model: SensorDescription) -> bool:
    named = (model.group or group.facts.group) == group.facts.group
    optics = (model.optics or group.facts.optics) == group.facts.optics
    return named and optics and is_same_sensor(first, model)


DEMO = RawSource(None, "the demo set (synthetic RAW)")


def training_raw(bundle: Bundle, group: str | None = None) -> RawSource | None:
    """The RAW files that a model was trained on; None if its bundle does not say where they are or they are gone.

    Args:
        bundle: the model.
        group: of the captures, if not the model's own; see `RawSource`.
    """
    recorded = bundle.record.origin.get(RAW_FOLDER)
    if not isinstance(recorded, str):
        return None
    try:
        folder = find_raw(Path(recorded)).raw
        list_raw_files(folder)
    except InputError:
        return None
    sensor = bundle.record.sensor
    return RawSource(folder, "the training RAW", sensor, group, sensor)


def calibration_pictures(found: RealPictures) -> list[Floats]:
    """The pictures as a network is given them, and each four times as bright.

    Highlights must be cut at white, and not at the ranges' ends.
    """
    bright = found._replace(pictures=[brighter(picture) for picture in found.pictures])
    return [*found.given, *bright.given]
